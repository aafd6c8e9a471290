"""Weights of a combination that are set by gradients or learned."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import rich.table
from keras import ops

from keras_saliency.formulas.types import Maps, Targets, Tensor
from keras_saliency.writing.progress import make_console


class Uncertainty(keras.layers.Layer):
    """A learned log-variance for each term: homoscedastic uncertainty (Kendall et al. 2018).

    A term L becomes exp(-s) L / 2 + s / 2. It starts at the given weights.

    Args:
        log_variances: s of each term at the start.
    """

    def __init__(self, log_variances: Sequence[float]) -> None:
        super().__init__(dtype="float32", name="uncertainty")
        self.log_variances = self.add_weight(
            shape=(len(log_variances),),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(log_variances, dtype),
            name="log_variances",
        )

    def call(self, values: Tensor) -> Tensor:
        """Weighs values `(terms, batch)`."""
        s = ops.cast(ops.expand_dims(self.log_variances, 1), values.dtype)
        return (ops.exp(-s) * values + s) / 2

    def factors(self) -> Tensor:
        """The factor of each term, without a gradient."""
        return ops.exp(-ops.stop_gradient(self.log_variances)) / 2


class _Offset(keras.layers.Layer):
    """Adds a map that starts at zero; one step of plain gradient descent makes it minus the gradient."""

    def build(self, shape):
        self.offset = self.add_weight(shape=shape, initializer="zeros")

    def call(self, inputs):
        return inputs + self.offset


def gradient_norm(loss: keras.losses.Loss, y_true: Targets, y_pred: Maps) -> float:
    """The Euclidean norm of the gradient of a loss by the prediction of a batch.

    It goes through Keras's own training step, so that it runs on every backend.
    """
    inputs = keras.Input(batch_shape=y_pred.shape)
    layer = _Offset(dtype="float32")
    probe = keras.Model(inputs, layer(inputs))
    probe.compile(keras.optimizers.SGD(1.0), loss=loss, run_eagerly=True, jit_compile=False)
    probe.train_on_batch(y_pred, y_true)
    return float(np.linalg.norm(ops.convert_to_numpy(layer.offset)))


def first_batches(
    x: Any, y: Any = None, batch_size: int | None = None, count: int = 4
) -> tuple[list[tuple[Any, Any]], Any]:
    """The first batches of what `fit` takes, as pairs, and the data to go on with: no batch of an iterator is lost."""
    if y is not None:
        size, images = batch_size or 32, len(keras.tree.flatten(y)[0])
        starts = range(0, min(images, count * size), size)
        return [keras.tree.map_structure(lambda part, i=i: part[i : i + size], (x, y)) for i in starts], x
    if isinstance(x, keras.utils.PyDataset):
        return [x[i][:2] for i in range(min(count, len(x)))], x
    iterator = iter(x)
    batches = list(itertools.islice(iterator, count))
    # `fit` takes generators, and no other iterators.
    again = (batch for batch in itertools.chain(batches, x)) if iterator is x else x
    return [batch[:2] for batch in batches], again


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints what each term pulls at the output of a model, before and after its weight was set."""
    table = rich.table.Table(title="Gradient of each term at the model's output")
    for heading in ("term", "norm", "weight given", "share", "weight set", "share"):
        table.add_column(heading, justify="left" if heading == "term" else "right")
    pulls = [[row[weight] * row["norm"] for row in rows] for weight in ("given", "set")]
    for row, *shares in zip(rows, *([pull / (sum(column) or 1.0) for pull in column] for column in pulls), strict=True):
        given, new = (f"{share:.1%}" for share in shares)
        table.add_row(row["term"], f"{row['norm']:.3g}", f"{row['given']:.3g}", given, f"{row['set']:.3g}", new)
    make_console().print(table, soft_wrap=False)
