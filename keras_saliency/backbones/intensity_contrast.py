"""The features of the ICF model (Kümmerer et al. 2017): what an image shows without any learned feature."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.mirrored import gaussian_matrix
from keras_saliency.formulas.types import Features, Shape

# The standard deviations of the Gaussian windows, in pixels.
SIGMAS = (5.0, 10.0, 20.0, 40.0, 80.0)
# Those of Rec. 709, here of RGB as it is stored: luma.
LUMINANCE = (0.2126, 0.7152, 0.0722)


@keras.saving.register_keras_serializable(package="keras_saliency")
class IntensityContrast(keras.layers.Layer):
    """The local mean and the local variance of the luma of an image, in Gaussian windows of several sizes.

    From RGB images `(batch, height, width, 3)` in [0, 1] to `(batch, height, width, channels)`, first the means, then
    the variances about them, each in the order of `sigmas`; in float32, borders mirrored. The paper has five sizes of
    window; here 5, 10, 20, 40 and 80 are the standard deviations of Gaussian windows, in pixels of the image as it is
    given, and contrast is the variance, not its root, since what reads the features is not linear anyhow.

    Args:
        sigmas: The standard deviations in pixels.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, sigmas: Sequence[float] = SIGMAS, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.sigmas = tuple(sigmas)

    def call(self, inputs: Features) -> Features:
        images = ops.cast(inputs, self.compute_dtype)
        luma = sum(weight * images[..., i] for i, weight in enumerate(LUMINANCE))
        # The variance does not depend on it, and the difference of squares below loses fewer digits near zero.
        centred = luma - 0.5
        means, variances = [], []
        for sigma in self.sigmas:
            vertical, horizontal = (gaussian_matrix(side, sigma, self.compute_dtype) for side in ops.shape(luma)[1:3])
            mean, square = (
                ops.einsum("ij,bjk,lk->bil", vertical, maps, horizontal) for maps in (centred, centred * centred)
            )
            means.append(mean + 0.5)
            variances.append(ops.maximum(square - mean * mean, 0.0))
        return ops.stack(means + variances, axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], 2 * len(self.sigmas))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigmas": list(self.sigmas)}


def build_intensity_contrast(images: Features, weights: None = None) -> keras.Model:
    """Builds the one layer `features` on RGB images in [0, 1]; there are no weights."""
    return keras.Model(images, IntensityContrast(name="features")(images), name="intensity_contrast")
