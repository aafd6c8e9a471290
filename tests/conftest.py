"""What several tests share."""

import contextlib
import dataclasses
import functools
import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("KERAS_SALIENCY_DATA", REPOSITORY.parent / "shared" / "data"))

# To look for examples in the programs that some tests start would run them, in every process of the suite.
collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")]

# Files that take long begin, so that both cores end at once.
LONGEST = ("training", "test_backends.py", "test_documentation.py", "test_cli.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not {*item.path.parts} & {*LONGEST})


def slowly(names, slow):
    """Parameters of a test, of which those in `slow` are left to `make test-slow`."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


@pytest.fixture(scope="session", autouse=True)
def little_garbage():
    """To look for garbage among the millions of objects of the frameworks takes a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """A cache of this run, which its processes share: real data are read once."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_SALIENCY_CACHE", str(folder / "cache"))
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def eager():
    """Runs the few steps of a test as they stand: to make their graph takes longer."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@contextlib.contextmanager
def channels_first():
    """A context in which Keras is configured as its keras.json may say: for SAM's old code, for one."""
    import keras

    keras.config.set_image_data_format("channels_first")
    try:
        yield
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


def data_folder(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"needs {name}: set KERAS_SALIENCY_DATA to a folder that holds {name}/")
    return DATA / name


@functools.cache
def real_data(name):
    """A real data set, which takes seconds to read; skips where it is absent."""
    from keras_saliency import data

    return data.load(name, data_folder(name))


@pytest.fixture(scope="session")
def tiny_backbone():
    """The name of a backbone of a few layers, so that tests of what is built on it are fast."""
    import keras

    from keras_saliency.backbones import BACKBONES, Backbone

    def build(images, weights=None):
        x = images
        for stage in range(4):
            x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name=f"conv{stage}")(x)
            x = keras.layers.BatchNormalization()(x)
            x = keras.layers.ReLU(name=f"stage{stage}")(x)
        return keras.Model(images, x)

    BACKBONES["tiny"] = Backbone(build, [1 / 128] * 3, [-1.0] * 3, False, ("stage2", "stage3"))
    yield "tiny"
    del BACKBONES["tiny"]


@pytest.fixture(scope="session")
def saved(tiny_backbone, tmp_path_factory):
    """A folder with a SavedModel of version 1, and one of another model, of version 2."""
    import keras

    import keras_saliency as ks

    folder = tmp_path_factory.mktemp("served")
    for seed, place in enumerate(("tiny/1", "later/2")):
        keras.utils.set_random_seed(seed)
        ks.export_saved_model(ks.create_model(backbone=tiny_backbone, weights=None, area=64 * 96), folder / place)
    return folder


@pytest.fixture(scope="session")
def tiny():
    """A synthetic data set of a few images."""
    from keras_saliency.data import synthetic

    return synthetic.read(splits={"train": 8, "validation": 4, "test": 4})


@pytest.fixture(scope="session")
def model():
    """A model of one layer that gives a log-density, its weights random."""
    import keras

    from keras_saliency import layers

    keras.utils.set_random_seed(0)
    images = keras.Input((64, 100, 3))
    x = keras.layers.Conv2D(1, 5, padding="same", kernel_initializer=keras.initializers.RandomNormal(0, 0.002))(images)
    return keras.Model(images, layers.LogSoftmax()(x))


def make_loss(name, /, **arguments):
    """A loss of the table; a perceptual one with a few layers of random weights, so that tests of all are fast."""
    from keras_saliency.losses import LOSSES

    if name in ("deep_features", "gram"):
        arguments = {"weights": None, "taps": ("block1_conv1", "block2_conv1"), **arguments}
    return LOSSES[name](**arguments)


def run_command(monkeypatch, capsys, *arguments):
    """Runs the command line: the exit code, and what was written to both streams, on one line."""
    from keras_saliency import cli

    monkeypatch.setattr(sys, "argv", ["keras-saliency", *map(str, arguments)])
    monkeypatch.setattr(cli.console, "_width", 400)
    monkeypatch.setenv("COLUMNS", "400")
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, " ".join((captured.out + captured.err).split())


NEGATIVES = [[0.1, 0.2], [0.1, 0.2], [0.5, 0.5], [0.99, 0.3], [0.7, 0.8]]  # fixations of other images


def every_metric():
    """The name and convention of every metric, and a function that makes it."""
    import functools

    from keras_saliency.formulas.conventions import CONVENTIONS
    from keras_saliency.metrics import METRICS

    needed = {"sauc": {"negatives": NEGATIVES}}
    return {
        (name, convention): functools.partial(METRICS[name], convention=convention, **needed.get(name, {}))
        for convention, rows in CONVENTIONS.items()
        for name in rows
    }


def every_loss(from_logits=False, sums=True):
    """Every row of the table, every convention, and the sum of all."""
    from keras_saliency.losses import LOSSES, NSS, combo

    made = [make_loss(name, from_logits=from_logits) for name in LOSSES]
    made += [
        loss(from_logits=from_logits, convention=convention, name=f"{name}_{convention}")
        for name, loss in LOSSES.items()
        for convention in loss.conventions
    ]
    made.append(NSS(relative=True, from_logits=from_logits, name="nss_relative"))
    return [*made, combo(*made)] if sums else made


def make_truth(rng, shape):
    """A random density and fixation counts, at least one fixation in each image."""
    density = rng.random(shape).astype("float32")
    fixations = rng.poisson(0.4, shape).astype("float32")
    fixations[:, 0, 0] = 1
    return density, fixations


def assert_same_data(one, other):
    """Fails unless two data sets are the same in every field, whatever fields there are."""
    from keras_saliency.data import Samples

    if dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            assert_same_data(getattr(one, field.name), getattr(other, field.name))
        assert one.__dict__.get("orientation") == other.__dict__.get("orientation")
    elif isinstance(one, Samples):
        assert one.pixels_per_degree == other.pixels_per_degree and len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_same_data(*pair)
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other, strict=True)
    else:
        assert one == other
