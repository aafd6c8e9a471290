"""At which size a model sees images: that it was made for, or one that is asked for."""

import operator

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import View

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
    if not hasattr(model, "input_shape"):
        raise ValueError(
            f"{model.name} takes no single images. Models of videos are for predict_video and export_video."
        )
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


def shown_by(model: keras.Model, size: Size | None = None) -> Size | View | None:
    """How pictures are shown to a model: in the frame that is asked for, else by its view, else in its own frame.

    Args:
        model: The model.
        size: As in `size_of`.

    Returns:
        None if the model takes images of any size, has no view, and no size is asked for.

    Raises:
        ValueError: As `size_of`.
    """
    return (size is None and getattr(model, "view", None)) or size_of(model, size)


def require_shown(model: keras.Model, size: Size | None = None) -> Size | View:
    """The same, where there must be one.

    Raises:
        ValueError: As `require_size`.
    """
    return shown_by(model, size) or require_size(model, size)


def shown_for(
    model: keras.Model, image_size: Size, size: Size | None = None, pixels_per_degree: float | None = None
) -> Size | View:
    """The same for one picture, which a model of any size sees as large as it is, up to `LONGEST` on its longer side.

    Raises:
        ValueError: As `size_of`, and if the picture has not the size that the view needs.
    """
    shown = shown_by(model, size)
    if isinstance(shown, View):
        shown.of(image_size, pixels_per_degree)
    scale = min(1.0, LONGEST / max(image_size))
    return shown or (max(1, round(image_size[0] * scale)), max(1, round(image_size[1] * scale)))
