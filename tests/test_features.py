import json

import keras
import numpy as np

from keras_saliency.data.features import FLOAT16_MAX, FeatureCache

SIZE = (24, 32)


def backbone(gain=1.0):
    images = keras.Input((*SIZE, 3))
    weights = keras.initializers.Constant(gain)
    fine = keras.layers.Conv2D(2, 3, 2, padding="same", kernel_initializer=weights)(images)
    return keras.Model(images, [fine, keras.layers.MaxPooling2D()(fine)])


def test_cached_features_are_those_of_the_images(tiny, tmp_path):
    network = backbone(0.01)
    cache = FeatureCache(tmp_path, network, tiny.train, SIZE, flip=True, batch=3)
    options = {"flip": True, "shuffle": True, "seed": 1, "epoch": 0}
    images = tiny.train.pipeline(SIZE, 5, **options)
    features = tiny.train.pipeline(SIZE, 5, features=cache, **options)
    for (image, target), (cached, same_target) in zip(images, features, strict=True):
        for expected, feature in zip(network.predict(image, verbose=0), cached, strict=True):
            np.testing.assert_allclose(feature, expected, rtol=2e-3, atol=2e-2)
        np.testing.assert_array_equal(target, same_target)


def test_a_cache_is_used_again_only_for_the_same_thing(tiny, tmp_path):
    seen = []

    def make(gain=1.0, samples=tiny.train):
        seen.clear()
        return FeatureCache(tmp_path, backbone(gain), samples, SIZE, progress=seen.append)

    make()
    assert seen[-1] == len(tiny.train)
    make()
    assert seen == []
    make(gain=2.0)
    assert seen
    make(gain=2.0, samples=tiny.test)
    assert seen
    (tmp_path / "complete.json").write_text(json.dumps({"fingerprint": "interrupted"}))
    make(gain=2.0, samples=tiny.test)
    assert seen


def test_large_activations_stay_finite(tiny, tmp_path):
    cache = FeatureCache(tmp_path, backbone(1e4), tiny.train, SIZE)
    assert cache.arrays[0].max() == FLOAT16_MAX
