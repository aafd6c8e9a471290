"""Which part of a model is trained, and which is computed once for each image."""

import keras

from keras_saliency.models import SaliencyModel, with_sides
from keras_saliency.models.recording import recording_head_of
from keras_saliency.training.recipe import Recipe

QUARTER = 0.25  # of the size of images: the maps on which heads of recordings are trained


def parts_of(recipe: Recipe, model: SaliencyModel) -> tuple[keras.Model | None, SaliencyModel]:
    """The parts of the model of a recipe.

    Returns:
        What gives features that training does not change, from images, or None where all is trained; and what is
        trained, from those or from images to maps. Where recordings have heads of their own, that has the numbers of
        the images' data sets as its last input, and gives maps of a quarter of the size (`QUARTER`).

    Raises:
        ValueError: If the backbone has no layer `frozen_to` through which all goes, or single depths are to be
            supervised and the architecture has none.
    """
    backbone, decoder, head = model.get_layer("backbone"), model.get_layer("decoder"), recording_head_of(model)
    computed, tail = backbone if recipe.freeze_backbone else None, None
    if recipe.frozen_to:
        computed, tail = _cut(backbone, recipe.frozen_to)
    if head is None and tail is None and not recipe.dropout:
        trained = decoder if computed else model
        return computed, with_sides(trained) if recipe.supervise_sides else trained
    if head is not None:
        # Where a network blurs its map. What follows makes it larger and no finer, and costs more than a decoder.
        decoder = SaliencyModel(decoder.inputs, decoder.get_layer("centre_bias").output, name="decoder")
    if computed is None:
        inputs = model.inputs
        features = keras.tree.flatten(backbone(inputs[0]))
    else:
        shapes = computed.compute_output_shape((None, *model.input_shape[1:]))
        inputs = [keras.Input(shape[1:]) for shape in shapes]
        features = tail(inputs) if tail else inputs
    if recipe.dropout:
        features = [
            keras.layers.SpatialDropout2D(recipe.dropout, data_format="channels_last")(each) for each in features
        ]
    maps = decoder(features)
    if head is not None:
        numbers = keras.Input((), dtype="int32", name="numbers")
        inputs, maps = [*inputs, numbers], head(maps, numbers)
    return computed, SaliencyModel(inputs, maps, name="trained")


def _cut(backbone, name):
    """A backbone as two: from images to the features up to a layer, and from those to all features."""
    output = backbone.outputs[0]._keras_history
    network = output.operation
    names = [layer.name for layer in getattr(network, "layers", [])]
    if name not in names:
        raise ValueError(f"The backbone has no layer {name!r}, as frozen_to asks. Known layers: {', '.join(names)}.")
    place = names.index(name)
    places = [names.index(tap._keras_history.operation.name) for tap in network.outputs]
    cut = network.get_layer(name).output
    early, late = (
        [tap for tap, at in zip(network.outputs, places, strict=True) if (at <= place) == is_early]
        for is_early in (True, False)
    )
    given = [tap for tap in early if tap is not cut] + [cut]
    if not late or places != sorted(places):
        raise ValueError(f"Behind {name!r} the backbone has nothing that the decoder reads: leave frozen_to out.")
    seen = network._inbound_nodes[output.node_index].input_tensors[0]
    computed = SaliencyModel(
        backbone.inputs[0], keras.tree.flatten(keras.Model(network.inputs, given)(seen)), name="frozen"
    )
    try:
        rest = keras.Model(cut, late)
    except ValueError as error:
        raise ValueError(f"Not all of the backbone goes through {name!r}, as frozen_to asks: {error}") from error

    def tail(features):
        return [*features[: len(early)], *keras.tree.flatten(rest(features[-1]))]

    return computed, tail
