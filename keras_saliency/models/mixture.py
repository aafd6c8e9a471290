"""Several models as one."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.models.heads import require_log_density
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.sizes import shown_by, size_of


def mix(models: Sequence[keras.Model], name: str = "mixture") -> SaliencyModel:
    """Averages log-densities and normalises the mean: the geometric mean of what the models predict.

    Args:
        models: Models that give log-densities and see pictures alike: by one view, or in frames of one size. Their
            weights are shared, not copied.
        name: The name of the mixture.

    Raises:
        ValueError: If a model gives no log-density, or the sizes differ.
    """
    for model in models:
        require_log_density(model)
    shown = {shown_by(model) for model in models}
    if len(shown) != 1:
        raise ValueError(
            "The models of a mixture must see pictures alike, by one view or at one size. "
            f"Received: {sorted(shown, key=str)}."
        )
    images = keras.Input((*(size_of(models[0]) or (None, None)), 3), name="images")
    members = [SaliencyModel(model.inputs, model.output, name=f"member{i}") for i, model in enumerate(models, 1)]
    mean = layers.Average(dtype="float32", name="mean")([member(images) for member in members])
    mixture = SaliencyModel(images, LogSoftmax(name="log_density")(mean), name=name)
    mixture.view = getattr(models[0], "view", None)
    return mixture
