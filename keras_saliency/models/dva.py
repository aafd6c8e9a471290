"""DVA (Wang & Shen, TIP 2018): predictions from three depths, each supervised, and their fusion."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.models.decoders import scaled, score


def dva(features: Sequence[Features], width: float = 1.0) -> list[Maps]:
    """Decodes each feature map by deconvolutions, one for each halving of the size, and fuses the maps by 1x1.

    Published on VGG16, from conv3_3, conv4_3 and conv5_3. The paper leaves the channels open: each deconvolution
    halves them here.

    Returns:
        The fused score map and those of the single depths, which training supervises, too.
    """
    sides: list[Maps]
    sides, finest = [], features[0].shape[1]
    for i, x in enumerate(features, 1):
        # conv3_3 has a quarter of the size of the image; what is half as fine takes one deconvolution more.
        steps, channels = 2 + round(finest / x.shape[1]).bit_length() - 1, x.shape[-1]
        for j in range(1, steps + 1):
            options = {"strides": 2, "padding": "same", "activation": "relu", "name": f"side{i}_deconv{j}"}
            x = layers.Conv2DTranspose(scaled(channels / 2**j, width), 4, **options)(x)
        x = layers.Conv2D(1, 1, dtype="float32", name=f"side{i}_score")(x)
        sides.append(MatchSize(name=f"side{i}")([x, sides[0]]) if sides else x)
    return [score(layers.Concatenate(name="join")(sides)), *sides]
