"""The tables of docs/quest.md, from the results."""

import collections
import itertools

import extra
import numpy as np
import outcome
import scipy.stats
from outcome import BOTH, COMPARED, GROUP, METRICS, NAMES, RESULTS, SEEDS, SETTINGS, STUDY, TITLES

from keras_saliency.quest import analysis

MARKS = {1: "+", 0: "=", -1: "-"}


def table(headings, rows):
    """Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def title(setting):
    """Of a network and a data set."""
    return ", ".join(TITLES[name] for name in reversed(setting))


def heading(metric, kind):
    """Of a metric of a kind of map."""
    return f"{'fair ' if kind == 'fair' else ''}{METRICS[metric][0]}"


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
    finals = {(cell.loss, cell.model): cell.recipe.learning_rate for cell in STUDY.finals(RESULTS)}
    counts = collections.Counter((model, rate) for (_, model), rate in finals.items())
    tried = sorted({rate for _, rate in counts})
    rows = [[TITLES[m], *(counts[m, rate] for rate in tried)] for m in STUDY.models if any(counts[m, r] for r in tried)]
    return table(["network", *(f"rate {rate:g}" for rate in tried)], rows)


def overall():
    """Mean ranks, and in how many scores a loss differs from the best single loss and from mse."""
    done = outcome.done()
    ranks = outcome.ranks(done)
    each = {setting: outcome.ranks([setting]) for setting in done}
    rows = []
    for loss in sorted(ranks, key=lambda loss: ranks[loss]):
        own = [f"{each[setting][loss]:.1f}" for setting in done]
        rows.append(
            [
                f"`{loss}`",
                GROUP[loss],
                f"{ranks[loss]:.1f}",
                *own,
                *(counts(loss, other, done) for other in references()),
            ]
        )
    against = [f"against `{other}`: better, alike, worse" for other in references()]
    return table(["loss", "", "mean rank", *map(title, done), *against], rows)


def references():
    """The losses that all are compared with."""
    return list(dict.fromkeys([outcome.best_single(), "mse"]))


def counts(loss, other, settings):
    """In how many scores a loss is better than another, alike, and worse."""
    if loss == other:
        return ""
    found = collections.Counter(v for setting in settings for v in outcome.verdicts(loss, other, setting))
    return f"{found[1]}, {found[0]}, {found[-1]}"


def setting_scores(setting):
    """All scores of a setting; bold is the best, and what is in brackets is significantly worse than the best."""
    losses, ranks = outcome.complete(setting), outcome.ranks([setting])
    columns = []
    for metric, kind in BOTH:
        values = [outcome.mean(loss, setting, metric, kind) for loss in losses]
        best = losses[int(np.argmax(values))]
        worse = {loss for loss, found in outcome.against(best, setting, metric, kind).items() if found.verdict < 0}
        columns.append([shown(metric, value, loss, best, worse) for loss, value in zip(losses, values, strict=True)])
    rows = dict(zip(losses, zip(*columns, strict=True), strict=True))
    headings = [heading(*score) for score in BOTH]
    body = [[f"`{loss}`", f"{ranks[loss]:.1f}", *rows[loss]] for loss in sorted(losses, key=lambda loss: ranks[loss])]
    return table(["loss", "mean rank", *headings], body)


def shown(metric, value, loss, best, worse):
    """A mean as it stands in a table."""
    text = f"{METRICS[metric][1] * value:.3f}"
    return f"**{text}**" if loss == best else f"({text})" if loss in worse else text


def shares():
    """The shares of variance, of all settings together where all are there, and within each data set."""
    rows = []
    for name, settings in {"both": SETTINGS, **{d: [s for s in SETTINGS if s[1] == d] for d in STUDY.data}}.items():
        for (metric, kind), found in variance(settings).items():
            label = heading(metric, kind)
            found = {"data": 0.0, **found} if len(settings) == len(SETTINGS) else found
            values = [f"{found[factor]:.0%}" if factor in found else "" for factor in (*FACTORS, "together")]
            rows.append([TITLES.get(name, name), label, *values])
    return table(["data", "metric", "loss", "seed", "network", "data", "together"], rows)


FACTORS = ("loss", "seed", "model", "data")


def variance(settings):
    """From metric and kind of map to the share of each factor; empty as long as a setting is not there."""
    losses = [loss for loss in COMPARED if all(loss in outcome.complete(setting) for setting in settings)]
    models, data = (list(dict.fromkeys(setting[i] for setting in settings)) for i in range(2))
    if not losses:
        return {}
    factors = FACTORS if len(data) > 1 else FACTORS[:3]
    found = {}
    for metric, kind in BOTH:
        values = outcome.scores(metric, kind)
        cube = np.array(
            [[[[values[loss, m, d][seed].mean() for d in data] for m in models] for seed in SEEDS] for loss in losses]
        )
        found[metric, kind] = analysis.variance_shares(cube if len(data) > 1 else cube[..., 0], factors)
    return found


def spread():
    """The distance between the best and the worst loss in standard deviations over seeds."""
    rows = []
    for setting in SETTINGS:
        losses, row = outcome.complete(setting), []
        for metric, kind in BOTH if losses else ():
            each = np.array(
                [[outcome.scores(metric, kind)[loss, *setting][s].mean() for s in SEEDS] for loss in losses]
            )
            deviation = np.sqrt(np.mean(each.var(1, ddof=1)))
            row.append(f"{np.ptp(each.mean(1)):.3f} ({np.ptp(each.mean(1)) / deviation:.0f})")
        if row:
            rows.append([title(setting), *row])
    return table(["", *(heading(*score) for score in BOTH)], rows)


def own():
    """The single loss, and the loss of all, that is best in each metric."""
    rows = []
    for metric, kind in BOTH:
        row = [heading(metric, kind)]
        for setting in outcome.done():
            losses = outcome.complete(setting)
            values = {loss: outcome.mean(loss, setting, metric, kind) for loss in losses}
            single = max((loss for loss in losses if GROUP[loss] == "single"), key=lambda loss: values[loss])
            best = max(losses, key=lambda loss: values[loss])
            row.append(f"`{single}`; `{best}`")
        rows.append(row)
    return table(["", *map(title, outcome.done())], rows)


def parts():
    """Each balanced combination against each of its parts: better, alike, worse."""
    rows = []
    for loss in STUDY.losses:
        terms = loss.split(" + ")
        for setting in SETTINGS if GROUP.get(loss) == "balanced" else ():
            if {loss, *terms} <= {*outcome.complete(setting)}:
                rows.append(
                    [f"`{loss}`", title(setting), *(f"`{term}`: {counts(loss, term, [setting])}" for term in terms)]
                )
                rows[-1] += [""] * (5 - len(rows[-1]))
    return table(["combination", "", "against its first part", "its second", "its third"], rows)


def carried():
    """Spearman's correlation of the mean ranks of losses between settings."""
    done = outcome.done()
    each = {setting: outcome.ranks([setting]) for setting in done}
    rows = []
    for one in done:
        row = [title(one)]
        for other in done:
            common = [loss for loss in each[one] if loss in each[other]]
            row.append(f"{scipy.stats.spearmanr(*([each[s][loss] for loss in common] for s in (one, other)))[0]:.2f}")
        winner = min(each[one], key=lambda loss: each[one][loss])
        row.append(f"`{winner}`")
        row.append(
            ", ".join(str(sorted(each[s].values()).index(each[s][winner]) + 1) for s in done if winner in each[s])
        )
        rows.append(row)
    return table(["", *map(title, done), "winner", "its places"], rows)


PAIRS = (
    ("kld + cc", "simplenet"),
    ("kld + cc + nss", "sam"),
    ("kld + cc + nss", "eml-net"),
    ("kld + cc + nss, learned", "kld + cc + nss"),
    ("nll + cc, learned", "nll + cc"),
)


def weights():
    """How weights are set: equal shares against published and learned ones."""
    rows = []
    for (one, other), setting in itertools.product(PAIRS, SETTINGS):
        if {one, other} <= {*outcome.complete(setting)}:
            signs = [MARKS[verdict] for verdict in outcome.verdicts(one, other, setting)]
            rows.append([f"`{one}`", f"`{other}`", title(setting), *signs])
    return table(["loss", "against", "", *(heading(*score) for score in BOTH)], rows)


def perceptual():
    """What a perceptual term adds, uncorrected for the number of comparisons, and what it costs."""
    rows = [
        [f"`{loss}`", f"`{bare}`", *(MARKS[sign] for sign in signs), f"{times:.1f}"]
        for loss, bare, signs, times in extra.perceptual()
    ]
    return table(["loss", "against", *(heading(*score) for score in BOTH), "times as long"], rows)


def few():
    """IG and NSS by the number of training images."""
    ig, nss = (extra.with_few(metric) for metric in ("ig", "nss"))
    rows = []
    for loss in NAMES["FEW"]:
        row = [f"`{loss}`"]
        for metric in (ig, nss):
            for images in metric:
                values = metric[images].get(loss)
                row.append("{:.3f} [{:.3f}, {:.3f}]".format(*extra.interval(values)) if values else "")
        rows.append(row)
    return table(["loss", *(f"{name}, {images} images" for name in ("IG", "NSS") for images in ig)], rows)


TABLES = {
    "cells": cells,
    "rates": rates,
    "overall": overall,
    "spread": spread,
    "shares": shares,
    "own": own,
    "parts": parts,
    "carried": carried,
    "weights": weights,
    "perceptual": perceptual,
    "few": few,
    **{f"scores {model} {data}": (lambda s=(model, data): setting_scores(s)) for model, data in SETTINGS},
}
