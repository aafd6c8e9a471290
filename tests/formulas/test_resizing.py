import numpy as np
import pytest
import tensorflow as tf

from keras_saliency.formulas.resizing import resize


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(5, 7), (13, 4), (12, 14), (6, 7), (1, 1)])
def test_a_resize_to_a_size_not_yet_known_is_that_to_a_known_one(interpolation, size, rng):
    images = rng.normal(size=(2, 6, 7, 3)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((2,), tf.int32)])
    def in_a_graph(images, size):
        return resize(images, tf.unstack(size), interpolation)

    expected = resize(images, size, interpolation)
    np.testing.assert_allclose(in_a_graph(images, tf.constant(size)), expected, rtol=1e-5, atol=1e-6)
