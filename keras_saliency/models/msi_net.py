"""MSI-Net (Kroner et al. 2020): context from dilated convolutions side by side."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.decoders import convolutions, join, score


def msi_net(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Joins all features, looks at them through five windows (ASPP), and upsamples eight times.

    Published on VGG16 with pool4 and pool5 of stride 1 and conv5 dilated, from pool3, pool4 and pool5: 24,934,209
    parameters. Maps are upsampled with the first pixel on the first, as the release does in TensorFlow 1.
    """
    x = join(features)
    windows = [convolutions(x, [256], width, kernel=1, names=["aspp1"])]
    for rate in (4, 8, 12):
        windows.append(convolutions(x, [256], width, dilation_rate=rate, names=[f"aspp_dilated{rate}"]))
    everywhere = layers.GlobalAveragePooling2D(keepdims=True, name="average")(x)
    everywhere = convolutions(everywhere, [256], width, kernel=1, names=["aspp_average"])
    windows.append(MatchSize(name="spread")([everywhere, x]))
    x = convolutions(layers.Concatenate(name="aspp")(windows), [256], width, kernel=1, names=["aspp_mix"])
    for i, channels in enumerate((128, 64, 32), 1):
        x = convolutions(
            Zoom((2, 2), "bilinear-origin", name=f"upsample{i}")(x), [channels], width, names=[f"decode{i}"]
        )
    return score(x, kernel=3)
