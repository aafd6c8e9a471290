import dataclasses
import gc
import json
import os
import resource
import shutil
import weakref
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_saliency.data import Fixations, Sample, Samples
from keras_saliency.data.mixtures import mix
from keras_saliency.formulas.view import View
from keras_saliency.training.features import FLOAT16_MAX, FeatureCache, clear_features, fingerprint_of

SIZE = (24, 32)


def backbone(gain=1.0, size=SIZE):
    images = keras.Input((*size, 3))
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


def test_a_picture_in_two_data_sets_is_computed_once(tiny, tmp_path):
    both = mix({"eye": tiny, "mouse": dataclasses.replace(tiny, name="mouse")}).train
    done = []
    cache = FeatureCache(tmp_path, backbone(0.01), both, SIZE, batch=3, progress=done.append)
    assert done[-1] == len(tiny.train) == len(both) / 2
    of_both = list(both.pipeline(SIZE, 2, features=cache, numbered=True))
    for ((*first, _), _), ((*second, numbers), _) in zip(of_both, of_both[len(tiny.train) // 2 :], strict=False):
        np.testing.assert_array_equal(first[0], second[0])
        assert numbers.numpy().tolist() == [1, 1]
    # Those of some samples are read from the same files.
    odd = np.arange(len(both)) % 2 == 1
    some = Samples([sample for sample, kept in zip(both, odd, strict=True) if kept])
    fewer = next(iter(some.pipeline(SIZE, 2, features=cache.only(odd))))[0]
    np.testing.assert_array_equal(fewer[0][0], of_both[0][0][0][1])


def test_nothing_keeps_a_cache_that_was_read(tiny, tmp_path):
    cache = FeatureCache(tmp_path, backbone(), tiny.train, SIZE)
    for _ in tiny.train.pipeline(SIZE, 5, features=cache):
        pass
    alive = weakref.ref(cache)
    del cache
    gc.collect()
    assert alive() is None
    # What is mapped counts as memory of the process, and stays on the disk when its file is deleted.
    maps = [item for item in gc.get_objects() if isinstance(item, np.memmap)]
    assert not [item for item in maps if tmp_path in Path(item.filename).parents]


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


class OnAnotherMachine:
    """A network, computed elsewhere: it differs in the last digits."""

    def __init__(self, network):
        self.network, self.get_weights = network, network.get_weights

    def __call__(self, pictures, training):
        return [feature * (1 + 1e-6) for feature in self.network(pictures, training=training)]


def test_machines_that_share_a_folder_know_each_others_backbone():
    network = backbone()
    assert fingerprint_of(OnAnotherMachine(network), *SIZE) == fingerprint_of(network, *SIZE)


def test_a_layer_without_weights_counts_as_another_backbone():
    images = keras.Input((*SIZE, 3))
    pooled = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    assert len({fingerprint_of(keras.Model(images, layer(2)(images)), *SIZE) for layer in pooled}) == 2


def test_mirrored_features_and_targets_agree_where_the_padding_is_odd(tmp_path):
    image = np.zeros((48, 62, 3), "uint8")
    image[20:30, 5:15] = 255
    rows = [(x + 0.5, y + 0.5, 0, 0.0) for x in range(5, 15) for y in range(20, 30)]
    png = cv2.imencode(".png", image)[1].tobytes()
    samples = Samples([Sample("dot", png, (48, 62), Fixations.from_rows(rows), 2.0)])
    images = keras.Input((*SIZE, 3))
    cache = FeatureCache(tmp_path, keras.Model(images, keras.layers.Identity()(images)), samples, SIZE, flip=True)
    seen = set()
    for epoch in range(12):
        options = {"flip": True, "epoch": epoch}
        picture, target = (part.numpy() for part in next(iter(samples.pipeline(SIZE, 1, **options))))
        (feature,), _ = next(iter(samples.pipeline(SIZE, 1, features=cache, **options)))
        np.testing.assert_allclose(feature, picture, atol=0.1)
        bright = np.where(target[0, ..., 2] > 0, picture[0, ..., 0], 0)
        centres = [np.average(np.arange(32), weights=m.sum(0)) for m in (bright, target[0, ..., 1])]
        assert abs(centres[0] - centres[1]) < 0.3
        seen.add(round(centres[1]))
    assert len(seen) == 2


def test_a_folder_with_other_files_is_left_alone(tiny, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / "tap0-0.npy").write_text("mine")
    with pytest.raises(ValueError, match="holds thesis.tex, which is no part of a feature cache"):
        FeatureCache(tmp_path, backbone(), tiny.train, SIZE)
    assert len(list(tmp_path.iterdir())) == 2


def test_large_activations_stay_finite(tiny, tmp_path):
    FeatureCache(tmp_path, backbone(1e4), tiny.train, SIZE)
    assert np.load(tmp_path / "tap0-0.npy").max() == FLOAT16_MAX


@pytest.fixture
def full_disk():
    """A disk on which no file can grow beyond that many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_error_and_leaves_nothing(tiny, tmp_path, monkeypatch, full_disk):
    network, usage = backbone(), shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(OSError, match=r"The features need 0 MB, and 0 MB are free. Make room .*: '.*cache'"):
        FeatureCache(tmp_path / "cache", network, tiny.train, SIZE)
    # Another process fills it meanwhile.
    monkeypatch.undo()
    # A memory map would end the process with SIGBUS, and no test could see it.
    monkeypatch.delattr(np.lib.format, "open_memmap")
    full_disk(3000)
    with pytest.raises(OSError, match=r"Make room and try again: '.*tap0-0.npy'"):
        FeatureCache(tmp_path / "cache", network, tiny.train, SIZE)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_a_killed_process_has_left_is_replaced(tiny, tmp_path):
    for name in ("tap0-0.npy", "tap7-0.npy", ".part.tap0-0.npy", ".part.complete.json"):
        (tmp_path / name).write_text("half")
    FeatureCache(tmp_path, backbone(), tiny.train, SIZE)
    assert {path.name for path in tmp_path.iterdir()} == {"tap0-0.npy", "tap1-0.npy", "complete.json"}


def test_only_caches_are_cleared(tiny, tmp_path):
    for part in ("train", "validation"):
        FeatureCache(tmp_path / part, backbone(), tiny.test, SIZE)
    mine = [tmp_path / "notes.txt", tmp_path / "train" / "mine.npy"]
    for path in mine:
        path.write_text("mine")
    clear_features(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == mine
    for path in mine:
        path.unlink()
    clear_features(tmp_path)
    assert not tmp_path.exists()


def test_there_may_be_more_sizes_than_files_that_can_be_open(tmp_path):
    shapes = [(8 * i, 8 * j) for i in range(2, 6) for j in range(2, 6)]
    image = {shape: tf.io.encode_png(np.zeros((*shape, 3), "uint8")).numpy() for shape in shapes}
    looked = Fixations.from_rows([(1, 1, 0, 0.0)])
    samples = Samples([Sample(str(shape), image[shape], shape, looked, 2.0) for shape in shapes], pixels_per_degree=1.0)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # As many as are open, and one for each size.
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + len(shapes), before[1]))
    try:
        cache = FeatureCache(tmp_path, backbone(size=(None, None)), samples, View(64, 8, pixels_per_degree=1.0))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(cache.taps) == len(shapes)
