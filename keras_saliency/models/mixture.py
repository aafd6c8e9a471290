"""Several models as one."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.models.heads import require_log_density
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.sizes import size_of


def mix(models: Sequence[keras.Model], name: str = "mixture") -> SaliencyModel:
    """Averages log-densities and normalises the mean: the geometric mean of what the models predict.

    Args:
        models: Models that give log-densities, made for images of one size. Their weights are shared, not copied.
        name: The name of the mixture.

    Raises:
        ValueError: If a model gives no log-density, or the sizes differ.
    """
    for model in models:
        require_log_density(model)
    sizes = {size_of(model) for model in models}
    if len(sizes) != 1:
        raise ValueError(
            f"The models of a mixture must be made for images of one size. Received: {sorted(sizes, key=str)}."
        )
    images = keras.Input((*(sizes.pop() or (None, None)), 3), name="images")
    members = [SaliencyModel(model.inputs, model.output, name=f"member{i}") for i, model in enumerate(models, 1)]
    mean = layers.Average(dtype="float32", name="mean")([member(images) for member in members])
    return SaliencyModel(images, LogSoftmax(name="log_density")(mean), name=name)
