"""The tables of docs/quest.md about some of the cells: few images, perceptual terms, finalists, the whole network."""

import itertools

import comparing
import extra
import numpy as np
import outcome
import scipy.stats
from outcome import BOTH, METRICS, NAMES, RESULTS, SEEDS, SETTINGS, SHOWN, STUDY, TITLES
from words import MARKS, heading, interval, table, title

BESIDE = "nll"  # beside what the others are put in how much they lose with few images


def few():
    """IG and NSS by the number of training images, how much less each loss has with the fewest than with the most, and
    that beside what `nll` has less; uncorrected.
    """
    rows, orders = [], []
    for metric in ("ig", "nss"):
        found = extra.with_few(metric)
        fewest, most = found[min(found)], found[max(found)]
        there = [loss for loss in NAMES["FEW"] if all(loss in each for each in found.values())]
        means = {loss: [np.mean([*each[loss].values()]) for each in found.values()] for loss in there}
        lost = {loss: {seed: fewest[loss][seed] - most[loss][seed] for seed in fewest[loss]} for loss in there}
        for loss in there:
            beside = (
                interval(comparing.difference(lost[loss], lost[BESIDE])) if BESIDE in lost and loss != BESIDE else ""
            )
            rows.append([METRICS[metric][0], f"`{loss}`", *(f"{mean:.3f}" for mean in means[loss])])
            rows[-1] += [interval(extra.alone(lost[loss])), beside]
        if len(there) > 2:
            ends = scipy.stats.spearmanr(*([means[loss][i] for loss in there] for i in (0, -1)))
            orders.append(f"{METRICS[metric][0]} {ends[0]:.2f}")
    note = f"\n\nSpearman's correlation of the order of losses at both ends: {', '.join(orders)}." if orders else ""
    columns = [*(f"{images} images" for images in found), "fewest less most", f"beside `{BESIDE}`"]
    return table(["", "loss", *columns], rows) + note


def perceptual():
    """What a perceptual term adds at one learning rate, corrected for the number of comparisons, and what it costs."""
    found = extra.perceptual()
    signs = []
    for score in BOTH:
        each = {names[0]: comparing.difference(*(extra.at_rate(name, *score) for name in names)) for names, _ in found}
        signs.append([MARKS[row.verdict] for row in comparing.corrected(each).values()])
    rows = [
        [f"`{loss}`", f"`{bare}`", *marks, f"{times:.1f}"]
        for ((loss, bare), times), marks in zip(found, zip(*signs, strict=True), strict=True)
    ]
    return table(["loss", "against", *(heading(*score) for score in BOTH), "times as long"], rows)


def perceptual_scores():
    """The scores of the perceptual losses and of what they are compared with, at one learning rate."""
    rows = []
    for loss in dict.fromkeys([*NAMES["PERCEPTUAL"], *(bare for (_, bare), _ in extra.perceptual())]):
        found = {score: extra.at_rate(loss, *score) for score in BOTH}
        if all(found.values()):
            means = (METRICS[metric][1] * np.mean([*values.values()]) for (metric, _), values in found.items())
            rows.append([f"`{loss}`", *(f"{mean:.3f}" for mean in means)])
    return table(["loss", *(heading(*score) for score in BOTH)], rows)


def broke():
    """How many trainings broke at each rate, of all that were run with all images."""
    counts: dict[tuple, list[int]] = {}
    for (_, model, data, _, rate), cell in outcome.at_rate().items():
        if cell.key in RESULTS:
            count = counts.setdefault((model, data), {}).setdefault(rate, [0, 0])
            count[0] += outcome.is_broken(cell)
            count[1] += 1
    rows = [
        [title(setting), *(f"{each[rate][0]} of {each[rate][1]}" for rate in NAMES["RATES"])]
        for setting, each in counts.items()
    ]
    return table(["", *(f"at {rate:g}" for rate in NAMES["RATES"])], rows)


def broken():
    """The trainings that are compared and broke, with their IG on validation, and that at the lower rate."""
    rows = []
    for cell, again in outcome.repeats():
        rate = cell.recipe.learning_rate
        second = f"{outcome.validation_ig(again):.3f}" if again else "" if rate > min(NAMES["RATES"]) else "the same"
        rows.append([f"`{cell.loss}`", title((cell.model, cell.data)), cell.recipe.seed, f"{rate:g}"])
        rows[-1] += [f"{outcome.validation_ig(cell):.3f}", second]
    return table(["loss", "", "seed", "rate", "IG, bit", f"at {min(NAMES['RATES']):g}"], rows)


def finalists():
    """By how much the best combinations, with all their seeds, are better than the best single losses and than mse;
    uncorrected.
    """
    combinations, single = outcome.finalists()
    rows = []
    for setting, one, other in itertools.product(SETTINGS, combinations, dict.fromkeys([*single, "mse"])):
        row = [title(setting), f"`{one}`", f"`{other}`"]
        for score in SHOWN:
            found = outcome.all_seeds(*score)
            both = [found.get((loss, *setting), {}) for loss in (one, other)]
            if min(map(len, both)) > len(SEEDS):
                row.append(interval(comparing.difference(*both)))
        if len(row) > 3:
            rows.append(row)
    return table(["", "loss", "against", *(heading(*score) for score in SHOWN)], rows)


def whole():
    """The scores of frozen and of trained backbones, and what they differ by from mse; uncorrected."""
    rows = []
    for data in STUDY.data:
        for stage in ("frozen", "whole"):
            found = {score: _of_stage(stage, data, *score) for score in BOTH}
            both = [loss for loss in extra.whole(data, "nss") if loss in found[BOTH[0]]]
            for loss in both if "mse" in both else []:
                row = [TITLES[data], stage, f"`{loss}`"]
                for score, losses in found.items():
                    own, against = np.mean([*losses[loss].values()]), comparing.difference(losses[loss], losses["mse"])
                    mark = "" if loss == "mse" or against.low <= 0 <= against.high else "*"
                    row.append(f"{METRICS[score[0]][1] * own:.3f}{mark}")
                rows.append(row)
    return table(["data", "backbone", "loss", *(heading(*score) for score in BOTH)], rows)


def _of_stage(stage, data, metric, kind):
    """From loss to the values of a metric, before or after the whole network was trained."""
    if stage == "whole":
        return extra.whole(data, metric, kind)
    return {
        loss: values
        for (loss, *where), values in outcome.scores(metric, kind, repeated=False).items()
        if where == [extra.FIRST[0], data]
    }
