"""Writes tests/golden_pysaliency.json: what pysaliency gives for the cases of tests/golden_maps.py.

`PYTHONPATH=tests python scripts/pysaliency_golden.py`, with pysaliency 0.2.22, setuptools < 81 and the OSIE data set.
`--time N` prints instead values and seconds per image on N cached maps of 600x800: benchmarks/pysaliency_time.py.
"""

import argparse
import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pysaliency
from benchmarks import pysaliency_time
from golden_maps import CASES
from pysaliency.metrics import MIT_KLDiv
from pysaliency.saliency_map_models import FullShuffledNonfixationProvider

METRICS = {
    "auc": lambda d: d.saliency.AUCs(d.stimuli, d.fixations),
    "sauc": lambda d: d.saliency.AUCs(d.stimuli, d.fixations, FullShuffledNonfixationProvider(d.stimuli, d.everything)),
    "nss": lambda d: d.saliency.NSSs(d.stimuli, d.fixations),
    "cc": lambda d: d.saliency.CCs(d.scored, d.density),
    "sim": lambda d: d.saliency.SIMs(d.scored, d.density),
    "kld": lambda d: [MIT_KLDiv(d.saliency.saliency_map(s), d.density.saliency_map(s)) for s in d.scored],
    "ig": lambda d: d.log_density.information_gains(d.stimuli, d.fixations, d.log_baseline),
}
MAPS, LOGS = (pysaliency.SaliencyMapModel, "_saliency_map"), (pysaliency.Model, "_log_density")


def data_of(cases, others=()):
    """Photographs of the cases and others, each filled with its number, which leads a model to the map of its case."""
    images = [(case.saliency.shape, case.fixations) for case in cases] + list(others)
    stimuli = pysaliency.Stimuli([np.full((*size, 3), number, "uint8") for number, (size, _) in enumerate(images)])
    numbers = np.repeat(np.arange(len(images)), [len(points) for _, points in images])
    y, x = np.concatenate([points for _, points in images]).astype("float64").T
    data = SimpleNamespace(stimuli=stimuli, scored=stimuli[: len(cases)])
    data.everything = pysaliency.Fixations.create_without_history(x, y, numbers)
    data.fixations = data.everything[numbers < len(cases)]
    for name, (base, method) in {"saliency": MAPS, "density": MAPS, "log_density": LOGS, "log_baseline": LOGS}.items():
        maps = [getattr(case, name) for case in cases]
        setattr(data, name, type(name, (base,), {method: lambda self, image, maps=maps: maps[image[0, 0, 0]]})())
    return data


parser = argparse.ArgumentParser()
parser.add_argument("--time", type=int, metavar="N")
if n := parser.parse_args().time:
    print(json.dumps(pysaliency_time.measure(n, data_of, METRICS)))
else:
    data = {name: data_of([case := make()], case.others) for name, make in CASES.items()}
    values = {name: {metric: float(np.mean(of(d))) for metric, of in METRICS.items()} for name, d in data.items()}
    origin = {package: importlib.metadata.version(package) for package in ("pysaliency", "numpy", "scipy")}
    golden = json.dumps({"command": __doc__.split("`")[1], **origin, "values": values}, indent=1)
    (Path(__file__).parents[1] / "tests" / "golden_pysaliency.json").write_text(golden + "\n")
