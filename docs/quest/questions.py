"""The tables of docs/quest.md that answer its questions, from the results."""

import itertools

import extra
import numpy as np
import outcome
import scipy.stats
from outcome import BOTH, COMPARED, GROUP, METRICS, NAMES, SEEDS, SETTINGS, STUDY, TITLES
from words import MARKS, counts, heading, table, title

from keras_saliency.quest import analysis

FACTORS = ("loss", "seed", "model", "data")


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


def finalists():
    """By how much the best combinations, with all their seeds, are better than the best single losses."""
    combinations, single = outcome.finalists()
    rows = []
    for setting, one, other in itertools.product(SETTINGS, combinations, dict.fromkeys([*single, "mse"])):
        row = [title(setting), f"`{one}`", f"`{other}`"]
        for score in BOTH:
            found = outcome.all_seeds(*score)
            both = [found.get((loss, *setting), {}) for loss in (one, other)]
            if min(map(len, both)) > len(SEEDS):
                row.append(between(analysis.difference(*analysis.paired(*both))))
        if len(row) > 3:
            rows.append(row)
    return table(["", "loss", "against", *(heading(*score) for score in BOTH)], rows)


def whole():
    """The scores of frozen and of trained backbones, and what they differ by from mse."""
    rows = []
    for data in STUDY.data:
        for stage in ("frozen", "whole"):
            found = {score: of_stage(stage, data, *score) for score in BOTH}
            both = [loss for loss in extra.whole(data, "nss") if loss in found[BOTH[0]]]
            for loss in both if "mse" in both else []:
                row = [TITLES[data], stage, f"`{loss}`"]
                for score, losses in found.items():
                    own = np.mean([*losses[loss].values()])
                    against = analysis.difference(*analysis.paired(losses[loss], losses["mse"]))
                    mark = "" if loss == "mse" or against["low"] <= 0 <= against["high"] else "*"
                    row.append(f"{METRICS[score[0]][1] * own:.3f}{mark}")
                rows.append(row)
    return table(["data", "backbone", "loss", *(heading(*score) for score in BOTH)], rows)


def of_stage(stage, data, metric, kind):
    """From loss to the values of a metric, before or after the whole network was trained."""
    if stage == "whole":
        return extra.whole(data, metric, kind)
    return {
        loss: values
        for (loss, *where), values in outcome.scores(metric, kind).items()
        if where == [extra.FIRST[0], data]
    }


def between(found):
    """A mean with its interval."""
    return "{mean:+.3f} [{low:+.3f}, {high:+.3f}]".format(**found)
