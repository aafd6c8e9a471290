"""The size of the images that a model sees: that it was made for, or, of a model of any size, one that is asked for."""

import operator

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.formulas.types import Size

LONGEST = 1024  # pixels of the longer side of a photograph that a model of any size sees as it is


def known_size(size: Size, name: str = "size") -> Size:
    """Checks a size.

    Raises:
        ValueError: If it is not two positive whole numbers.
    """
    try:
        height, width = map(operator.index, size)
        if min(height, width) > 0:
            return height, width
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} must be (height, width) in pixels, such as (240, 320). Received: {name}={size}.")


def size_of(model: keras.Model, size: Size | None = None) -> Size | None:
    """The height and width of the images that a model sees.

    Args:
        model: A model of images `(batch, height, width, 3)`.
        size: What is asked for; by default what the model was made for.

    Returns:
        None if the model takes images of any size and none is asked for.

    Raises:
        ValueError: If the model does not take images of the size.
    """
    own = model.input_shape[1:3]
    if size is None:
        return None if None in own else own
    size = known_size(size)
    if not isinstance(model, AnySize) and any(side not in (None, asked) for side, asked in zip(own, size, strict=True)):
        raise ValueError(f"{model.name} takes images of {own} alone. Received: size={size}.")
    return size


def require_size(model: keras.Model, size: Size | None = None) -> Size:
    """The size of the images that a model sees, where there must be one.

    Raises:
        ValueError: As `size_of`, and if the model takes images of any size and none is asked for.
    """
    found = size_of(model, size)
    if found is None:
        raise ValueError(
            f"{model.name} takes images of any size: say which, such as size=(240, 320) or --size 240 320."
        )
    return found


def size_for(model: keras.Model, image_size: Size, size: Size | None = None) -> Size:
    """The size at which a model sees an image: `size_of`, else the image's own, up to `LONGEST` on its longer side."""
    scale = min(1.0, LONGEST / max(image_size))
    return size_of(model, size) or (max(1, round(image_size[0] * scale)), max(1, round(image_size[1] * scale)))
