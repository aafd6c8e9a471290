"""Faults of who looked, and when."""

import re
from typing import TYPE_CHECKING

import numpy as np

from keras_saliency.data.doctor.finding import EXAMPLES, Examined, Found

if TYPE_CHECKING:
    import pandas as pd

NOTHING = re.compile(r"observer .*: none of \d+ fixations is inside an image")  # see `recordings.make_data`
TRIAL = ["image", "observer"]
PATH = 3  # fixations that two observers do not have in common by chance
IMAGES = 5  # below which one does not know how much an observer looks around
FEWER = 0.1  # of the fixations that others have on an image; who has least of all in real data has half as many
LEAST = 10  # fixations at one point: fewer are there by chance in a small set
# Within a degree of one point are 8 and 9 % of the first fixations in OSIE and Scene, and a third of the first samples
# of SALICON's mouse; 1 and 4 % of the last ones and of those of the last moments. Elsewhere it is 1 to 4 %.
FIRST, LAST = 0.5, 0.15
GATHERED = 3.0  # times as often as the other fixations
LATE = 0.95  # of the fixations are earlier


def without_data(examined: Examined) -> Found | None:
    """Observers of whom nothing, or next to nothing, can be used."""
    seen = examined.fixations.groupby("observer")
    if not len(seen):
        return None
    numbers = range(int(examined.fixations["observer"].max()) + 1)
    lines = [line for line in examined.skipped if NOTHING.fullmatch(line)]
    named = lines or [f"observer {number}: no fixations" for number in sorted(set(numbers) - set(seen.groups))]
    images = seen["image"].nunique()
    each = (seen.size() / images)[images >= IMAGES]
    named += [
        f"observer {number:g}: {each[number]:.1f} fixations an image, and others {each.median():.1f}"
        for number in each.index[each < FEWER * each.median()]
    ]
    return Found(len(named), max(len(numbers), len(seen) + len(lines)), named[:EXAMPLES]) if named else None


def twice(examined: Examined) -> Found | None:
    """Observers with the same fixations as another on an image, or with each fixation twice."""
    import pandas as pd

    rows = examined.fixations
    if rows["observer"].nunique() < 2:
        return None  # Maps of counts have pixels that were looked at twice.
    place = rows.groupby(TRIAL).cumcount()
    keys = pd.util.hash_pandas_object(rows[["x", "y"]].assign(place=place), index=False)
    paths = rows.assign(key=keys, repeated=rows.duplicated([*TRIAL, "x", "y"], keep=False)).groupby(TRIAL)
    paths = paths.agg(key=("key", "sum"), size=("x", "size"), repeated=("repeated", "all")).reset_index()
    same = (paths["size"] >= PATH) & paths[paths["size"] >= PATH].duplicated(["image", "key"], keep=False).reindex(
        paths.index, fill_value=False
    )
    double = paths["repeated"] & (paths["size"] >= 2 * PATH)
    chosen = paths[same | double]
    if not len(chosen):
        return None
    name = examined.samples
    pairs = chosen.groupby(["image", "key"])["observer"].agg(list).reset_index()
    texts = [f"{name[row.image].name}: observers {', '.join(map(str, row.observer))}" for row in pairs.itertuples()]
    return Found(chosen["observer"].nunique(), rows["observer"].nunique(), texts[:EXAMPLES])


def forced_first(examined: Examined) -> Found | None:
    """First fixations of all observers at one point: the cross at which a trial began."""
    rows = examined.fixations
    place, size = _places(rows)
    return _gathered(examined, (place == 0) & (size > 1), FIRST)


def after_picture(examined: Examined) -> Found | None:
    """Last or late fixations at one point: the cross at which the next trial begins."""
    rows = examined.fixations
    place, size = _places(rows)
    late = rows["time"] > rows["time"].quantile(LATE)
    return _gathered(examined, (place == size - 1) & (size > 2), LAST) or _gathered(examined, late, LAST)


def _places(rows: "pd.DataFrame") -> tuple["pd.Series", "pd.Series"]:
    """The position of each fixation in its scanpath, and how many that has."""
    trials = rows.groupby(TRIAL)["x"]
    return trials.cumcount(), trials.transform("size")


def _gathered(examined, chosen, share):
    """Those of some fixations that are within one degree of the point where most of them are, if many are there."""
    rows = examined.fixations
    if not chosen.any() or rows["time"].nunique() < 2:
        return None  # Maps tell no order.
    x, y = ((rows[axis] / rows[side])[chosen].median() for axis, side in (("x", "width"), ("y", "height")))
    close = np.hypot(rows["x"] - x * rows["width"], rows["y"] - y * rows["height"]) <= rows["degree"]
    gathered = chosen & close
    if gathered.sum() < LEAST or close[chosen].mean() < max(share, GATHERED * close[~chosen].mean()):
        return None
    return examined.found(rows[gathered], len(rows), at=f"({x:.0%}, {y:.0%})")
