"""SalGAN's discriminator and its second stage."""

import keras
import numpy as np
import pytest
from registry import batch

import keras_saliency as ks
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


def test_a_step_trains_both_networks_and_each_alone(rng, tiny_backbone):
    keras.utils.set_random_seed(0)
    generator = ks.create_model("salgan", backbone=tiny_backbone, weights=None, input_size=SIZE, width=1 / 16)
    training = AdversarialTraining(generator, learning_rate=0.01)
    images, targets = batch(rng, SIZE)
    before = weights(generator), weights(training.discriminator)
    content = float(BCE(pool=4)(targets, generator(images)))
    losses = training.step(images, targets)
    np.testing.assert_allclose(losses["content"], content, rtol=1e-5)
    assert set(losses) == {"discriminator", "content", "adversarial"}
    assert np.isfinite(list(losses.values())).all()
    for old, model in zip(before, (generator, training.discriminator), strict=True):
        still = [
            w.path for w, value in zip(model.trainable_weights, old, strict=True) if np.array_equal(w.numpy(), value)
        ]
        assert still == []
    # The step of the generator leaves the discriminator as it is.
    frozen = weights(training.discriminator)
    training.judged.train_on_batch(images, [targets, np.ones((2, 1))])
    assert all(np.array_equal(*pair) for pair in zip(frozen, weights(training.discriminator), strict=True))


def test_the_discriminator_learns_to_tell_maps_apart(rng, tiny_backbone):
    keras.utils.set_random_seed(0)
    generator = ks.create_model("salgan", backbone=tiny_backbone, weights=None, input_size=SIZE, width=1 / 16)
    training = AdversarialTraining(generator, learning_rate=0.01)
    images, targets = batch(rng, SIZE, 4)
    losses = [training.step(images, targets)["discriminator"] for _ in range(12)]
    assert losses[-1] < losses[0]


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
