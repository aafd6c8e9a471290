"""The tables of docs/quest.md about what was trained when all else was there."""

import itertools
import runpy

import comparing
import extra
import numpy as np
import outcome
from outcome import BOTH, METRICS, NAMES, RESULTS, SEEDS, SETTINGS, SHOWN
from words import heading, interval, table, title

from keras_saliency.quest import analysis


def afterwards():
    """What was trained when all else was there, against the best single loss and the best combination; uncorrected."""
    rate, rows = max(NAMES["RATES"]), []
    for (loss, models), setting in itertools.product(NAMES["AFTERWARDS"].items(), SETTINGS):
        values = {score: extra.at_rate(loss, *score, setting, rate) for score in SHOWN}
        if setting[0] in models and all({*each} == {*SEEDS} for each in values.values()):
            for other in (outcome.best_single(), outcome.finalists()[0][0]):
                found = (
                    interval(comparing.difference(each, outcome.scores(*score)[other, *setting]))
                    for score, each in values.items()
                )
                rows.append([f"`{loss}` at {rate:g}", title(setting), f"`{other}`", *found])
    return table(["loss", "", "against", *(heading(*score) for score in SHOWN)], rows)


def little():
    """The mean ranks of `nll` with a little of another loss over all settings, among the others, and of the best."""
    added, rate = list(NAMES["LITTLE"]), max(NAMES["RATES"])
    names = [*outcome.common(SETTINGS), *added]
    ranks = []
    for split, kinds in (
        ("validation", BOTH),
        *(("validation", each) for each in outcome.BY_KIND.values()),
        ("test", BOTH),
    ):
        means = [
            [outcome.mean(name, setting, *score, split) for name in names[: -len(added)]]
            + [np.mean([*extra.at_rate(name, *score, setting, rate, split).values()]) for name in added]
            for setting, score in itertools.product(SETTINGS, kinds)
        ]
        ranks.append(analysis.mean_ranks(np.array(means))[0])
    found = dict(zip(names, np.transpose(ranks), strict=True))
    rows = [
        [f"`{name}`", *(f"{rank:.1f}" for rank in found[name])]
        for name in sorted(found, key=lambda name: found[name][0])
        if name in (*added, outcome.best_single(), outcome.finalists()[0][0])
    ]
    return table([f"of {len(names)} losses", "validation", "raw", "fair", "test"], rows)


def recipes():
    """The loss of the recipes and its first term alone, with their network at its size; validation, uncorrected."""
    study = runpy.run_path(str(outcome.FOLDER.parents[1] / "quests" / "recipes.py"))["STUDY"]
    cells = [cell for cell in study.cells(RESULTS)[0] if cell.key in RESULTS]
    rows = {name: [f"`{name}`"] for name in (*study.losses, "difference")}
    for metric, kind in BOTH:
        found: dict[str, dict] = {}
        for cell in cells:
            values = analysis.values_of(RESULTS[cell.key], metric, kind, "validation")
            found.setdefault(cell.loss, {})[cell.recipe.seed] = METRICS[metric][1] * values
        for name, values in found.items():
            rows[name].append(f"{METRICS[metric][1] * np.mean([*values.values()]):.3f}")
        rows["difference"].append(interval(comparing.difference(*found.values())))
    return table(["", *(heading(*score) for score in BOTH)], rows.values())
