"""Decoders: from feature maps at several strides to a score map."""

from keras import layers


def multilevel(features, channels=64):
    """Merges features from the coarsest level to the finest, in ML-Net's manner.

    At each level a 1x1 convolution narrows each feature map; these are joined with the upsampled result of the
    coarser level and mixed by a 3x3 convolution.

    Args:
        features: Symbolic feature maps, fine to coarse; those of one size form a level.
        channels: The channels of every convolution.

    Returns:
        A symbolic score map with one channel at the size of the finest features.
    """
    levels = {}
    for i, feature in enumerate(features):
        narrow = layers.Conv2D(channels, 1, name=f"narrow{i + 1}")(feature)
        levels.setdefault(tuple(feature.shape[1:3]), []).append(narrow)
    x = None
    for i, (size, parts) in reversed(list(enumerate(levels.items(), 1))):
        if x is not None:
            parts.append(layers.Resizing(*size, name=f"level{i}_upsample")(x))
        x = layers.Concatenate(name=f"level{i}_join")(parts) if len(parts) > 1 else parts[0]
        x = layers.ReLU(name=f"level{i}_relu")(x)
        x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"level{i}_mix")(x)
    return layers.Conv2D(1, 1, dtype="float32", name="score")(x)
