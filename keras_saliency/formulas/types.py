"""What the tensors in public signatures are. Every backend has its own class for them; NumPy arrays will do, too."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import numpy as np

Tensor: TypeAlias = Any
Maps: TypeAlias = Annotated[Tensor, "(batch, height, width, 1)"]
Features: TypeAlias = Annotated[Tensor, "(batch, height, width, channels)"]
Frames: TypeAlias = Annotated[Tensor, "(batch, time, height, width, 3), RGB in [0, 255], of videos"]
State: TypeAlias = Annotated[Mapping[str, Tensor], "(batch, ...) each, what a video model knows of the frames before"]
Unbatched: TypeAlias = Annotated[Tensor, "(height, width, channels), of one image"]
Images: TypeAlias = Annotated[Tensor, "(batch, height, width, 3), RGB in [0, 255]"]
Targets: TypeAlias = Annotated[Tensor, "(batch, height, width, 1 to 3), from pack_targets"]
Values: TypeAlias = Annotated[Tensor, "(batch,), one for each image"]
Plane: TypeAlias = Annotated[np.ndarray, "(height, width), one map of one image"]
Photograph: TypeAlias = Annotated[np.ndarray, "(height, width, 3), uint8, RGB"]
Size: TypeAlias = Annotated[tuple[int, int], "(height, width) in pixels"]
Shape: TypeAlias = Annotated[tuple[int | None, ...], "as a layer is built on it, None for what is not yet known"]
