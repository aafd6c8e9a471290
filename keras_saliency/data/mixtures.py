"""Several data sets as one, and one as several: mixtures and folds."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.splits import PARTS, place_of


def mix(data: Mapping[str, DataSet], weights: Mapping[str, float] | None = None) -> DataSet:
    """Several data sets as one, each with its own splits and its own blur of the ground truth.

    Args:
        data: From name to data set. Samples are called `NAME/SAMPLE`, and know the number of their data set, in this
            order.
        weights: How often an epoch in random order shows each image of a data set; by default once, 0.5 shows a random
            half, another one each time.

    Raises:
        ValueError: If there are none, or a weight is unknown or not above zero.
    """
    weights = dict(weights or {})
    for name, weight in weights.items():
        if name not in data or not 0 < weight < float("inf"):
            raise ValueError(f"Weights are numbers above zero for {', '.join(data)}. Received: {name}={weight}.")
    if not data:
        raise ValueError("A mixture needs at least one data set. Received: none.")
    degrees = {each.pixels_per_degree for each in data.values()}
    pixels_per_degree = degrees.pop() if len(degrees) == 1 else None

    def joined(part):
        return Samples(
            [
                dataclasses.replace(
                    sample,
                    name=f"{name}/{sample.name}",
                    group=f"{name}/{sample.group}",
                    data_set=number,
                    weight=weights.get(name, 1.0),
                    pixels_per_degree=sample.pixels_per_degree or each.pixels_per_degree,
                )
                for number, (name, each) in enumerate(data.items())
                for sample in getattr(each, part)
            ],
            pixels_per_degree,
        )

    train, validation, test = map(joined, PARTS)
    skipped = tuple(f"{name}: {line}" for name, each in data.items() for line in each.skipped)
    return DataSet("+".join(data), train, validation, test, pixels_per_degree, skipped)


def with_few(data: DataSet, images: int, seed: int) -> DataSet:
    """The same with so many images of its training split, drawn at random; of videos, frames that somebody looked at.

    Args:
        data: The data set; validation and test stay as they are.
        images: Their number.
        seed: Another one draws others.

    Raises:
        ValueError: If there are not so many.
    """
    train = data.train.usable
    if images > len(train):
        raise ValueError(f"{data.name} has {len(train)} training images. Received: images={images}.")
    drawn = sorted(np.random.default_rng(seed).permutation(len(train))[:images])
    return dataclasses.replace(data, train=Samples([train[i] for i in drawn], train.pixels_per_degree))


def leave_one_out(data: Mapping[str, DataSet]) -> Iterator[tuple[str, DataSet]]:
    """Yields the name of each data set, with a data set to train on all others and test on all of it.

    Its training and validation splits are those of the others; the test split is everything of the one left out.

    Raises:
        ValueError: If there is one alone.
    """
    if len(data) < 2:
        raise ValueError(f"To leave one out needs two data sets at least. Received: {', '.join(data) or 'none'}.")
    for name, left_out in data.items():
        others = mix({other: each for other, each in data.items() if other != name})
        yield name, dataclasses.replace(others, name=f"all but {name}", test=left_out.samples)


def folds_of(samples: Iterable[Sample], folds: int) -> dict[str, int]:
    """From each group of samples to its fold, by the hash of its name; see `k_fold`."""
    groups = sorted({sample.group for sample in samples}, key=place_of)
    return {group: i * folds // len(groups) for i, group in enumerate(groups)}


def k_fold(data: DataSet, folds: int = 5) -> list[DataSet]:
    """Cross-validation: as many data sets as folds, in each of which another fold is for tests and the next validates.

    What belongs together (`Sample.group`) is in one fold. Folds follow from the hash of its name, never from positions,
    and have equal numbers of groups, but for one.

    Args:
        data: The data set; its own splits are forgotten.
        folds: How many, at least three.

    Raises:
        ValueError: If there are fewer than three folds, or fewer groups than folds.
    """
    samples = data.samples
    fold = folds_of(samples, folds)
    if not 3 <= folds <= len(fold):
        raise ValueError(f"folds is from 3 to the number of images or groups, {len(fold)}. Received: {folds}.")

    def part(wanted):
        return Samples([sample for sample in samples if fold[sample.group] in wanted], data.pixels_per_degree)

    return [
        dataclasses.replace(
            data,
            name=f"{data.name}, fold {i + 1} of {folds}",
            test=part({i}),
            validation=part({(i + 1) % folds}),
            train=part({*range(folds)} - {i, (i + 1) % folds}),
        )
        for i in range(folds)
    ]


def with_blur(data: DataSet, degrees: float) -> DataSet:
    """The same, the ground truth of training and validation blurred by so many degrees of visual angle.

    The test split keeps its own, so that scores stay comparable.

    Raises:
        ValueError: If the visual angle is unknown.
    """
    if data.pixels_per_degree is None:
        raise ValueError(
            f"The visual angle of {data.name} is unknown, and a blur in degrees needs it. Give pixels_per_degree, or "
            "leave degrees out."
        )

    def blurred(samples):
        sigma = degrees * data.pixels_per_degree
        return Samples([dataclasses.replace(sample, sigma=sigma) for sample in samples], data.pixels_per_degree)

    return dataclasses.replace(data, train=blurred(data.train), validation=blurred(data.validation))
