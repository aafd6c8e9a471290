"""What comes with the package, and how it is written and read."""

import json
import struct

import keras
import numpy as np
import pytest
from conftest import real_data
from keras import ops

import keras_saliency as ks
from keras_saliency.models import boxed, shipped
from keras_saliency.models.recording import network_of, recording_head_of, with_recording_head

MEMBER = {"name": "multilevel", "backbone": "tiny", "area": 60 * 80, "width": 0.5}
IMAGES = {"train": ["lab/1.jpg"], "validation": []}
NUMBERS = {"gain": 0.7, "blur": 0.01, "centre_weight": 0.4, "uniform_share": 0.02}


@pytest.fixture
def box(tiny_backbone, tmp_path, monkeypatch):
    """A model of two members with heads of two recordings, and a folder in which it is shipped as `small`."""
    keras.utils.set_random_seed(0)
    members = [MEMBER, {**MEMBER, "width": 0.25}]
    networks = []
    for member in members:
        model = with_recording_head(ks.create_model(**member, weights=None), ["lab", "field"])
        for i, recording in enumerate(("lab", "field", None)):
            bias = np.random.default_rng(i).random((120, 160)) + 0.1
            recording_head_of(model).set({**NUMBERS, "gain": 0.7 - i / 10}, bias, recording)
        centre_bias = model.get_layer("decoder").get_layer("centre_bias")
        centre_bias.set_density(np.ones(centre_bias.log_density.shape[1:3]))
        networks.append(model)
    mixture = ks.models.mix(networks)
    path = tmp_path / "small.safetensors"
    shipped.write_file(path, [network_of(model) for model in networks], members, mixture, images=IMAGES)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setitem(shipped.SHIPPED, "small", shipped.checksum(path))
    return mixture, path


def test_a_model_comes_with_the_package(box, rng):
    mixture, _ = box
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    run = ks.load("small")
    assert run.name == "small"
    # Kernels are in half precision.
    np.testing.assert_allclose(run.model(images), mixture(images), atol=5e-3)
    head = recording_head_of(run.model)
    assert head.numbers_of("field") == pytest.approx({**NUMBERS, "gain": 0.6}) and head.recording is None
    for recording in ("lab", "field", None):
        original = recording_head_of(mixture).centre_bias_of(recording)
        np.testing.assert_allclose(head.centre_bias_of(recording), original, rtol=2e-3)
    for call in (lambda: ks.predict("small", images[0].astype("uint8")), lambda: ks.sources.open_source("small")):
        assert call() is not None


def test_a_network_takes_the_weights_of_a_member(box, rng):
    mixture, _ = box
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    for width, member in ((0.5, "member1"), (0.25, "member2")):
        model = ks.create_model(**{**MEMBER, "width": width}, weights="small")
        np.testing.assert_allclose(model(images), mixture.get_layer(member)(images), atol=5e-3)
    with pytest.raises(
        ValueError, match="'small' fit another architecture .* Ask for name='multilevel', .*width=0.5; or .*width=0.25"
    ):
        ks.create_model(**{**MEMBER, "width": 1.0}, weights="small")


@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_file_that_was_changed_is_not_read(box, harm):
    _, path = box
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
        with pytest.raises(FileNotFoundError, match=r"small.safetensors does not exist. Install keras_saliency again"):
            ks.load("small")
        return
    path.write_bytes(content[:-9] if harm == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"small.safetensors is not the file that came with .* Install .* again"):
        ks.load("small")


def test_a_file_holds_tensors_and_no_code(box):
    _, path = box
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    config = json.loads(header.pop("__metadata__")["config"])
    members = [MEMBER, {**MEMBER, "width": 0.25}]
    assert config == {"members": members, "sizes": [1.0], "recordings": ["lab", "field"], "images": IMAGES}
    assert {tensor["dtype"] for tensor in header.values()} == {"F16", "F32"}
    stored = shipped.read_file(path)
    assert all(weight.dtype == "float32" for weight in [*stored.members[0], *stored.head])
    assert boxed.assemble(stored, "again").name == "again"


@pytest.mark.parametrize("name", shipped.SHIPPED)
def test_what_is_shipped_has_seen_no_photograph_that_is_held_out(name):
    seen = shipped.read(name).config["images"]
    for outer, inner in (("osie", ("osie", "osie-mouse")), ("scene", ("scene",)), ("eyevis", ("eyevis",))):
        data = real_data(outer)
        held = {sample.name for sample in (*data.validation, *data.test)}
        for one in inner:
            trained = {each.removeprefix(f"{one}/") for each in seen["train"] if each.startswith(f"{one}/")}
            assert trained and not trained & held
            assert trained <= {sample.name for sample in data.train}
            chosen = {each.removeprefix(f"{one}/") for each in seen["validation"] if each.startswith(f"{one}/")}
            assert chosen and not chosen & {sample.name for sample in data.test}


@pytest.mark.parametrize("name", shipped.SHIPPED)
def test_what_is_shipped_predicts(name):
    image = np.zeros((1, 64, 96, 3), "float32")
    image[:, 20:40, 60:80] = 255
    model = ks.load(name).model
    density = np.exp(model(image))[0, ..., 0]
    assert density.sum() == pytest.approx(1, rel=1e-4)
    assert np.unravel_index(density.argmax(), density.shape) == pytest.approx((30, 70), abs=12)
    known = {"general": ("osie", "osie-mouse", "scene", "eyevis"), "fast": ("osie", "scene", "eyevis")}
    assert recording_head_of(model).recordings == known[name]


def test_the_files_are_small():
    sizes = {path.stem: path.stat().st_size for path in shipped.FOLDER.iterdir()}
    assert sizes.keys() == shipped.SHIPPED.keys() and sum(sizes.values()) <= 40e6 and sizes["fast"] <= 6e6


def test_names_that_are_not_shipped(box, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="Unknown weights 'large'. Known weights: .*small"):
        shipped.read("large")
    with pytest.raises(FileNotFoundError, match="large does not exist.*comes with the package: .*small"):
        ks.load("large")
    # What lies there goes first.
    monkeypatch.chdir(tmp_path)
    model = ks.create_model(**MEMBER, weights=None)
    (tmp_path / "small").mkdir()
    model.save(tmp_path / "small" / "model.keras")
    assert recording_head_of(ks.load("small").model) is None
    assert ops.shape(ks.load("small").model.outputs[0])[-1] == 1
