"""Losses that compare what a frozen network sees in the two maps."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_saliency.backbones.factory import create_backbone
from keras_saliency.backbones.table import find_backbone
from keras_saliency.formulas import measures
from keras_saliency.formulas.maps import Map, Target, total
from keras_saliency.formulas.types import Features, Values
from keras_saliency.losses.base import SaliencyLoss

# Where the taps are not those of a saliency decoder: relu1_2, relu2_2, relu3_3, relu4_3 (Johnson et al. 2016).
TAPS = {"vgg16": ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")}


class PerceptualLoss(SaliencyLoss):
    """Base of the losses over the features that a frozen backbone finds in the maps.

    Each map is divided by its peak and shown to the backbone as a grey image; a log-density is shown as its density
    with the mass of the truth. The backbone computes in float32, has no trainable weights and belongs to no model;
    losses with the same backbone share it, and in a combination its features. Padding gets the mean colour of the
    backbone, and areas are counted without it; the features near the border see it and change a little.

    Args:
        backbone: One of `keras_saliency.backbones.BACKBONES`.
        weights: `"imagenet"`, for `vgg16` also `"hed"`, the path of a file, or None for random ones, which are the same
            in every process; see `create_backbone`.
        taps: The names of the layers whose features are compared; by default relu1_2, relu2_2, relu3_3 and relu4_3 of
            VGG16, and what saliency decoders tap of the others.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If a name is unknown, or maps are smaller than 32x32.
        ImportError, ConnectionError, FileNotFoundError: If the weights cannot be had; see `create_backbone`.
    """

    options = ("backbone", "weights", "taps")
    distance: ClassVar[Callable[[Sequence[Features], Sequence[Features]], Values]] = None  # type: ignore[assignment]

    def __init__(
        self,
        backbone: str = "vgg16",
        weights: str | Path | None = "imagenet",
        taps: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if taps is None:
            taps = TAPS.get(backbone) or find_backbone(backbone).taps
        self.backbone = backbone
        self.weights = None if weights is None else str(weights)
        self.taps: tuple[str, ...] = tuple(taps)  # type: ignore[arg-type]
        self.network = _frozen(self.backbone, self.weights, self.taps)

    def measure(self, target: Target, prediction: Map) -> Values:
        size = prediction.raw.shape[1:3]
        if any(side is not None and side < 32 for side in size):
            raise ValueError(f"{self.name} needs maps of at least 32x32. Received: {tuple(size)}.")
        truth = target.density.peaked
        shown = prediction.peaked
        if prediction.from_logits:
            shown = prediction.density * total(truth, target.valid)
        s = target.density.once(self.network, lambda: self._features(truth, target.valid))
        p = prediction.once(self.network, lambda: self._features(shown, target.valid))
        # The network passes over NaN.
        broken = ops.isnan(ops.sum(truth + shown, (1, 2, 3)))
        return ops.where(broken, float("nan"), type(self).distance(s, p))

    def _features(self, maps, valid):
        images = ops.repeat(ops.cast(255.0 * maps, "float32"), 3, axis=-1)
        if valid is not None:
            row = find_backbone(self.backbone)
            # The colour that is normalised to zero: what a convolution sees beyond the border of an image.
            images = ops.where(valid > 0, images, -np.array(row.offset, "float32") / row.scale)
        features = keras.tree.flatten(self.network(images, training=False))
        return features if valid is None else [_masked(level, valid) for level in features]


def _masked(features, valid):
    """Features without those of the padding, scaled so that their mean square is that of the valid ones."""
    height, width = ops.shape(features)[1:3]
    mask = ops.cast(valid, "float32")
    mask = ops.image.resize(mask, (height, width), interpolation="nearest", data_format="channels_last")
    count = ops.maximum(ops.sum(mask, (1, 2, 3), keepdims=True), 1.0)
    return features * mask * ops.sqrt(ops.cast(height * width, "float32") / count)


@functools.lru_cache(maxsize=4)
def _frozen(backbone, weights, taps):
    """A backbone for maps of any size, in float32 under every dtype policy, with no trainable weights."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        network = create_backbone(backbone, weights, (None, None), taps)
    finally:
        keras.config.set_dtype_policy(policy)
    if weights is None:
        # Drawn by NumPy, so that a loss that is loaded, or runs on another backend, is the same loss.
        rng = np.random.default_rng(0)
        for kernel in network.trainable_variables:
            if len(kernel.shape) == 4:
                fan_in = np.prod(kernel.shape[:2]) * (1 if "depthwise" in kernel.path else kernel.shape[2])
                kernel.assign(rng.normal(0.0, np.sqrt(2.0 / fan_in), kernel.shape))
    network.trainable = False
    return network


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class DeepFeatures(PerceptualLoss):
    """Mean squared difference of the features of the two maps, summed over the taps of a frozen backbone.

    Lower is better; zero for equal maps. Source: Johnson et al. (2016), the feature reconstruction loss. The arguments
    are those of `PerceptualLoss`.
    """

    name_in_table = "deep_features"
    distance = measures.feature_distance


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Gram(PerceptualLoss):
    """Squared distance of the Gram matrices of the features of the two maps, summed over the taps of a frozen backbone.

    It compares which features occur together, not where. Lower is better; zero for equal maps. Source: Johnson et al.
    (2016), the style reconstruction loss. The arguments are those of `PerceptualLoss`.
    """

    name_in_table = "gram"
    distance = measures.gram_distance
