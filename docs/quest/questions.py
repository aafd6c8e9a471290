"""The tables of docs/quest.md that answer its questions, from the results."""

import itertools

import comparing
import numpy as np
import outcome
import scipy.stats
from outcome import BOTH, COMPARED, GROUP, NAMES, SEEDS, SETTINGS, STUDY, TITLES
from words import MARKS, counts, heading, interval, table, title

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
    return table(["", "score", "loss", "seed, with all it changes", "network", "data", "several together"], rows)


def variance(settings):
    """From metric and kind of map to the share of each factor; empty as long as a setting is not there."""
    there = {*settings} <= {*outcome.done()}
    losses = [loss for loss in COMPARED if there and all(loss in outcome.complete(setting) for setting in settings)]
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
    """The single loss, and the loss of all, that is best in each metric, both by the validation split."""
    rows = []
    for metric, kind in BOTH:
        row = [heading(metric, kind)]
        for setting in outcome.done():
            losses = outcome.complete(setting)
            winners = [outcome.best(each, setting, metric, kind) for each in (single(losses), losses)]
            row.append("; ".join(f"`{loss}`" for loss in winners))
        rows.append(row)
    return table(["", *map(title, outcome.done())], rows)


def single(losses):
    """Those of some losses that are no combinations."""
    return [loss for loss in losses if GROUP[loss] == "single"]


# The loss that is trained for a metric: hypothesis 5.
TRAINED_FOR = {"cc": "cc", "kld": "kld", "sim": "total_variation", "ig": "nll", "nss": "nss"}


def expected():
    """The place of the loss of a metric among the single losses, and by how much it differs from the best of the others
    by the validation split; uncorrected.
    """
    rows = []
    for (metric, loss), setting in itertools.product(TRAINED_FOR.items(), outcome.done()):
        losses = single(outcome.complete(setting))
        means = {name: outcome.mean(name, setting, metric, "raw") for name in losses}
        place = 1 + sum(mean > means[loss] for mean in means.values())
        other = outcome.best([name for name in losses if name != loss], setting, metric, "raw")
        found = comparing.compare(loss, other, setting, metric, "raw")
        rows.append([heading(metric, "raw"), title(setting), f"`{loss}`", place, f"`{other}`", interval(found)])
    return table(["", "", "its loss", "place", "the best other", "better by"], rows)


def parts():
    """Each balanced combination against each of its parts: better, neither, worse; and in how many of the seven
    metrics, raw or fair, it is better than each of them.
    """
    rows = []
    for loss, setting in itertools.product(COMPARED, SETTINGS):
        terms = loss.split(" + ")
        if GROUP[loss] == "balanced" and {loss, *terms} <= {*outcome.complete(setting)}:
            against = [f"`{term}`: {counts(loss, term, [setting])}" for term in terms]
            signs = np.array([comparing.verdicts(loss, term, setting) for term in terms])
            own, *others = (np.array([outcome.mean(n, setting, *s) for s in BOTH]) for n in (loss, *terms))
            won = ((signs > 0).all(0), (own > np.array(others)).all(0))
            better = [len({BOTH[i][0] for i in np.flatnonzero(each)}) for each in won]
            worse = int((signs < 0).any(0).sum())
            family = " (one family)" if loss in NAMES["ONE_FAMILY"] else ""
            rows.append([f"`{loss}`{family}", title(setting), ", ".join(map(str, better)), worse, *against])
            rows[-1] += [""] * (7 - len(rows[-1]))
    headings = ["better than each: significantly, in the mean (of 7)", "worse than one (of 11)"]
    return table(["combination", "", *headings, "against its first part", "its second", "its third"], rows)


def carried():
    """Spearman's correlation of the mean ranks of losses between settings, of those losses that all settings have."""
    done = outcome.done()
    each = {setting: outcome.ranks([setting], losses=outcome.common(done)) for setting in done}
    rows = []
    for one in done:
        row = [title(one)]
        for other in done:
            found = scipy.stats.spearmanr(*([each[s][loss] for loss in each[one]] for s in (one, other)))
            row.append(f"{found[0]:.2f}")
        winner = min(each[one], key=lambda loss: each[one][loss])
        places = [sorted(each[setting].values()).index(each[setting][winner]) + 1 for setting in done]
        rows.append([*row, f"`{winner}`", ", ".join(map(str, places))])
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
            signs = [MARKS[verdict] for verdict in comparing.verdicts(one, other, setting)]
            rows.append([f"`{one}`", f"`{other}`", title(setting), *signs])
    return table(["loss", "against", "", *(heading(*score) for score in BOTH)], rows)
