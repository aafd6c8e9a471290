"""Losses of the study against each other, with intervals over images and seeds."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
from outcome import BOTH, Setting, complete, scores

from keras_saliency.quest import analysis


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A loss against another one: the mean difference in a metric, more is better for the first; see `difference`."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> int:
        """One where it is significantly better, minus one where it is worse, else zero."""
        return int(np.sign(self.mean)) if self.p < 1 - analysis.LEVEL else 0


def difference(one: Mapping[int, np.ndarray], other: Mapping[int, np.ndarray]) -> Comparison:
    """The values of one loss against those of another, by the seeds that both have."""
    return Comparison(**analysis.difference(*analysis.paired(one, other)))


def compare(
    loss: str, other: str, setting: Setting, metric: str, kind: str, other_kind: str | None = None
) -> Comparison:
    """One loss against another, or against another kind of map of it; not corrected for the number of comparisons."""
    one, two = scores(metric, kind), scores(metric, other_kind or kind)
    return difference(one[loss, *setting], two[other, *setting])


def corrected(rows: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """The same with p-values corrected for their number."""
    p_values = analysis.holm([row.p for row in rows.values()])
    return {loss: dataclasses.replace(row, p=p) for (loss, row), p in zip(rows.items(), p_values, strict=True)}


@functools.cache
def against(
    other: str, setting: Setting, metric: str, kind: str, other_kind: str | None = None
) -> dict[str, Comparison]:
    """All losses against one, their p-values corrected for their number."""
    others = (loss for loss in complete(setting) if loss != other)
    return corrected({loss: compare(loss, other, setting, metric, kind, other_kind) for loss in others})


def verdicts(loss: str, other: str, setting: Setting) -> list[int]:
    """In each metric and kind of map whether one loss is better than another, worse, or neither."""
    return [against(other, setting, metric, kind)[loss].verdict for metric, kind in BOTH]
