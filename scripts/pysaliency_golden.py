"""Writes tests/golden_pysaliency.json: what pysaliency gives for the cases of tests/golden_maps.py.

`PYTHONPATH=tests python scripts/pysaliency_golden.py`, with pysaliency 0.2.22, setuptools < 81 and the OSIE data set.
`--time N` prints instead, for N maps of 600x800 (at most 256), values and seconds per image, then a user's calls.
"""

import argparse
import importlib.metadata
import json
import timeit
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pysaliency
from golden_maps import CASES, LARGE, blur, synthetic
from pysaliency.metrics import MIT_KLDiv
from pysaliency.saliency_map_models import FullShuffledNonfixationProvider

METRICS = {  # the values, and what a user calls for their mean
    "auc": (lambda d: d.saliency.AUCs(*d.points), lambda d: d.saliency.AUC(*d.points, average="image")),
    "sauc": (lambda d: d.saliency.AUCs(*d.points, d.others), lambda d: d.saliency.AUC(*d.points, "shuffled", "image")),
    "nss": (lambda d: d.saliency.NSSs(*d.points), lambda d: d.saliency.NSS(*d.points, average="image")),
    "cc": (lambda d: d.saliency.CCs(d.scored, d.density), lambda d: d.saliency.CC(d.stimuli, d.density)),
    "sim": (lambda d: d.saliency.SIMs(d.scored, d.density), lambda d: d.saliency.SIM(d.stimuli, d.density)),
    "kld": (
        lambda d: [MIT_KLDiv(d.saliency.saliency_map(s), d.density.saliency_map(s)) for s in d.scored],
        lambda d: d.saliency.image_based_kl_divergence(d.stimuli, d.density, 0, 2.2204e-16, 2.2204e-16),
    ),
    "ig": [
        lambda d, f=f: getattr(d.log_density, f)(*d.points, d.log_baseline)
        for f in ("information_gains", "information_gain")
    ],
}
MAPS, LOGS = (pysaliency.SaliencyMapModel, "_saliency_map"), (pysaliency.Model, "_log_density")


def data_of(cases, others=()):
    """Photographs of the cases and others, each filled with its number, which leads a model to the map of its case."""
    images = [(case.saliency.shape, case.fixations) for case in cases] + list(others)
    stimuli = pysaliency.Stimuli([np.full((*size, 3), number, "uint8") for number, (size, _) in enumerate(images)])
    numbers = np.repeat(np.arange(len(images)), [len(points) for _, points in images])
    y, x = np.concatenate([points for _, points in images]).astype("float64").T
    data = SimpleNamespace(stimuli=stimuli, scored=stimuli[: len(cases)])
    everything = pysaliency.Fixations.create_without_history(x, y, numbers)
    data.points = stimuli, everything[numbers < len(cases)]
    data.others = FullShuffledNonfixationProvider(stimuli, everything)
    for name, (base, method) in {"saliency": MAPS, "density": MAPS, "log_density": LOGS, "log_baseline": LOGS}.items():
        maps = [getattr(case, name) for case in cases]
        setattr(data, name, type(name, (base,), {method: lambda self, image, maps=maps: maps[image[0, 0, 0]]})())
    return data


parser = argparse.ArgumentParser()
parser.add_argument("--time", type=int, metavar="N")
if n := parser.parse_args().time:
    vars(np).setdefault("trapz", getattr(np, "trapezoid", None))  # AUC calls it by its name in NumPy 1
    cases = [synthetic(lambda rng, size: blur(rng.random(size), 8), seed, LARGE, 135) for seed in range(n)]
    data = data_of([case._replace(saliency=np.exp(case.log_density)) for case in cases])
    values = {name: np.reshape(of(data), (n, -1)).mean(1).tolist() for name, (of, _) in METRICS.items()}
    # The fastest of five: the first compiles and caches.
    fastest = lambda of: min(timeit.repeat(lambda: of(data), number=1, repeat=5)) / n
    seconds = {name: [fastest(of) for of in pair] for name, pair in METRICS.items()}
    print(json.dumps({"values": values, "seconds": seconds, "totals": np.sum(list(seconds.values()), 0).tolist()}))
else:
    data = {name: data_of([case := make()], case.others) for name, make in CASES.items()}
    values = {name: {metric: float(np.mean(of(d))) for metric, (of, _) in METRICS.items()} for name, d in data.items()}
    origin = {package: importlib.metadata.version(package) for package in ("pysaliency", "numpy", "scipy")}
    golden = json.dumps({"command": __doc__.split("`")[1], **origin, "values": values}, indent=1)
    (Path(__file__).parents[1] / "tests" / "golden_pysaliency.json").write_text(golden + "\n")
