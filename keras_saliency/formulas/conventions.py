"""The two conventions of the field, side by side: what each metric computes.

A row is a function of a `Target` and the prediction as a `Map`, to one value an image. `tuebingen` is the convention of
pysaliency and saliency.tuebingen.ai; `mit` that of the MIT saliency benchmark, where repeated fixations at a pixel
count once and maps are stretched to [0, 1]. What is undefined there (a constant map) has here the value of chance.
"""

from collections.abc import Callable

from keras_saliency.formulas import measures, roc
from keras_saliency.formulas.arrays import ops
from keras_saliency.formulas.emd import emd
from keras_saliency.formulas.maps import Map, Target
from keras_saliency.formulas.types import Values


def _once(target):
    """The fixated pixels, repeats counted once."""
    return ops.minimum(target.fixations, 1.0)


def _kld(target, prediction):
    return measures.kld_published(target.density, prediction, epsilon=measures.KLD_METRIC_EPSILON)


def _cc(target, prediction):
    return measures.cc(target.density, prediction)


def _log_likelihood(target, prediction):
    return -measures.nll(target.fixations, prediction.log_density, prediction.valid)


CONVENTIONS: dict[str, dict[str, Callable[[Target, Map], Values]]] = {
    "tuebingen": {
        "auc": lambda t, p: roc.auc(t.fixations, p),
        "sauc": lambda t, p: roc.auc(t.fixations, p, negatives=t.negatives),
        "nss": lambda t, p: measures.nss(t.fixations, p),
        "cc": _cc,
        "sim": lambda t, p: measures.sim(t.density, p),
        "kld": _kld,
        "ig": lambda t, p: measures.ig(t.fixations, p.log_density, t.baseline.log_density, p.valid),  # type: ignore[union-attr]
        "log_likelihood": _log_likelihood,
    },
    "mit": {
        "auc": lambda t, p: roc.auc_judd(_once(t), p),
        "auc_borji": lambda t, p: roc.auc_by_steps(t.fixations, p),
        "sauc": lambda t, p: roc.auc_by_steps(t.fixations, p, negatives=t.negatives),
        "nss": lambda t, p: measures.nss_published(_once(t), p, unbiased=True),
        "cc": _cc,
        "sim": lambda t, p: measures.sim_published(t.density, p),
        "kld": _kld,
        "ig": lambda t, p: measures.ig_published(_once(t), p, t.baseline),
        "emd": lambda t, p: emd(t.density, p),
    },
}
# What compares with a density alone, and needs no fixations.
OF_DENSITY = ("cc", "sim", "kld", "emd")
