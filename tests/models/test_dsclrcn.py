"""DSCLRCN's context, and features of any size."""

import cv2
import keras
import numpy as np
from registry import SIZE, batch

import keras_saliency as ks
from keras_saliency.backbones import create_backbone
from keras_saliency.models.dsclrcn import with_context


def test_the_context_sees_every_image_at_one_size(tiny_backbone, rng):
    backbone = with_context(create_backbone(tiny_backbone, None, SIZE), "alexnet", SIZE)
    assert [output.shape[1:] for output in backbone.outputs] == [(8, 12, 8), (4, 6, 8), (6, 6, 256)]
    assert keras.tree.map_structure(lambda x: tuple(x.shape), backbone(batch(rng, (75, 101), 1)[0])) == [
        *((1, 10, 13, 8), (1, 5, 7, 8), (1, 6, 6, 256))
    ]


def test_features_beside_the_context_are_those_of_the_backbone_alone(tiny_backbone, rng):
    alone, images = create_backbone(tiny_backbone, None, SIZE), batch(rng)[0]
    before, both = alone.get_weights(), with_context(alone, "alexnet", SIZE)
    for one, other in zip(both(images), alone(images), strict=False):  # the last is the context's
        np.testing.assert_allclose(one, other, rtol=1e-5)
    for one, other in zip(alone.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_context_is_what_caffes_alexnet_sees_of_the_centre(tiny_backbone, rng):
    both = with_context(create_backbone(tiny_backbone, None, SIZE), "alexnet", SIZE)
    images = batch(rng, (75, 101))[0]
    whole = np.stack([cv2.resize(image, (256, 256), interpolation=cv2.INTER_LINEAR) for image in images])
    centre = whole[:, 14:241, 14:241, ::-1] - np.float32([103.939, 116.779, 123.68])
    alexnet = both.get_layer("context").get_layer("alexnet")
    expected = keras.tree.flatten(alexnet(centre))[0]
    np.testing.assert_allclose(both(images)[-1], expected, rtol=1e-3, atol=1e-3 * np.max(expected))


def test_other_backbones_tell_the_context_by_their_last_features(tiny_backbone, rng):
    model = ks.create_model("dsclrcn", backbone=tiny_backbone, weights=None, input_size=SIZE, width=1 / 16)
    assert [x.shape[1:] for x in model.get_layer("decoder").inputs] == [(8, 12, 8), (8, 12, 8)]
    assert model.get_layer("decoder").get_layer("scene").output.shape == (None, 8)
    maps = model(batch(rng, (33, 101))[0])
    np.testing.assert_allclose(np.exp(maps).sum((1, 2)), 1, rtol=1e-4)


def test_one_row_of_features_is_enough(rng):
    row = [keras.Input((1, 5, channels)) for channels in (4, 6)]
    decoder = keras.Model(row, ks.models.ARCHITECTURES["dsclrcn"].decode(row, 1 / 16))
    assert np.isfinite(decoder([rng.random((2, 1, 5, channels)) for channels in (4, 6)])).all()
