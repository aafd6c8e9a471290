import re
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

import keras_saliency as ks
from keras_saliency.data import geometry, image_files
from keras_saliency.serving import prediction

# Keras is blocked: what loads here needs TensorFlow alone.
SERVE = """
import sys
sys.modules["keras"] = sys.modules["keras_saliency"] = None
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
data = [open(path, "rb").read() for path in sys.argv[3:]]
served = model.signatures["serving_default"](image_bytes=tf.constant(data))
pngs = model.signatures["png"](image_bytes=tf.constant(data))["saliency_png_bytes"].numpy()
pixels = model.signatures["pixels"](pixels=tf.io.decode_image(data[0])[None])
np.savez(sys.argv[2], pixels=pixels["log_density"], png0=np.frombuffer(pngs[0], "uint8"),
         png1=np.frombuffer(pngs[1], "uint8"), **served)
"""


@pytest.fixture(scope="module")
def model(tiny_backbone):
    return ks.create_model(backbone=tiny_backbone, input_size=(96, 128))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    paths = [folder / "coffee.jpg", folder / "deep" / "cat.png"]
    paths[1].parent.mkdir()
    for path, image in zip(paths, (skimage.data.coffee(), skimage.data.cat()), strict=True):
        cv2.imwrite(str(path), image[..., ::-1])
    return paths


def test_a_full_disk_leaves_no_half_of_a_saved_model(tmp_path, monkeypatch):
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, keras.ops.sigmoid(images[..., :1]))

    def save(served, directory, signatures):
        (Path(directory) / "variables").mkdir(parents=True)
        (Path(directory) / "saved_model.pb").write_bytes(b"half")
        raise tf.errors.ResourceExhaustedError(None, None, f"{directory}/saved_model.pb; No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(OSError, match=r"No space left on device. Make room and try again: '.*served/1'"):
        ks.export_saved_model(model, tmp_path / "served" / "1")
    assert list((tmp_path / "served").iterdir()) == []


def test_the_saved_model_serves_what_the_model_predicts(model, photographs, tmp_path):
    ks.export_saved_model(model, tmp_path / "served" / "1")
    output = tmp_path / "served.npz"
    subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "served" / "1"), str(output), *map(str, photographs)], check=True
    )
    served = np.load(output)
    images = [image_files.decode(path.read_bytes()) for path in photographs]
    seen = model.predict(np.stack([geometry.letterbox(image, (96, 128)) for image in images]), verbose=0)
    # Without the padding, over the whole of the map.
    live = np.stack(
        [geometry.unletterbox(one, image.shape[:2], to=(96, 128)) for one, image in zip(seen, images, strict=True)]
    )
    np.testing.assert_allclose(served["log_density"], live, atol=1e-5)
    np.testing.assert_allclose(served["pixels"][0], live[0], atol=1e-5)
    np.testing.assert_allclose(served["saliency"], np.exp(live - live.max((1, 2), keepdims=True)), atol=1e-5)
    for key, image in zip(("png0", "png1"), images, strict=True):
        png = tf.io.decode_png(served[key].tobytes()).numpy()[..., 0]
        log_density = prediction.predict_image(model, image)
        assert png.shape == image.shape[:2]
        np.testing.assert_allclose(png, 255 * np.exp(log_density - log_density.max()), atol=0.51)


def test_an_export_overwrites_nothing(model, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model").write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        ks.export_saved_model(model, tmp_path / "1")
    assert (tmp_path / "1" / "model").read_text() == "mine"


def test_files_and_folders_become_maps_and_overlays(model, photographs, tmp_path):
    folder = photographs[0].parent
    (folder / "broken.jpg").write_bytes(photographs[0].read_bytes()[:2000])
    written, skipped = prediction.predict_files(model, [folder], tmp_path, log_density=True)
    (folder / "broken.jpg").unlink()
    assert len(written) == 2 and all(path.name.endswith("_saliency.png") for path in written)
    assert len(skipped) == 1
    assert "broken.jpg: the image cannot be decoded" in skipped[0]
    image = image_files.read(photographs[1], "cat")
    base = tmp_path / "deep" / "cat"
    log_density = np.load(f"{base}_log_density.npy")
    np.testing.assert_allclose(np.exp(log_density).sum(), 1, rtol=1e-4)
    saliency = cv2.imread(f"{base}_saliency.png", cv2.IMREAD_UNCHANGED)
    assert saliency.shape == log_density.shape == image.shape[:2]
    assert saliency.max() == 255
    assert cv2.imread(f"{base}_overlay.jpg").shape == image.shape
    with pytest.raises(FileExistsError, match="exists already"):
        prediction.predict_files(model, [folder], tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        prediction.predict_files(model, [tmp_path / "nowhere"], tmp_path / "out")


def test_photographs_of_one_name_are_refused(model, photographs, tmp_path):
    (tmp_path / "cat.jpg").write_bytes(photographs[0].read_bytes())
    (tmp_path / "cat.png").write_bytes(photographs[1].read_bytes())
    with pytest.raises(ValueError, match=r"2 images would write .*cat_saliency.png. Rename them"):
        prediction.predict_files(model, [tmp_path], tmp_path / "out")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model.keras does not exist. Expected a .keras file"):
        ks.load(tmp_path)
    (tmp_path / "model.keras").write_text("no model")
    with pytest.raises(ValueError, match="cannot be loaded as a Keras model"):
        ks.load(tmp_path)


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            "Traceback (most recent call last):\nValueError: m.keras cannot be loaded: <class 'Functional'> could not "
            "be. Please\n\nException encountered: Could not locate class 'Twice'. Make sure custom. Full: {'module'}\n",
            "Could not locate class 'Twice'",
        ),
        ("ModuleNotFoundError: No module named 'tensorflow'\n", "No module named 'tensorflow'"),
        ("", "it ended with -9"),
    ],
)
def test_what_keras_on_tensorflow_cannot_export_for_another_backend_is_one_line(
    errors, reason, tiny_backbone, monkeypatch, tmp_path
):
    network = ks.create_model(backbone=tiny_backbone, weights=None, input_size=(64, 96))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    ended = subprocess.CompletedProcess([], -9, "", errors)
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: ended)
    with pytest.raises(
        RuntimeError, match=re.escape(f"cannot be exported by Keras on TensorFlow ({reason}).")
    ) as raised:
        ks.export_saved_model(network, tmp_path / "1")
    assert "\n" not in str(raised.value)
