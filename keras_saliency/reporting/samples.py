"""Which images of a split are worth looking at."""

import collections
import itertools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Samples, fixation_density
from keras_saliency.data.videos import shot_of
from keras_saliency.formulas.types import Photograph, Plane
from keras_saliency.reporting.tables import Scored


class Predictor(Protocol):
    """What this room asks of a source: a name, and for each sample its `values` and whether it `is_log_density`.

    One that sees more of a video than a frame says so by `follows_frames`.
    """

    name: str

    def predictions(self, samples: Samples) -> Iterator[Any]: ...


def samples_to_show(
    samples: Samples, source: Predictor, scored: Scored
) -> list[tuple[str, Photograph, Fixations, Plane, Plane]]:
    """Rows for `plotting.plot_samples`: two of the best, of the median and of the worst images by information gain.

    Where there are no fixations, it is by CC. Of videos it is frames, which a model of videos sees after all that
    come before.

    Args:
        samples: All of the split, also the frames that have no score.
        source: What predicted them.
        scored: The scores.
    """
    positions = [i for i, sample in enumerate(samples) if sample.is_usable]
    name, title = ("ig", "IG {:.2f} bit") if samples.have_fixations else ("cc", "CC {:.2f}")
    gains = np.array([scores[name] for scores in scored.per_image[source.name]])
    order, middle = np.argsort(-gains), len(gains) // 2
    chosen = {"best": order[:2], "median": order[middle : middle + 2], "worst": order[-2:]}
    rows = []
    for label, numbers in chosen.items():
        for i in map(int, numbers):
            sample = samples[positions[i]]
            follows = getattr(source, "follows_frames", False)
            seen = _up_to(samples, positions[i]) if follows else Samples([sample], samples.pixels_per_degree)
            (predicted,) = collections.deque(source.predictions(seen), maxlen=1)
            map_ = np.exp(predicted.values) if predicted.is_log_density else predicted.values
            density = fixation_density(sample, scored.convention)
            told = f"{label}: {sample.name}, {title.format(gains[i])}"
            rows.append((told, sample.read(), sample.fixations, density, map_))
    return rows


def _up_to(samples, i):
    """The frames of a video, or of a shot, up to one of them; an image alone."""
    shot = shot_of(samples[i])
    own = itertools.takewhile(lambda position: shot_of(samples[position]) == shot, range(i, -1, -1))
    return samples[min(own) : i + 1]
