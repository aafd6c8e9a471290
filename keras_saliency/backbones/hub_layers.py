"""What a vision transformer of KerasHub needs besides its own layers to take images of any size."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.resizing import resize, resize_bicubic
from keras_saliency.formulas.types import Features, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_saliency")
class WholePatches(keras.layers.Layer):
    """Resizes images whose sides are no multiples of the side of a patch to the nearest multiples, bilinearly.

    So the tokens cover the whole image, also where a patch would stick out. Nothing happens to sides that are.

    Args:
        patch: The side of a patch in pixels.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, patch: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch = patch

    def call(self, inputs: Features) -> Features:
        size = [self._side(side) for side in ops.shape(inputs)[1:3]]
        return inputs if tuple(size) == tuple(inputs.shape[1:3]) else resize(inputs, size)

    def _side(self, side):
        if isinstance(side, int):
            return max(1, round(side / self.patch)) * self.patch
        return ops.maximum(1, ops.cast(ops.round(side / self.patch), "int32")) * self.patch

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = [None if side is None else self._side(side) for side in input_shape[1:3]]
        return (input_shape[0], *sides, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "patch": self.patch}


@keras.saving.register_keras_serializable(package="keras_saliency")
class PatchTokens(keras.layers.Layer):
    """Makes the sequence of tokens of a grid of patches: adds what tells their places, and tokens that have none.

    From `(batch, rows, columns, channels)` to `(batch, extra + rows * columns, channels)`, row by row. Embeddings of
    places were learned for a grid of one size; for others they are interpolated, bicubic and not antialiased, as DINOv2
    does.

    Args:
        extra: The number of tokens that come first: class and registers.
        places: `(rows, columns)` of the learned embeddings; None where a transformer tells places otherwise.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, extra: int = 0, places: Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.extra, self.places = extra, places and tuple(places)

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        self.tokens = self.add_weight(shape=(1, self.extra, channels), name="tokens") if self.extra else None
        self.positions = self.add_weight(shape=(1, *self.places, channels), name="positions") if self.places else None

    def call(self, inputs: Features) -> Tensor:
        batch, rows, columns, channels = ops.shape(inputs)
        if self.places:
            positions = ops.convert_to_tensor(self.positions)
            if tuple(inputs.shape[1:3]) != self.places:
                positions = resize_bicubic(ops.cast(positions, "float32"), (rows, columns))
            inputs = inputs + ops.cast(positions, inputs.dtype)
        sequence = ops.reshape(inputs, (batch, rows * columns, channels))
        if not self.extra:
            return sequence
        first = ops.tile(ops.cast(self.tokens, inputs.dtype), (batch, 1, 1))
        return ops.concatenate([first, sequence], axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, rows, columns, channels = input_shape
        return (batch, None if rows is None or columns is None else self.extra + rows * columns, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "extra": self.extra, "places": self.places}


@keras.saving.register_keras_serializable(package="keras_saliency")
class TokenGrid(keras.layers.Layer):
    """Lays the last tokens of a sequence out as the grid of patches, the second input, that they stand for."""

    def call(self, inputs: Sequence[Tensor]) -> Features:
        tokens, patches = inputs
        shape = ops.shape(patches)
        return ops.reshape(tokens[:, -shape[1] * shape[2] :], shape)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return tuple(input_shape[1])


@keras.saving.register_keras_serializable(package="keras_saliency")
class RotaryPlaces(keras.layers.Layer):
    """The cosines and sines by which DINOv3 rotates queries and keys, from where a patch lies between -1 and 1.

    From a grid `(batch, rows, columns, channels)` to two tensors `(rows * columns, head)`.

    Args:
        head: The channels of a head, a multiple of four.
        theta: The base of the periods.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, head: int, theta: float = 100.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.head, self.theta = head, theta

    def call(self, inputs: Features) -> tuple[Tensor, Tensor]:
        sides = ops.shape(inputs)[1:3]
        places = [2 * (ops.cast(ops.arange(n), "float32") + 0.5) / ops.cast(n, "float32") - 1 for n in sides]
        periods = self.theta ** ops.arange(0, 1, 4 / self.head, dtype="float32")
        grid = ops.stack(ops.meshgrid(*places, indexing="ij"), axis=-1)
        angles = ops.reshape(2 * math.pi * grid[..., None] / periods, (-1, self.head // 2))
        angles = ops.tile(angles, (1, 2))
        return ops.cast(ops.cos(angles), self.compute_dtype), ops.cast(ops.sin(angles), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        rows, columns = input_shape[1:3]
        shape = (None if rows is None or columns is None else rows * columns, self.head)
        return shape, shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "head": self.head, "theta": self.theta}


class MixBlock(keras.layers.Layer):
    """A block of KerasHub's MiT, which takes squares alone, on grids `(batch, rows, columns, channels)` of any size.

    It is no layer to be saved: a `HubNetwork` makes it anew.

    Args:
        block: The block whose layers it uses.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, block: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs: Features, training: bool | None = None) -> Features:
        block, mlp = self.block, self.block.mlp
        x = inputs + block.drop_path(self._attend(block.norm1(inputs), training), training=training)
        y = mlp.fc2(ops.nn.gelu(mlp.dwconv(mlp.fc1(block.norm2(x)))))
        return x + block.drop_path(y, training=training)

    def _attend(self, grid, training):
        attention = self.block.attn
        # Keys and values are those of a coarser grid.
        coarse = attention.norm(attention.sr(grid)) if attention.sr_ratio > 1 else grid
        query, key, value = (self._heads(x) for x in (attention.q(grid), attention.k(coarse), attention.v(coarse)))
        weights = ops.softmax(ops.einsum("bqhc,bkhc->bhqk", query, key) * attention.scale)
        mixed = ops.einsum("bhqk,bkhc->bqhc", attention.dropout(weights, training=training), value)
        return attention.proj_drop(attention.proj(ops.reshape(mixed, ops.shape(grid))), training=training)

    def _heads(self, x):
        batch, rows, columns, channels = ops.shape(x)
        heads = self.block.attn.num_heads
        return ops.reshape(x, (batch, rows * columns, heads, channels // heads))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
