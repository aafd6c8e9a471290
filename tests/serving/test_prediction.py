import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import skimage.data
from PIL import Image

import keras_saliency as ks
from keras_saliency.evaluation import sources
from keras_saliency.models import calling, cost
from keras_saliency.serving import prediction, writing


@pytest.fixture(scope="module")
def network(tiny_backbone):
    return ks.create_model(backbone=tiny_backbone, input_size=(64, 96))


def test_no_image_in_a_folder_is_passed_over_silently(network, tmp_path):
    picture = Image.fromarray(skimage.data.cat()[::8, ::8])
    for name in ("a.webp", "b.gif", "c.bmp", "d.JPEG", "e.png", "f.tif", "e.tiff"):
        picture.save(tmp_path / name)
    (tmp_path / "g.heic").write_bytes(b"....ftypheic")
    (tmp_path / "notes.txt").write_text("no image")
    written, skipped = prediction.predict_files(network, [tmp_path], tmp_path / "maps")
    assert [path.name for path in written] == [f"{name}_saliency.png" for name in "abcde"]
    for line, name in zip(skipped, ("e.tiff", "f.tif", "g.heic"), strict=True):
        assert line.startswith(f"{tmp_path / name}: the image cannot be decoded (Unknown image file format.")
        assert line.endswith("Save it again as PNG or JPEG.")
    with pytest.raises(OSError, match=r"f.tif: the image cannot be decoded .*Save it again as PNG or JPEG"):
        prediction.predict(network, tmp_path / "f.tif")
    np.testing.assert_array_equal(prediction.predict(network, tmp_path / "e.png").shape, picture.size[::-1])


def save(path, size=(24, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype="uint8")).save(path)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_bad_photograph_is_named_and_ends_nothing(network, tmp_path):
    photographs, out = tmp_path / "photographs", tmp_path / "maps"
    save(photographs / "a.png")
    whole = (photographs / "a.png").read_bytes()
    bad = {
        "bomb.png": whole[:16] + (10_000).to_bytes(4, "big") * 2 + whole[24:],
        "cut.png": whole[:200],
        "nothing.jpg": b"",
        "start.jpg": b"\xff\xd8\xff",
    }
    for name, data in bad.items():
        (photographs / name).write_bytes(data)
    for pipe in (photographs / "pipe.png", tmp_path / "pipe2.png"):
        os.mkfifo(pipe)
    save(photographs / "tape.png", (1, 70_000))  # longer than a JPEG file, which the overlay is, may be
    save(photographs / "z.png")
    written, skipped = prediction.predict_files(network, [photographs, tmp_path / "pipe2.png"], out)
    assert [path.name for path in written] == ["a_saliency.png", "z_saliency.png"]
    named = [Path(line.split(": ")[0].split(" is ")[0]).name for line in skipped]
    assert named == [*sorted([*bad, "pipe.png", "tape.png"]), "pipe2.png"]
    assert "it has more than 67,108,864 pixels). Save it again as PNG or JPEG, smaller." in skipped[0]
    assert names(out) == [f"{name}_{end}" for name in "az" for end in ("overlay.jpg", "saliency.png")]


def test_what_is_there_is_kept_or_replaced_as_told(network, tmp_path):
    photographs, out = tmp_path / "photographs", tmp_path / "maps"
    for name in ("a.png", "deep/b.png"):
        save(photographs / name)
    first, _ = prediction.predict_files(network, [photographs], out)
    kept, lost = first[0], first[1]
    complete = lost.read_bytes()
    kept.write_bytes(b"mine")
    lost.unlink()
    with pytest.raises(FileExistsError, match="--resume or --overwrite"):
        prediction.predict_files(network, [photographs], out)
    with pytest.raises(ValueError, match="Known: error, resume, overwrite"):
        prediction.predict_files(network, [photographs], out, existing="keep")
    seen = []
    again = prediction.predict_files(network, [photographs], out, False, lambda *n: seen.append(n), "resume")
    assert again == (first, []) and seen == [(2, 2)]
    assert (kept.read_bytes(), lost.read_bytes()) == (b"mine", complete)
    assert prediction.predict_files(network, [photographs], out, existing="overwrite") == (first, [])
    assert Image.open(kept).size == (32, 24)
    exact, _ = prediction.predict_files(network, [photographs], out, log_density=True, existing="resume")
    assert exact == first and len(names(out)) == 6


def test_maps_are_no_photographs_the_next_time(network, tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "own_saliency.png")  # which is beside no own.png
    (tmp_path / ".b_saliency.part.png").write_bytes(b"of a process that was killed")
    expected = [tmp_path / "a_saliency.png", tmp_path / "own_saliency_saliency.png"]
    assert prediction.predict_files(network, [tmp_path], tmp_path) == (expected, [])
    assert prediction.predict_files(network, [tmp_path], tmp_path, existing="overwrite") == (expected, [])
    inside = tmp_path / "maps"
    for existing in ("error", "resume"):
        written, _ = prediction.predict_files(network, [tmp_path], inside, existing=existing)
        assert [path.name for path in written] == [path.name for path in expected]
    assert len(prediction.predict(network, tmp_path / "a_saliency.png").shape) == 2


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(network, tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(prediction, "_forward", None)
    with pytest.raises(OSError, match=r"file cannot be written to: .*Choose another --out folder"):
        prediction.predict_files(network, [tmp_path / "a.png"], tmp_path / "file")


def test_a_full_disk_leaves_no_partial_file_and_no_map(network, tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    complete = Path.write_bytes

    def fill(path, data):
        complete(path, data[:9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space left"):
        prediction.predict_files(network, [tmp_path / "a.png"], tmp_path / "maps")
    assert names(tmp_path / "maps") == []
    monkeypatch.setattr(
        Path, "write_bytes", lambda path, data: fill(path, data) if ".jpg" in path.name else complete(path, data)
    )
    with pytest.raises(OSError, match="No space left"):
        prediction.predict_files(network, [tmp_path / "a.png"], tmp_path / "maps")
    assert names(tmp_path / "maps") == []


def test_strips_of_a_large_photograph_are_those_of_the_whole(network, monkeypatch):
    rng = np.random.default_rng(0)
    image, saliency = rng.integers(0, 256, (50, 70, 3), dtype="uint8"), rng.random((50, 70)).astype("float32")
    for is_log_density in (True, False):
        whole = writing.draw(image, saliency, is_log_density, True)
        with monkeypatch.context() as patch:
            patch.setattr(writing, "STRIP", 300)
            assert writing.draw(image, saliency, is_log_density, True) == whole


def test_work_in_flight_is_bounded_and_in_order():
    seen, running, most = [], [], []

    def work(item):
        running.append(item)
        most.append(sum(running))
        time.sleep(0.002 * (5 - item % 5))
        running.remove(item)
        return item

    items = [3, 1, 2, 9, 1, 1, 1, 4, 2]
    with ThreadPoolExecutor(4) as pool:
        seen = list(writing.in_order(pool, work, items, 4, lambda item: item))
    assert seen == items and max(most) == 9 and sorted(most)[-2] <= 4


@pytest.fixture(scope="module")
def of_any_size():
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(1, 3, padding="same", activation="softplus", kernel_initializer="ones")(images)
    return keras.Model(images, maps, name="mine")


def test_a_model_of_any_size_is_predicted_with_exported_opened_and_scored(of_any_size, tiny, tmp_path):
    of_any_size.save(tmp_path / "mine.keras")
    loaded = ks.load(tmp_path / "mine.keras")
    sample = tiny.test[0]
    height, width = sample.size
    image = sample.read()
    own = ks.predict(loaded, image)
    np.testing.assert_allclose(own, of_any_size.predict(image[None], verbose=0)[0, ..., 0], rtol=1e-5)
    small = ks.predict(loaded, image, size=(height // 2, width // 2))
    assert small.shape == own.shape and np.abs(small - own).max() > 1
    assert ks.predict(loaded, np.zeros((4, 3000, 3), "uint8")).shape == (4, 3000)
    (opened,) = sources.open_source(tmp_path / "mine.keras").predictions(tiny.test[:1])
    np.testing.assert_allclose(opened.values, own, rtol=1e-5)
    with pytest.raises(
        ValueError, match=r"mine takes images of any size: say which, such as size=\(240, 320\) or --size 240 320"
    ):
        ks.export_saved_model(loaded.model, tmp_path / "1")
    with pytest.raises(ValueError, match="mine takes images of any size"):
        cost.flops(of_any_size)
    ks.export_saved_model(loaded.model, tmp_path / "1", size=sample.size)
    (served,) = sources.SavedModelSource(tmp_path / "1").predictions(tiny.test[:1])
    np.testing.assert_allclose(served.values, own, rtol=1e-4)


@pytest.mark.parametrize("size", [(None, None), (0, 32), (64,), 64, (64.5, 64), "ab", ()])
def test_a_size_is_two_whole_numbers(network, size):
    with pytest.raises(ValueError, match=r"input_size must be \(height, width\) in pixels, such as \(240, 320\)"):
        ks.create_model(input_size=size, weights=None)


def test_a_size_that_a_model_does_not_take_is_named(network):
    picture = np.zeros((20, 30, 3), "uint8")
    assert ks.predict(network, picture, size=(32, 40)).shape == (20, 30)  # it takes any
    images = keras.Input((16, 16, 3))
    fixed = keras.Model(images, keras.layers.Conv2D(1, 1, activation="relu")(images), name="fixed")
    with pytest.raises(ValueError, match=r"fixed takes images of \(16, 16\) alone. Received: size=\(32, 40\)"):
        ks.predict(fixed, picture, size=(32, 40))
    images = keras.Input((None, None, 3))
    x = keras.layers.UpSampling2D(8)(keras.layers.AveragePooling2D(8)(images))
    x = keras.layers.Conv2D(1, 1, activation="relu")(keras.layers.Concatenate()([x, images]))
    with pytest.raises(
        ValueError, match=r"multiples cannot take an image of 20x30: .* size=\(480, 640\) or --size 480 640"
    ):
        ks.predict(keras.Model(images, x, name="multiples"), picture)


def test_a_graph_is_made_when_there_are_several_pictures(rng, monkeypatch):
    images = keras.Input((None, None, 3))
    model = keras.Model(images, keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(images))
    pictures = rng.integers(0, 256, (5, 32, 48, 3), dtype="uint8")
    compiled, original = [], model.predict_on_batch
    monkeypatch.setattr(model, "predict_on_batch", lambda batch: compiled.append(len(batch)) or original(batch))
    found = ks.predict(model, list(pictures))
    assert len(compiled) == len(pictures) - calling.FEW
    for picture, density in zip(pictures, found, strict=True):
        np.testing.assert_allclose(density, original(picture[None].astype("float32"))[0, ..., 0], rtol=1e-4, atol=1e-5)
