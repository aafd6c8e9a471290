"""What a loss must know of the other replicas of a `tf.distribute` strategy, among which a batch is shared out."""

import keras
from keras import ops

from keras_saliency.formulas.types import Tensor


def total_of_replicas(value: Tensor) -> Tensor:
    """The sum of a value over all replicas that hold a part of the batch; the value itself where there is one."""
    context = _context()
    return value if context is None else context.all_reduce("SUM", value)


def share_loss(loss: Tensor, images: Tensor) -> Tensor:
    """Makes the part that a replica has of a loss, whose parts add up to it, one that Keras logs as their sum.

    Keras adds up the gradients of the replicas, and logs the mean of what they return, times their number, weighted by
    their images. The gradient stays that of the part; the value differs from it where the replicas have different
    numbers of images.

    Args:
        loss: The part of this replica, a scalar.
        images: The number of images that it has.
    """
    context = _context()
    if context is None:
        return loss
    images = ops.cast(images, loss.dtype)
    mean = total_of_replicas(images) / context.num_replicas_in_sync
    return loss + ops.stop_gradient(loss * (mean / ops.maximum(images, 1.0) - 1.0))


def _context():
    """That of this replica, if there are others."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
