"""The tables of docs/quest.md, from the results."""

import collections
import itertools

import comparing
import little
import numpy as np
import outcome
import questions
import subsets
from outcome import BOTH, GROUP, RESULTS, SEEDS, SETTINGS, STUDY, TITLES
from words import counts, heading, interval, references, shown, table, title


def cells():
    """What was run, and how long it took."""
    known, waiting = STUDY.cells(RESULTS)
    groups: dict[tuple[str, str], collections.Counter] = {}
    for cell in known:
        result = RESULTS.get(cell.key, {})
        group = groups.setdefault((cell.data, cell.model), collections.Counter())
        group["failed" if "error" in result else "done" if result else "left"] += 1
        group["seconds"] += sum(result.get("seconds", {}).values())
    rows = [
        [TITLES[data], TITLES[model], group["done"], group["failed"], group["left"], f"{group['seconds'] / 3600:.1f}"]
        for (data, model), group in groups.items()
    ]
    total = [sum(group[kind] for group in groups.values()) for kind in ("done", "failed", "left", "seconds")]
    rows.append(["all", "", *total[:3], f"{total[3] / 3600:.1f}"])
    note = f"\n\n{waiting} more wait for learning rates to be found." if waiting else ""
    failures = [f"- {cell}: {RESULTS[cell.key]['error']}" for cell in known if "error" in RESULTS.get(cell.key, {})]
    failed = "\n\nFailed:\n\n" + "\n".join(failures) if failures else ""
    return table(["data", "network", "done", "failed", "left", "hours on one core"], rows) + note + failed


def rates():
    """How often each learning rate was the best."""
    compared = [cell for cell in STUDY.finals(RESULTS) if cell.loss in outcome.COMPARED]
    finals = {(cell.loss, cell.model): cell.recipe.learning_rate for cell in compared}
    counts = collections.Counter((model, rate) for (_, model), rate in finals.items())
    tried = sorted({rate for _, rate in counts})
    rows = [[TITLES[m], *(counts[m, rate] for rate in tried)] for m in STUDY.models if any(counts[m, r] for r in tried)]
    return table(["network", *(f"rate {rate:g}" for rate in tried)], rows)


def overall(done):
    """Mean ranks of the losses that stand in all of some settings: in all scores, in the seven metrics of each kind of
    map, in each setting; and in how many scores each differs from the best single loss and from mse. As planned: with
    what broke, and not with the same at the lower rate.
    """
    ranks = outcome.ranks(done)
    columns = {"as planned": outcome.ranks(done, repeated=False)}
    columns |= {kind: outcome.ranks(done, kinds=scores) for kind, scores in outcome.BY_KIND.items()}
    if len(done) > 1:
        columns |= {title(setting): outcome.ranks([setting], losses=outcome.common(done)) for setting in done}
    rows = []
    for loss in sorted(ranks, key=lambda loss: ranks[loss]):
        own = [f"{found[loss]:.1f}" for found in (ranks, *columns.values())]
        rows.append([f"`{loss}`", GROUP[loss], *own, *(counts(loss, other, done) for other in references())])
    against = [f"against `{other}`: better, neither, worse" for other in references()]
    return table(["loss", "", "mean rank", *columns, *against], rows)


def beside_best():
    """How many losses are significantly better, and how many worse, than the best single one, in each score, and the
    largest upper end of their 95 % intervals, not corrected.
    """
    rows = []
    for setting in outcome.done():
        row = [title(setting), len(outcome.complete(setting)) - 1]
        for score in BOTH:
            found = comparing.against(outcome.best_single(), setting, *score).values()
            counted = collections.Counter(each.verdict for each in found)
            row.append(f"{counted[1]}, {counted[-1]}; {max(each.high for each in found):.3f}")
        rows.append(row)
    return table(["", "others", *(heading(*score) for score in BOTH)], rows)


def blurred():
    """The maps as they are predicted by all losses against the fair ones of the best single loss: how many are better
    and worse, and the one that is best by validation; that interval is not corrected.
    """
    best, rows = outcome.best_single(), []
    for metric, setting in itertools.product(("cc", "kld", "sim"), outcome.done()):
        found = comparing.against(best, setting, metric, "raw", "fair")
        counted = collections.Counter(each.verdict for each in found.values())
        winner = outcome.best([*found], setting, metric, "raw")
        value = outcome.METRICS[metric][1] * outcome.mean(best, setting, metric, "fair")
        row = [heading(metric, "raw"), title(setting), f"{value:.3f}", counted[1], counted[-1], f"`{winner}`"]
        rows.append([*row, interval(found[winner])])
    columns = ["", "", f"`{best}`, fair map", "others better", "worse", "the best other", "better by"]
    return table(columns, rows)


def setting_scores(setting):
    """All scores of a setting; bold is what is best on validation, and in brackets what is significantly worse."""
    losses, ranks = outcome.complete(setting), outcome.ranks([setting])
    columns = []
    for metric, kind in BOTH:
        values = [outcome.mean(loss, setting, metric, kind) for loss in losses]
        best = outcome.best(losses, setting, metric, kind)
        worse = {loss for loss, found in comparing.against(best, setting, metric, kind).items() if found.verdict < 0}
        columns.append([shown(metric, value, loss, best, worse) for loss, value in zip(losses, values, strict=True)])
    rows = dict(zip(losses, zip(*columns, strict=True), strict=True))
    headings = [heading(*score) for score in BOTH]
    body = [[f"`{loss}`", f"{ranks[loss]:.1f}", *rows[loss]] for loss in sorted(losses, key=lambda loss: ranks[loss])]
    return table(["loss", "mean rank", *headings], body)


def spread():
    """The distance between the best and the worst loss, and how many standard deviations over seeds that is: pooled
    over all losses, and of the loss in the middle.
    """
    rows = []
    for setting in outcome.done():
        losses, row = outcome.complete(setting), []
        for metric, kind in BOTH:
            each = np.array(
                [[outcome.scores(metric, kind)[loss, *setting][s].mean() for s in SEEDS] for loss in losses]
            )
            distance, variances = np.ptp(each.mean(1)), each.var(1, ddof=1)
            times = [distance / np.sqrt(variance) for variance in (variances.mean(), np.median(variances))]
            row.append("{:.3f} ({:.0f}, {:.0f})".format(distance, *times))
        rows.append([title(setting), *row])
    return table(["", *(heading(*score) for score in BOTH)], rows)


TABLES = {
    "cells": cells,
    "rates": rates,
    "overall": lambda: overall(outcome.done()),
    "overall multilevel": lambda: overall([setting for setting in outcome.done() if setting[0] == "multilevel"]),
    "beside best": beside_best,
    "blurred": blurred,
    "afterwards": little.afterwards,
    "spread": spread,
    "shares": questions.shares,
    "own": questions.own,
    "expected": questions.expected,
    "parts": questions.parts,
    "carried": questions.carried,
    "weights": questions.weights,
    "perceptual": subsets.perceptual,
    "perceptual scores": subsets.perceptual_scores,
    "broke": subsets.broke,
    "broken": subsets.broken,
    "few": subsets.few,
    "finalists": subsets.finalists,
    "whole": subsets.whole,
    "little": little.little,
    "recipes": little.recipes,
    **{f"scores {model} {data}": (lambda s=(model, data): setting_scores(s)) for model, data in SETTINGS},
}
