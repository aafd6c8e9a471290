"""What other runtimes give for photographs, beside TensorFlow."""

import json
import subprocess

import cv2
import keras
import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

import keras_saliency as ks
from keras_saliency.cli import app
from keras_saliency.runtimes import export, table
from keras_saliency.runtimes.table import RUNTIMES

# The modules of all runtimes are installed for tests, but where these run with the lowest versions of everything.
for runtime in RUNTIMES.values():
    for module in (runtime.runs_by, *runtime.made_by):
        pytest.importorskip(module)
each_runtime = pytest.mark.parametrize("to", RUNTIMES)


@pytest.fixture(scope="module")
def photographs():
    """Fifty, of eight sizes."""
    rng = np.random.default_rng(0)
    wholes = [skimage.data.coffee(), skimage.data.cat(), skimage.data.astronaut(), skimage.data.rocket()]
    sizes, found = rng.integers(70, 280, (8, 2)), []
    for i in range(50):
        whole, (height, width) = wholes[i % 4], sizes[i % 8]
        top, left = (rng.integers(0, side - cut) for side, cut in zip(whole.shape, (height, width), strict=False))
        found.append(whole[top : top + height, left : left + width].copy())
    return [*found[:-1], np.tile(found[-1], (1, 5, 1))]  # the last in windows


@pytest.fixture(scope="module")
def folder(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for i, image in enumerate(photographs[:6]):
        cv2.imwrite(str(folder / f"{i:02}.png"), image[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def model(tiny_backbone):
    """One that looks twice at pictures of any shape, mixed as those that come along are."""
    keras.utils.set_random_seed(3)
    network = ks.create_model(backbone=tiny_backbone, weights=None, area=64 * 96)
    head = ks.models.recording.with_recording_head(network, ["one"])
    return ks.models.mix([head], "tiny", sizes=(1.0, 0.5))


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """A function from the name of a runtime to the folder of the network, made once."""
    made = {}

    def make(to):
        if to not in made:
            made[to] = tmp_path_factory.mktemp("networks") / to
            assert ks.export_network(model, made[to], to) is None
        return made[to]

    return make


@each_runtime
def test_photographs_have_the_maps_of_tensorflow(to, exported, model, photographs):
    network = ks.open_network(exported(to))
    assert network.name == "tiny" and network.log_density and network.shown == model.view
    for image in photographs:
        expected, received = ks.predict(model, image), network.native(image)
        assert received.shape == image.shape[:2]
        np.testing.assert_allclose(received, expected, atol=1e-3)
        grey = [np.round(255 * np.exp(each - each.max())) for each in (expected, received)]
        assert np.abs(grey[0] - grey[1]).max() <= 1


@each_runtime
def test_batches_of_any_size_are_taken(to, exported, model, rng):
    network = ks.open_network(exported(to))
    for shape in ((3, 64, 96, 3), (1, 96, 64, 3), (2, 64, 160, 3)):
        images = rng.uniform(0, 255, shape).astype("float32")
        expected = keras.ops.convert_to_numpy(model(images, training=False))
        np.testing.assert_allclose(network.call(images), expected, atol=1e-3)


# The others take half a minute each.
@pytest.mark.parametrize(
    "to", ["litert", *(pytest.param(to, marks=pytest.mark.slow) for to in RUNTIMES if to != "litert")]
)
def test_int8_is_smaller_and_says_what_it_loses(to, exported, model, folder, photographs, tmp_path):
    lost = ks.export_network(model, tmp_path / "small", to, quantize="int8", photographs=folder)
    network = ks.open_network(tmp_path / "small")
    kept = [ks.predict(model, image) for image in photographs[:6]]
    made = [network.native(image) for image in photographs[:6]]
    measured = np.mean([np.sum(np.exp(k) * (k - m)) for k, m in zip(kept, made, strict=True)]) / np.log(2)
    # At the size that the network sees, and without what resizing adds.
    assert 0 < lost < 0.05 and measured == pytest.approx(lost, rel=0.5, abs=1e-3)
    assert json.loads((tmp_path / "small" / "network.json").read_text())["quantized"] == "int8"
    # Its weights are 8-bit: other values than before come out.
    assert max(np.abs(k - m).max() for k, m in zip(kept, made, strict=True)) > 1e-3


def test_a_frame_is_kept(tiny_backbone, photographs, tmp_path):
    network = ks.create_model(backbone=tiny_backbone, weights=None, head="density", input_size=(64, 96))
    ks.export_network(network, tmp_path / "framed", "litert")
    opened = ks.open_network(tmp_path / "framed")
    assert opened.shown == (64, 96) and not opened.log_density
    np.testing.assert_allclose(opened.native(photographs[0]), ks.predict(network, photographs[0]), atol=1e-3)


def test_networks_are_evaluated_beside_models(exported, model, tiny):
    rows = ks.evaluate([exported("onnx"), model], tiny, verbose=False).summary
    assert rows["onnx"]["ig"]["mean"] == pytest.approx(rows["tiny"]["ig"]["mean"], abs=1e-3)


def test_the_command_line_exports(model, folder, tmp_path):
    model.save(tmp_path / "tiny.keras")
    where = [str(tmp_path / "tiny.keras"), str(tmp_path / "small")]
    said = CliRunner().invoke(
        app, ["export", *where, "--to", "litert", "--quantize", "int8", "--photographs", str(folder)]
    )
    assert said.exit_code == 0, said.exception
    assert "int8 loses 0." in said.output and (tmp_path / "small" / "network.tflite").is_file()
    said = CliRunner().invoke(app, ["export", *where, "--quantize", "int8"])
    assert "--quantize and --photographs are for --to litert, onnx or openvino" in str(said.exception)


def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(model, folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="Unknown runtime 'tensorrt'. Known runtimes: litert, onnx, openvino"):
        ks.export_network(model, tmp_path / "new", "tensorrt")
    with pytest.raises(ValueError, match="Unknown quantize='int4'. Known: int8"):
        ks.export_network(model, tmp_path / "new", "onnx", quantize="int4", photographs=folder)
    for given in ({"quantize": "int8"}, {"photographs": folder}):
        with pytest.raises(ValueError, match="An int8 network needs photographs"):
            ks.export_network(model, tmp_path / "new", "onnx", **given)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").write_text("mine")
    with pytest.raises(FileExistsError, match="mine exists already"):
        ks.export_network(model, tmp_path / "mine", "onnx")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(OSError, match="broken.jpg: the image cannot be decoded"):
        ks.export_network(model, tmp_path / "new", "onnx", quantize="int8", photographs=tmp_path / "broken.jpg")
    # What gives other maps is not written.
    wrong = table.RUNTIMES["litert"].load
    other = table.dataclasses.replace(RUNTIMES["litert"], load=lambda file: lambda images: wrong(file)(images) + 0.01)
    monkeypatch.setitem(table.RUNTIMES, "litert", other)
    with pytest.raises(RuntimeError, match="tiny cannot be converted to litert: its maps differ from those of Tensor"):
        ks.export_network(model, tmp_path / "new", "litert")
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".part*"))
    monkeypatch.setattr(table.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"onnx needs onnxruntime, onnx, tf2onnx: install .*'keras_saliency\[onnx\]'"):
        ks.export_network(model, tmp_path / "new", "onnx")


def test_what_is_no_network_is_one_line(exported, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"network.json does not exist. Expected the folder that `export --to`"):
        ks.open_network(tmp_path)
    about = json.loads((exported("onnx") / "network.json").read_text())
    for wrong in ("[]", "{", json.dumps({**about, "view": {"area": -3}}), json.dumps({**about, "view": None})):
        (tmp_path / "network.json").write_text(wrong)
        with pytest.raises(ValueError, match="does not describe a network .* Export it again"):
            ks.open_network(tmp_path)
    (tmp_path / "network.json").write_text(json.dumps(about))
    (tmp_path / "network.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"network.onnx cannot be opened .* Export it again"):
        ks.open_network(tmp_path)


def test_other_backends_leave_it_to_tensorflow(model, tmp_path, monkeypatch):
    asked = []

    def run(command, **options):
        asked.append((json.loads(command[-1]), options["env"]["KERAS_BACKEND"]))
        return subprocess.CompletedProcess(command, 0, "null\n", "")

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(subprocess, "run", run)
    assert export.export_network(model, tmp_path / "new", "onnx", size=(64, 96)) is None
    ((told, backend),) = asked
    assert backend == "tensorflow" and told["name"] == "export_network"
    assert told["arguments"]["to"] == "onnx" and told["arguments"]["size"] == [64, 96]
