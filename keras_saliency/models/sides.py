"""Deep supervision: training the maps of single depths beside their fusion."""

import keras

from keras_saliency.models.saliency_model import SaliencyModel

HEAD = ("finish", "saliency", "quarter", "learned_blur", "centre_bias", "upsample", "log_density", "density")


def with_sides(model: keras.Model) -> SaliencyModel:
    """Adds the maps of the single depths of a model to its outputs, under the same head.

    Args:
        model: A model of the factory whose architecture predicts from several depths (`"dva"`), or its decoder.

    Returns:
        A `SaliencyModel` with a list of maps, the fused one first, that shares all weights. Compiled with one loss, it
        is trained by the sum of that loss over all its maps.

    Raises:
        ValueError: If the architecture has no such maps.
    """
    decoder = model if model.name == "decoder" else model.get_layer("decoder")
    names = [layer.name for layer in decoder.layers]
    sides = [name for name in names if name == "side1_score" or (name.startswith("side") and name[4:].isdigit())]
    if not sides:
        raise ValueError(f"{model.name} does not predict from single depths: leave supervise_sides out.")
    outputs = [decoder.output]
    for side in sides:
        x = decoder.get_layer(side).output
        for name in HEAD:
            x = decoder.get_layer(name)(x) if name in names else x
        outputs.append(x)
    supervised = SaliencyModel(decoder.inputs, outputs, name="decoder")
    if decoder is model:
        return supervised
    return SaliencyModel(model.inputs, supervised(model.get_layer("backbone")(model.inputs[0])), name=model.name)
