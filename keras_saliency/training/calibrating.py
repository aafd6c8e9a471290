"""The heads of a model that was trained on several recordings, found on pictures that it has not seen."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.data import DataSet
from keras_saliency.data.samples import Samples
from keras_saliency.models.recording import network_of, require_recording_head
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.adapting import parts_of, stretched
from keras_saliency.training.recording_fit import Part, as_head, fit, shares_of_maps


def calibrate(
    model: keras.Model, data: Mapping[str, DataSet], left_out: Sequence[tuple[keras.Model, Samples]]
) -> dict[str | None, dict[str, float]]:
    """Sets all heads of a model.

    That of a recording it knows is fitted to the validation split. Its centre bias is that of the training fixations
    and that of the average head, each with a weight. The average head, for all others, keeps its centre bias, and has
    the numbers that do best on recordings that models were not trained on: those make the fixations of all of them most
    likely, each image, or window of a page, weighing alike.

    Args:
        model: A model with heads; they are changed in place.
        data: From the names of its recordings to the data.
        left_out: Models like it, trained without some recordings, each with samples of one of those. Without any, the
            average head keeps its numbers.

    Returns:
        The numbers of each recording, and by None those of the average head.
    """
    head = require_recording_head(model)
    known = head.centre_bias_of(None)
    for recording in head.recordings:
        own = data[recording]
        biases = [CentreBias(own.train, own.validation).density, known]
        numbers, shares = _best(_parts(model, own.validation, 0), [biases])
        head.set(*as_head(numbers, biases), recording, shares.tolist())
    if left_out:
        numbers, shares = average_numbers(left_out)
        head.set(*as_head(numbers, [known]), None, shares.tolist())
    return {recording: head.numbers_of(recording) for recording in (*head.recordings, None)}


def average_numbers(left_out: Sequence[tuple[keras.Model, Samples]]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers, and shares of maps, that do best on recordings that models were not trained on; see `calibrate`."""
    biases = [[require_recording_head(model).centre_bias_of(None)] for model, _ in left_out]
    return _best(
        [part for number, (model, samples) in enumerate(left_out) for part in _parts(model, samples, number)], biases
    )


def _best(parts, biases):
    """The numbers and shares of maps that do best on recordings, whose folds are the numbers of their centre biases."""

    def bias_of(numbers, size):
        return stretched(biases[min(numbers)], size)

    shares = shares_of_maps(parts, bias_of)
    parts = [part._replace(score=part.score @ shares[:, None]) for part in parts]
    return fit(parts, bias_of), shares


def _parts(model: keras.Model, samples: Samples, number: int) -> list[Part]:
    """The parts of a recording, which has a number for a fold."""
    shown, head = require_shown(model), require_recording_head(model)
    samples = Samples([sample for sample in samples if len(sample.fixations)], samples.pixels_per_degree)
    samples = samples.in_windows(shown)
    folds, maps = np.full(len(samples), number), np.eye(head.gain.shape[1])
    return parts_of(head, network_of(model), samples, shown, folds, maps)
