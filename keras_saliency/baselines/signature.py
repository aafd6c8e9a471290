"""The image signature (Hou, Harel & Koch 2012): the signs of the cosine transform keep what is sparse in space."""

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from keras_saliency.baselines.features import check_image, lab, resample, to_saliency
from keras_saliency.formulas.types import Photograph, Plane

SPACES = {"lab": lab, "rgb": lambda image: 100 * image}  # both of the order of 100
ROUNDING = 1e-4  # coefficients below it have no sign; those of an image of 8 bits are far larger


def image_signature(image: Photograph, space: str = "lab", width: int = 64, blur: float = 0.045) -> Plane:
    """The saliency map of the image signature: foreground is what remains when only signs are kept.

    The image is reduced and each channel replaced by the inverse cosine transform of the signs of its cosine transform.
    A foreground that covers little of the image, before a background that takes few coefficients, holds most of the
    energy that is left. Its square is summed over the channels and blurred.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        space: The channels: "lab" for CIELAB, the default of the authors' toolbox, or "rgb".
        width: The width in pixels at which the signature is taken; the height keeps the proportion.
        blur: The standard deviation of the Gaussian, as a share of the width.

    Returns:
        The saliency map `(height, width)`, float64, non-negative, from zero to a peak of one. A constant image gives
        zeros. A channel of zeros, as colour in a grey image, takes no part.

    Raises:
        ValueError: If the image has another shape or type, or the space is unknown; the message says what to do.

    Source:
        X. Hou, J. Harel, C. Koch: Image Signature: Highlighting Sparse Salient Regions. IEEE Transactions on Pattern
        Analysis and Machine Intelligence 34(1), 194-201, 2012. Our own implementation.

        Where the paper is silent, as in the authors' toolbox: the blur of 0.045; beyond the border the energy counts as
        zero, which darkens the margin a little; the least value of the map is subtracted.

        Where it differs from the toolbox: the white of CIELAB is D65, not D50; the Gaussian reaches to four standard
        deviations, not two; coefficients that are rounding alone have no sign, whereas the toolbox would give that of
        the rounding its full weight; the image is reduced by averaging over areas, not by a cubic kernel.
    """
    image = check_image(image)
    if space not in SPACES:
        raise ValueError(f"The space {space!r} is unknown. Choose one of {', '.join(SPACES)}.")
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    channels = SPACES[space](resample(image, (height, width)))
    coefficients = dctn(channels, axes=(0, 1), norm="ortho")
    signs = np.sign(coefficients) * (np.abs(coefficients) > ROUNDING)
    if not signs.reshape(-1, 3)[1:].any():
        return np.zeros(image.shape[:2])  # nothing but the mean: all to be seen would be the blur at the border
    energy = np.sum(idctn(signs, axes=(0, 1), norm="ortho") ** 2, 2)
    saliency = gaussian_filter(energy, blur * width, mode="constant")
    return to_saliency(saliency - saliency.min(), image.shape[:2])
