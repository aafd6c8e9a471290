import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_saliency.formulas.resizing import INTERPOLATIONS, known_interpolation, resize, resize_bicubic


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(5, 7), (13, 4), (12, 14), (6, 7), (1, 1)])
def test_a_resize_to_a_size_not_yet_known_is_that_to_a_known_one(interpolation, size, rng):
    images = rng.normal(size=(2, 6, 7, 3)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((2,), tf.int32)])
    def in_a_graph(images, size):
        return resize(images, tf.unstack(size), interpolation)

    expected = resize(images, size, interpolation)
    np.testing.assert_allclose(in_a_graph(images, tf.constant(size)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 7), (13, 4), (6, 7), (1, 1)])
def test_a_bicubic_resize_is_that_of_keras_also_to_a_size_not_yet_known(size, rng):
    images = rng.normal(size=(2, 6, 7, 3)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((2,), tf.int32)])
    def in_a_graph(images, size):
        return resize_bicubic(images, tf.unstack(size))

    received = resize_bicubic(images, size)
    np.testing.assert_allclose(in_a_graph(images, tf.constant(size)), received, atol=1e-6)
    # TensorFlow looks the weights up in a table.
    np.testing.assert_allclose(received, keras.ops.image.resize(images, size, interpolation="bicubic"), atol=5e-3)
    if size == (6, 7):
        np.testing.assert_array_equal(received, images)


# Where the pixels of twice or four times the size lie among three.
PLACES = {
    ("bilinear", 6): [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25],
    ("bilinear-corners", 6): [0, 0.4, 0.8, 1.2, 1.6, 2],
    ("bilinear-origin", 6): [0, 0.5, 1, 1.5, 2, 2.5],
    ("bilinear-theano", 6): [0, 0.5, 1, 1.5, 2, 2.5],
    ("bilinear-theano", 9): [-1 / 3, 0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2, 7 / 3],
    ("bilinear-theano", 12): [-0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5],
}


@pytest.mark.parametrize(("interpolation", "side"), PLACES)
def test_pixels_lie_where_each_framework_puts_them(interpolation, side):
    values = np.array([1.0, 3.0, -2.0], "float32")
    expected = np.interp(PLACES[interpolation, side], range(3), values)
    received = resize(np.outer(values, values)[None, ..., None], (side, side), interpolation)
    np.testing.assert_allclose(received[0, ..., 0], np.outer(expected, expected), atol=1e-5)


def test_an_unknown_interpolation_lists_the_known_ones():
    with pytest.raises(ValueError, match="Unknown interpolation 'cubic'. Known interpolations: nearest, bilinear, "):
        known_interpolation("cubic")
