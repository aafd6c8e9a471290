"""Times pysaliency, in an environment that has it: `scripts/pysaliency_golden.py --time N`."""

import timeit

import numpy as np
from golden_maps import LARGE, blur, synthetic

EPSILON = 2.2204e-16
# What a user writes for the mean of each metric.
CALLS = {
    "auc": lambda d: d.saliency.AUC(d.stimuli, d.fixations, average="image"),
    "sauc": lambda d: d.saliency.AUC(d.stimuli, d.fixations, nonfixations="shuffled", average="image"),
    "nss": lambda d: d.saliency.NSS(d.stimuli, d.fixations, average="image"),
    "cc": lambda d: d.saliency.CC(d.stimuli, d.density),
    "sim": lambda d: d.saliency.SIM(d.stimuli, d.density),
    "kld": lambda d: d.saliency.image_based_kl_divergence(d.stimuli, d.density, 0, EPSILON, EPSILON),
    "ig": lambda d: d.log_density.information_gain(d.stimuli, d.fixations, d.log_baseline),
}


def make_cases(number):
    """Smooth maps of 600x800 with 140 fixations each."""
    return [synthetic(lambda rng, size: blur(rng.random(size), 8), seed, LARGE, 135) for seed in range(number)]


def measure(number, data_of, functions):
    """The values of each image, and the seconds an image, of each metric and in total, of the functions and CALLS."""
    vars(np).setdefault("trapz", getattr(np, "trapezoid", None))  # AUC calls it by its name in NumPy 1
    data = data_of([case._replace(saliency=np.exp(case.log_density)) for case in make_cases(number)])
    values = {name: np.reshape(of(data), (number, -1)).mean(1).tolist() for name, of in functions.items()}
    seconds = {}
    for key, table in {"functions": functions, "calls": CALLS}.items():
        # The fastest of five: the first compiles, and reads the maps and keeps them.
        fastest = {name: min(timeit.repeat(lambda of=of: of(data), number=1)) for name, of in table.items()}
        seconds[key] = {name: value / number for name, value in fastest.items()}
        seconds[key]["total"] = sum(seconds[key].values())
    return {"images": number, "values": values, "seconds": seconds}
