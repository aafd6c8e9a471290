"""DVA (Wang & Shen, TIP 2018): predictions from three depths, each supervised, and their fusion."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.crop_like import CropLike
from keras_saliency.models.decoders import scaled, score


def dva(features: Sequence[Features], width: float = 1.0, margin: int = 0) -> list[Maps]:
    """Decodes each feature map by deconvolutions, one for each halving of the size, and fuses the maps by 3x3.

    Published on VGG16, from conv3_3, conv4_3 and conv5_3: 25,072,735 parameters. Each deconvolution halves the
    channels, the last has 64.

    Args:
        features: Symbolic feature maps, fine to coarse.
        width: Multiplies the channels of the deconvolutions.
        margin: Pixels of the finest map that the image does not reach, on each side; they are cut off.

    Returns:
        The fused score map and those of the single depths, which training supervises, too.
    """
    sides: list[Maps]
    sides, finest = [], features[0].shape[1]
    for i, x in enumerate(features, 1):
        # conv3_3 has a quarter of the size of the image; what is half as fine takes one deconvolution more.
        steps = 2 + max(round(finest / x.shape[1]).bit_length() - 1, 0)
        for j in range(1, steps + 1):
            options = {"strides": 2, "padding": "same", "activation": "relu", "name": f"side{i}_deconv{j}"}
            x = layers.Conv2DTranspose(scaled(64 * 2 ** (steps - j), width), 4, **options)(x)
        x = score(x, kernel=3, name=f"side{i}_score")
        crop = CropLike(margin, name=f"side{i}") if sides else layers.Cropping2D(margin, name=f"side{i}")
        sides.append(crop([x, sides[0]] if sides else x))
    return [score(layers.Concatenate(name="join")(sides[::-1]), kernel=3), *sides]
