import keras

from keras_saliency.models import cost


def test_parameters_and_operations_are_counted():
    images = keras.Input((10, 12, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(images)
    model = keras.Model(images, keras.layers.BatchNormalization(trainable=False)(keras.layers.Conv2D(1, 1)(x)))
    assert cost.parameters(model) == 9 * 3 * 4 + 4 + 1
    products = 10 * 12 * (9 * 3 * 4 + 4)
    # Each with an addition; and a few operations for each pixel.
    assert 2 * products <= cost.flops(model) <= 2 * products + 10 * 10 * 12
