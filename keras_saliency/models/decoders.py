"""What decoders are made of, and the decoder of our own."""

from collections.abc import Sequence
from typing import Any

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.learned_prior import LearnedPrior
from keras_saliency.layers.match_size import MatchSize


def scaled(channels: float, width: float) -> int:
    """The channels of a layer in a decoder of another width."""
    return max(1, round(channels * width))


def convolutions(
    x: Features,
    channels: Sequence[int],
    width: float,
    *,
    kernel: int = 3,
    names: Sequence[str] | None = None,
    **options: Any,
) -> Features:
    """Convolutions with ReLU, one for each entry of `channels`."""
    options = {"padding": "same", "activation": "relu", **options}
    for i, count in enumerate(channels):
        x = layers.Conv2D(scaled(count, width), kernel, name=names and names[i], **options)(x)
    return x


def score(x: Features, kernel: int = 1, name: str = "score", **options: Any) -> Maps:
    """The convolution to the one channel of the score map, in float32."""
    return layers.Conv2D(1, kernel, padding="same", dtype="float32", name=name, **options)(x)


def join(features: Sequence[Features]) -> Features:
    """Joins features of several strides at the size of the finest."""
    if len(features) == 1:
        return features[0]
    sized = [features[0], *(MatchSize()([feature, features[0]]) for feature in features[1:])]
    return layers.Concatenate(name="join")(sized)


def multilevel(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Merges features from the coarsest level to the finest, in ML-Net's manner, and multiplies by its prior.

    At each level a 1x1 convolution narrows each feature map; these are joined with the upsampled result of the
    coarser level and mixed by a 3x3 convolution.

    Args:
        features: Symbolic feature maps, fine to coarse; those of one size form a level.
        width: Multiplies the 64 channels of every convolution.

    Returns:
        A symbolic score map with one channel at the size of the finest features.
    """
    levels: dict[tuple[int, int], list[Features]]
    channels, levels = scaled(64, width), {}
    for i, feature in enumerate(features):
        narrow = layers.Conv2D(channels, 1, name=f"narrow{i + 1}")(feature)
        levels.setdefault(tuple(feature.shape[1:3]), []).append(narrow)
    x = None
    for i, parts in reversed(list(enumerate(levels.values(), 1))):
        if x is not None:
            parts.append(MatchSize(name=f"level{i}_upsample")([x, parts[0]]))
        x = layers.Concatenate(name=f"level{i}_join")(parts) if len(parts) > 1 else parts[0]
        x = layers.ReLU(name=f"level{i}_relu")(x)
        x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"level{i}_mix")(x)
    return LearnedPrior(name="learned_prior")(score(x))
