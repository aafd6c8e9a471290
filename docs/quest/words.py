"""How the tables of docs/quest.md are written."""

import collections

import comparing
import outcome
from outcome import METRICS, TITLES

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


def directed(metric, kind):
    """The same, with a word where less is better."""
    return f"{heading(metric, kind)}{' (less)' if METRICS[metric][1] < 0 else ''}"


def shown(metric, value, loss, best, worse):
    """A mean as it stands in a table."""
    text = f"{METRICS[metric][1] * value:.3f}"
    return f"**{text}**" if loss == best else f"({text})" if loss in worse else text


def references():
    """The losses that all are compared with."""
    return list(dict.fromkeys([outcome.best_single(), "mse"]))


def counts(loss, other, settings):
    """In how many scores a loss is better than another, neither, and worse."""
    if loss == other:
        return ""
    if not all({loss, other} <= {*outcome.complete(setting)} for setting in settings):
        return "failed"
    found = collections.Counter(v for setting in settings for v in comparing.verdicts(loss, other, setting))
    return f"{found[1]}, {found[0]}, {found[-1]}"


def interval(found):
    """A mean difference with its interval."""
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
