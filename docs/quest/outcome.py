"""The results of quests/losses.py as arrays: what tables and figures are made of."""

import functools
import pathlib
import runpy
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_saliency.quest import Cell, analysis
from keras_saliency.quest.results import Results

FOLDER = pathlib.Path(__file__).parent
NAMES = runpy.run_path(str(FOLDER.parents[1] / "quests" / "losses.py"))
STUDY, RESULTS = NAMES["STUDY"], Results(FOLDER / "results").found
# Metric -> its heading, and whether more is better.
METRICS = {
    "nss": ("NSS", 1),
    "auc": ("AUC", 1),
    "ig": ("IG, bit", 1),
    "sauc": ("sAUC", 1),
    "cc": ("CC", 1),
    "kld": ("KLD", -1),
    "sim": ("SIM", 1),
}
FAIR = ("sauc", "cc", "kld", "sim")  # that have maps of their own
BOTH = [*((metric, "raw") for metric in METRICS), *((metric, "fair") for metric in FAIR)]
SHOWN = (
    ("nss", "raw"),
    ("ig", "raw"),
    ("cc", "raw"),
    ("cc", "fair"),
    ("kld", "fair"),
)  # where there is no room for all
# The seven metrics, of the density itself and of the maps that suit them.
BY_KIND = {kind: [(m, kind if m in FAIR else "raw") for m in METRICS] for kind in ("raw", "fair")}
SETTINGS = [(model, data) for model in STUDY.models for data in STUDY.data]
TITLES = {"multilevel": "multilevel", "attentive": "attentive", "osie": "OSIE", "scene": "Scene"}
GROUPS = {
    "single": NAMES["SINGLE"],
    "published": NAMES["PUBLISHED"],
    "balanced": NAMES["BALANCED"],
    "learned": tuple(f"{name}, learned" for name in NAMES["LEARNED"]),
}
GROUP = {loss: group for group, members in GROUPS.items() for loss in members}
COMPARED = NAMES["COMPARED"]
SEEDS = (0, 1, 2)  # that all losses have

Setting = tuple[str, str]  # network and data


BROKEN = 0.05  # bit of IG on validation: what tells no more of an image than the centre bias does


def validation_ig(cell: Cell) -> float:
    """The IG of a training on validation; infinite where there is none, so that it is not taken for a broken one."""
    result = RESULTS.get(cell.key, {})
    return float(analysis.values_of(result, "ig", "raw", "validation").mean()) if "scores" in result else np.inf


def is_broken(cell: Cell) -> bool:
    """Whether a training tells no more of an image than the centre bias does."""
    return validation_ig(cell) < BROKEN


@functools.cache
def at_rate() -> dict[tuple[str, str, str, int, float], Cell]:
    """The trainings of one stage with all images, by loss, network, data, seed and rate."""
    plain = (cell for cell in STUDY.cells(RESULTS)[0] if not cell.recipe.images and not cell.recipe.start)
    return {(c.loss, c.model, c.data, c.recipe.seed, c.recipe.learning_rate): c for c in plain}


def again(cell: Cell) -> Cell | None:
    """The same training at the lower rate, where that is another one and is there."""
    found = at_rate().get((cell.loss, cell.model, cell.data, cell.recipe.seed, NAMES["RATES"][0]))
    return found if found and found.key != cell.key and found.key in RESULTS else None


@functools.cache
def repeats() -> list[tuple[Cell, Cell | None]]:
    """What is compared and broke, each with the same at the lower rate, if it is there."""
    return [(cell, again(cell)) for cell in STUDY.finals(RESULTS) if is_broken(cell)]


@functools.cache
def all_seeds(metric: str, kind: str = "raw", split: str = "test", repeated: bool = True) -> analysis.Scores:
    """The scores of a metric, more is better, of every seed that there is; of what broke those at the lower rate,
    unless `repeated` is false.
    """
    sign = METRICS[metric][1]
    found = {row: dict(each) for row, each in analysis.scores(STUDY, RESULTS, metric, kind, split).items()}
    for cell, other in repeats() if repeated else ():
        if other and "scores" in RESULTS[other.key]:
            values = analysis.values_of(RESULTS[other.key], metric, kind, split)
            found[cell.loss, cell.model, cell.data][cell.recipe.seed] = values
    return {row: {seed: sign * v for seed, v in values.items()} for row, values in found.items()}


@functools.cache
def scores(metric: str, kind: str = "raw", split: str = "test", repeated: bool = True) -> analysis.Scores:
    """The same of the seeds that all losses have."""
    found = all_seeds(metric, kind, split, repeated)
    return {row: {seed: v for seed, v in values.items() if seed in SEEDS} for row, values in found.items()}


def finals_by_row() -> dict[tuple[str, str, str], list[Cell]]:
    """The cells that are compared and have scores."""
    found: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in STUDY.finals(RESULTS):
        if "scores" in RESULTS.get(cell.key, {}):
            found.setdefault((cell.loss, cell.model, cell.data), []).append(cell)
    return found


@functools.cache
def tried(setting: Setting) -> list[str]:
    """The losses whose seeds were all run in a setting, whether they failed or not."""
    seeds: dict[str, set[int]] = {}
    for cell in STUDY.finals(RESULTS):
        if (cell.model, cell.data) == setting and cell.key in RESULTS:
            seeds.setdefault(cell.loss, set()).add(cell.recipe.seed)
    return [loss for loss in COMPARED if {*SEEDS} <= seeds.get(loss, set())]


@functools.cache
def complete(setting: Setting) -> list[str]:
    """The losses whose seeds are all there in a setting, none of them failed."""
    found = scores("nss")
    return [loss for loss in tried(setting) if {*found.get((loss, *setting), ())} == {*SEEDS}]


def done() -> list[Setting]:
    """The settings in which all losses were run that are compared in each of them."""
    return [setting for setting in SETTINGS if {*NAMES["ELSEWHERE"]} <= {*tried(setting)}]


def mean(loss: str, setting: Setting, metric: str, kind: str, split: str = "test", repeated: bool = True) -> float:
    """The mean over images and seeds, more is better; of a loss that failed there is none, and it is the last."""
    if loss not in complete(setting):
        return -np.inf
    return float(np.mean([*scores(metric, kind, split, repeated)[loss, *setting].values()]))


def common(settings: Sequence[Setting]) -> list[str]:
    """The losses that were run in all of some settings."""
    return [loss for loss in COMPARED if all(loss in tried(setting) for setting in settings)]


def ranked(
    settings: Sequence[Setting],
    split: str = "test",
    losses: Sequence[str] | None = None,
    kinds: Sequence[tuple[str, str]] = BOTH,
    repeated: bool = True,
) -> tuple[dict[str, float], float]:
    """The mean rank of each loss, of some or of those that all settings have, over scores and settings, one is best;
    and the critical difference. What broke counts as it did at the lower rate, unless `repeated` is false.
    """
    losses = common(settings) if losses is None else losses
    if len(losses) < 2:
        return {}, float("nan")
    tables = [
        [mean(loss, setting, metric, kind, split, repeated) for loss in losses]
        for setting in settings
        for metric, kind in kinds
    ]
    found, critical, _ = analysis.mean_ranks(np.array(tables))
    return dict(zip(losses, found.tolist(), strict=True)), critical


def ranks(settings: Sequence[Setting], **options: Any) -> dict[str, float]:
    """The mean ranks alone; options are those of `ranked`."""
    return ranked(settings, **options)[0]


def best(losses: Sequence[str], setting: Setting, metric: str, kind: str) -> str:
    """The loss that is best in a score on the validation split, so that it is not chosen by what it is compared in."""
    return max(losses, key=lambda loss: mean(loss, setting, metric, kind, "validation"))


@functools.cache
def finalists() -> tuple[list[str], list[str]]:
    """The two combinations and the two single losses that are best on OSIE's validation split, the better first."""
    found = ranks([SETTINGS[0]], split="validation")
    ordered = sorted(found, key=lambda loss: found[loss])
    single = [loss for loss in ordered if GROUP[loss] == "single"]
    return [loss for loss in ordered if loss not in single][:2], single[:2]


def best_single() -> str:
    """The better of the two single losses."""
    return finalists()[1][0]
