"""SalGAN's discriminator and its second stage."""

import keras
import numpy as np
import pytest
from registry import batch

import keras_saliency as ks
from keras_saliency.layers import UnitConv2D
from keras_saliency.losses import BCE
from keras_saliency.models import AdversarialTraining, create_discriminator

SIZE = (64, 96)


def weights(model):
    return [weight.numpy() for weight in model.trainable_weights]


def test_the_discriminator_has_its_layers():
    model = create_discriminator()
    convolutions = [4 * 3 + 3, 9 * 3 * 32 + 32, 9 * 32 * 64 + 64, *[9 * 64 * 64 + 64] * 3]
    dense = [64 * (192 // 16) * (256 // 16) * 100 + 100, 100 * 2 + 2, 2 + 1]
    assert model.count_params() == sum(convolutions) + sum(dense)


def changed(model, before):
    return [not np.array_equal(w.numpy(), old) for w, old in zip(model.trainable_weights, before, strict=True)]


@pytest.mark.slow
def test_batches_train_the_discriminator_and_the_generator_in_turn(eager, rng, tiny_backbone):
    keras.utils.set_random_seed(0)
    generator = ks.create_model("salgan", backbone=tiny_backbone, weights=None, input_size=SIZE, width=1 / 16)
    training = AdversarialTraining(generator, learning_rate=0.01)
    images, targets = batch(rng, SIZE, 4)
    judge, maps = training.discriminator, keras.ops.convert_to_numpy(generator(images))
    real, made = (judge([images, shown]).numpy() for shown in (targets[..., :1], maps))
    expected = {"discriminator": -np.mean([np.log(real), np.log(1 - made)])}  # of both in one batch
    before = weights(generator), weights(judge)
    assert training.step(images, targets) == pytest.approx(expected, rel=1e-4)
    assert (any(changed(generator, before[0])), all(changed(judge, before[1]))) == (False, True)
    # Lasagne's Adagrad starts from nothing: its first step is the learning rate, wherever the gradient is not small.
    assert max(np.abs(w.numpy() - old).max() for w, old in zip(judge.trainable_weights, before[1], strict=True)) == (
        pytest.approx(0.01, rel=1e-3)
    )
    expected = {
        "content": float(BCE(pool=4)(targets, maps)),
        "adversarial": -np.mean(np.log(judge([images, maps]).numpy())),
    }
    before = weights(generator), weights(judge)
    assert training.step(images, targets) == pytest.approx(expected, rel=1e-4)
    assert (all(changed(generator, before[0])), any(changed(judge, before[1]))) == (True, False)
    losses = [training.step(images, targets) for _ in range(24)][::2]
    assert losses[-1]["discriminator"] < losses[0]["discriminator"]


def test_kernels_of_length_one_against_numpy(rng):
    layer = UnitConv2D(5, 3, padding="same", activation="relu", bias_initializer="uniform")
    x = rng.normal(size=(2, 6, 7, 4)).astype("float32")
    received, plain = layer(x).numpy(), keras.layers.Conv2D(5, 3, padding="same", activation="relu")
    plain.build(x.shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([kernel / np.sqrt(1e-6 + (kernel**2).sum((0, 1, 2))), bias])
    np.testing.assert_allclose(received, plain(x), atol=1e-5)


def test_pooled_cross_entropy_is_that_of_pooled_maps(rng):
    density, prediction = rng.random((2, 2, 8, 12, 1)).astype("float32")
    fixations = rng.poisson(0.2, density.shape)
    valid = np.ones_like(density)
    valid[:, :, 10:] = 0  # cuts through the last column of blocks
    pooled = [maps.reshape(2, 2, 4, 3, 4, 1).mean((2, 4)) for maps in (density, prediction)]
    loss = BCE(pool=4)
    np.testing.assert_allclose(loss(ks.pack_targets(density), prediction), BCE()(*pooled), rtol=1e-5)
    inside = [maps[:, :, :2] for maps in pooled]
    masked = loss(ks.pack_targets(density, fixations, valid), prediction)
    np.testing.assert_allclose(masked, BCE()(*inside), rtol=1e-5)
    assert BCE.from_config(loss.get_config()).pool == 4
    with pytest.raises(ValueError, match="pools maps, not log-densities"):
        BCE(pool=4, from_logits=True)
