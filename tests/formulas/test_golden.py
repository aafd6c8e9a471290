"""The measures against the values of pysaliency, which scripts/pysaliency_golden.py wrote."""

import functools
import json

import numpy as np
import pytest
from conftest import REPOSITORY, data_folder
from golden_maps import CASES, REAL
from keras import ops

from keras_saliency.formulas import measures, roc

GOLDEN = json.loads((REPOSITORY / "tests" / "golden_pysaliency.json").read_text())["values"]
METRICS = {"auc", "sauc", "nss", "cc", "sim", "kld", "ig"}


@functools.cache
def make_case(name):
    return CASES[name]()


def count(pixels, size):
    counts = np.zeros(size)
    np.add.at(counts, tuple(pixels.T), 1)
    return counts


def shuffled(case):
    """The pixels of the fixations of all other images: times the quotient of the sizes, then cut to whole numbers."""
    size = np.array(case.saliency.shape)
    return np.concatenate([(points * (size / other)).astype(int) for other, points in case.others])


def measure(case, convert):
    """Every metric of a case, its maps turned by `convert` into what is to be measured."""
    size = case.saliency.shape
    maps = (case.saliency, case.density, count(case.fixations, size), count(shuffled(case), size), *case[-2:])
    p, s, f, others, log_p, log_b = (convert(part[None, ..., None]) for part in maps)
    return {
        "auc": roc.auc(f, p),
        "sauc": roc.auc(f, p, negatives=others),
        "nss": measures.nss(f, p),
        "cc": measures.cc(s, p),
        "sim": measures.sim(s, p),
        "kld": measures.kld_published(s, p, epsilon=measures.KLD_METRIC_EPSILON),
        "ig": measures.ig(f, log_p, log_b),
    }


def test_golden_values_are_complete():
    assert set(GOLDEN) == set(CASES)
    for name, values in GOLDEN.items():
        assert set(values) == METRICS, name
        assert np.isfinite(list(values.values())).all(), name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("convert", [np.asarray, ops.convert_to_tensor], ids=["arrays", "tensors"])
@pytest.mark.parametrize("name", CASES)
def test_measures_agree_with_pysaliency(name, convert, dtype):
    if name in REAL:
        data_folder("osie")
    tolerance = {"float64": 1e-9, "float32": 1e-5}[dtype]
    for metric, value in measure(make_case(name), functools.partial(convert, dtype=dtype)).items():
        value = ops.convert_to_numpy(value)[0]
        np.testing.assert_allclose(value, GOLDEN[name][metric], rtol=tolerance, atol=tolerance, err_msg=metric)
