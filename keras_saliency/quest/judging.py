"""Scores of a trained cell: every metric of every image, at the size at which the network sees it."""

import dataclasses

import numpy as np

from keras_saliency.baselines import CentreBias
from keras_saliency.data import DataSet, Sample, Samples
from keras_saliency.data.windows import places
from keras_saliency.evaluation.fair import fair_maps, fair_score
from keras_saliency.evaluation.parallel import in_threads
from keras_saliency.evaluation.scoring import Truth, make_truth, score
from keras_saliency.evaluation.splits import OtherFixations
from keras_saliency.formulas.array_map import ArrayMap
from keras_saliency.formulas.types import Plane, Size
from keras_saliency.formulas.view import View
from keras_saliency.quest.results import rounded

FAIR = ("sauc", "cc", "kld", "sim")  # which have maps of their own; the others suits the density itself


class Judge:
    """Scores log-densities of one split; what does not depend on them is made once, for all cells.

    The ground truth is that of the split at the size at which a network sees its images: fixations and blur are scaled.
    So nothing is resized, and a score takes a sixth of the time. The baseline of IG and of the fair sAUC is the centre
    bias of the training fixations of the whole training split, however few a cell has seen.

    Args:
        data: The data set.
        split: Which of its splits.
        shown: The frame, or the view, of the network.

    Raises:
        ValueError: If images are seen in windows, or are frames of videos.
    """

    def __init__(self, data: DataSet, split: str, shown: Size | View) -> None:
        samples = getattr(data, split)
        if samples.are_frames:
            raise ValueError(
                f"{data.name} has videos, whose frames are not independent: they are not scored in a study."
            )
        if len(samples.in_windows(shown)) > len(samples):
            raise ValueError(f"{data.name} has images that are seen in windows: they are not scored in a study.")
        sizes = [(int(height), int(width)) for height, width in places(samples, shown).canvases]
        self.samples = Samples([_scaled(sample, size) for sample, size in zip(samples, sizes, strict=True)])
        self.expected = float(np.mean([len(sample.fixations) for sample in data.validation]))
        bias, others = CentreBias(data.train, data.validation), OtherFixations(self.samples)
        self.truths = [
            make_truth(sample, others.counts(sample), bias.log_density(sample.size)) for sample in self.samples
        ]

    def scores(self, log_densities: list[Plane]) -> dict[str, dict[str, list[float]]]:
        """The scores of the log-densities of all images, `(height, width)` each, in the order of the split.

        Returns:
            `"raw"`, all metrics of the log-density, and `"fair"`, those of the map that suits each: from metric to a
            value for each image.
        """
        work = zip(self.truths, log_densities, strict=True)
        rows = list(in_threads(self._score, work, lambda truth, map_: 0))
        raw, fair = ([row[i] for row in rows] for i in range(2))
        return {
            "raw": {name: rounded([row[name] for row in raw]) for name in raw[0]},
            "fair": {name: rounded([row[name] for row in fair]) for name in FAIR},
        }

    def _score(self, truth: Truth, log_density: Plane) -> tuple[dict[str, float], dict[str, float]]:
        log_density = log_density.astype("float64")
        raw = score(ArrayMap(log_density, from_logits=True), truth)
        baseline = truth.target.baseline.log_density[0, ..., 0]  # type: ignore[union-attr]
        maps = fair_maps(log_density, baseline, truth.sample.sigma, self.expected)
        return raw, fair_score(raw, maps, truth)


def _scaled(sample: Sample, size: Size) -> Sample:
    """A sample of an image that is seen at another size; the image itself is not read."""
    (height, width), fixations = sample.size, sample.fixations
    moved = dataclasses.replace(fixations, x=fixations.x * (size[1] / width), y=fixations.y * (size[0] / height))
    scale = np.sqrt(size[0] / height * size[1] / width)
    return dataclasses.replace(sample, size=size, fixations=moved, sigma=sample.sigma * scale, image=b"")
