"""The heads of a model that was trained on several recordings, found on pictures that it has not seen."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.data import DataSet
from keras_saliency.data.samples import Samples
from keras_saliency.formulas.types import Plane
from keras_saliency.models.recording import network_of, require_recording_head
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.adapting import parts_of, stretched
from keras_saliency.training.recording_fit import Part, as_head, fit, shares_of_maps


def calibrate(
    model: keras.Model, data: Mapping[str, DataSet], left_out: Sequence[Part]
) -> dict[str | None, dict[str, float]]:
    """Sets heads of a model.

    That of a recording it knows is fitted to the validation split. Its centre bias is that of the training fixations
    and that of the average head, each with a weight. The average head, for all others, keeps its centre bias, and has
    the numbers that do best on recordings that models were not trained on: those make the fixations of all of them most
    likely, each image, or window of a page, weighing alike.

    Args:
        model: A model with heads; they are changed in place.
        data: From the names of those of its recordings whose heads are set to the data.
        left_out: What models like it, trained without some recordings, give for samples of those; from `parts`. They
            may have fewer networks, which look at the same sizes. Without any, the average head keeps its numbers.

    Returns:
        The numbers of each recording, and by None those of the average head.
    """
    head, network = require_recording_head(model), network_of(model)
    known = head.centre_bias_of(None)
    for recording, own in data.items():
        biases = [CentreBias(own.train, own.validation).density, known]
        numbers, shares = best(parts(model, own.validation, network), biases)
        head.set(*as_head(numbers, biases), recording, shares.tolist())
    if left_out:
        numbers, shares = best(left_out, [known])
        networks = head.gain.shape[1] // len(shares)  # of a mixture, all of which weigh alike
        head.set(*as_head(numbers, [known]), None, np.tile(shares / networks, networks).tolist())
    return {recording: head.numbers_of(recording) for recording in (*data, None)}


def best(given: Sequence[Part], biases: Sequence[Plane]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a head, as `fit` gives them, and the shares of maps that do best on samples.

    Args:
        given: From `parts`.
        biases: The centre biases, each of which has a weight.
    """

    def bias_of(_, size):
        return stretched(biases, size)

    shares = shares_of_maps(given, bias_of)
    return fit([part._replace(score=part.score @ shares[:, None]) for part in given], bias_of), shares


def parts(model: keras.Model, samples: Samples, network: keras.Model | None = None) -> list[Part]:
    """What a model gives for samples, beside their fixations.

    Args:
        model: A model with heads.
        samples: Those without fixations are left away.
        network: That of the model, `network_of`, if there is one already: of a new one, a graph is made anew.
    """
    head, shown = require_recording_head(model), require_shown(model)
    samples = Samples([sample for sample in samples if len(sample.fixations)], samples.pixels_per_degree)
    samples = samples.in_windows(shown)
    folds, maps = np.zeros(len(samples), int), np.eye(head.gain.shape[1])
    return parts_of(head, network or network_of(model), samples, shown, folds, maps)
