import cv2
import h5py
import numpy as np
import pytest

import keras_saliency as ks
from keras_saliency.data.published import SUBMITTED
from keras_saliency.data.published.withheld import withheld_samples
from keras_saliency.evaluation import submission
from keras_saliency.evaluation.sources import FolderSource

SIZES = {"i1.png": (40, 60), "more/i2.png": (64, 30)}


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Two images of a test whose fixations are withheld."""
    for number, (name, size) in enumerate(SIZES.items()):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / name), np.full((*size, 3), 50 * number, "uint8"))

    def read(directory):
        return withheld_samples("mit300", {name: directory / name for name in SIZES}, 20.0)

    monkeypatch.setitem(SUBMITTED, "mit300", read)
    return {"mit300": tmp_path / "images"}


@pytest.mark.parametrize("name", ["mit300.hdf5", "maps"])
def test_what_is_submitted_is_what_the_model_predicts(name, images, model, tmp_path):
    out = ks.submit(model, images, tmp_path / name, verbose=False)
    for sample in SUBMITTED["mit300"](images["mit300"]):
        log_density = ks.predict(model, sample.image)
        if name == "maps":
            found = cv2.imread(str((out / sample.name).with_suffix(".png")), cv2.IMREAD_UNCHANGED)
            density = np.exp(log_density - log_density.max())
            np.testing.assert_allclose(found, 255 * density, atol=0.51)
        else:
            with h5py.File(out) as stored:
                found = stored[sample.name][()]
            np.testing.assert_allclose(found, log_density, atol=1e-5)
            assert abs(np.log(np.exp(found.astype("float64")).sum())) < 1e-4
        assert found.shape == SIZES[sample.name]
    with pytest.raises(FileExistsError, match="exists already. Choose another --out"):
        ks.submit(model, images, out, verbose=False)


def test_maps_are_no_log_densities(images, tmp_path):
    for name, size in SIZES.items():
        (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save((tmp_path / "maps" / name).with_suffix(".npy"), np.random.default_rng(0).random(size))
    with pytest.raises(ValueError, match="The map of i1.png is no log-density.*--out FOLDER"):
        ks.submit(tmp_path / "maps", images, tmp_path / "maps.hdf5", verbose=False)
    assert not (tmp_path / "maps.hdf5").exists()
    ks.submit(FolderSource(tmp_path / "maps"), images, tmp_path / "written", verbose=False)
    assert len([*(tmp_path / "written").rglob("*.png")]) == 2


def test_a_file_that_came_out_wrong_is_not_let_out(images, model, monkeypatch, tmp_path):
    def written(maps):
        def export(predictions, samples, file):
            list(predictions)
            with h5py.File(file, "w") as stored:
                for name, values in maps.items():
                    stored[name] = values

        monkeypatch.setattr(submission, "export_predictions", export)

    uniform = {name: np.full(size, -np.log(np.prod(size)), "float32") for name, size in SIZES.items()}
    faults = {
        "has 1 maps, and there are 2 images": {"i1.png": uniform["i1.png"]},
        "the map of more/i2.png is no log-density": {**uniform, "more/i2.png": uniform["more/i2.png"] + 1},
        "the map of i1.png is no log-density": {**uniform, "i1.png": uniform["i1.png"].T},
    }
    for number, (message, maps) in enumerate(faults.items()):
        written(maps)
        with pytest.raises(ValueError, match=message):
            ks.submit(model, images, tmp_path / f"{number}.hdf5", verbose=False)
        assert not (tmp_path / f"{number}.hdf5").exists()
    written(uniform)
    ks.submit(model, images, tmp_path / "right.hdf5", verbose=False)


def test_what_cannot_be_submitted_is_named(images, model, tmp_path):
    with pytest.raises(ValueError, match="Expected cat2000 or mit300 with its folder. Received: osie"):
        ks.submit(model, {"osie": tmp_path}, tmp_path / "o.hdf5", verbose=False)
    with pytest.raises(FileNotFoundError, match="images are missing"):
        ks.submit(model, {"mit300": tmp_path / "nowhere"}, tmp_path / "o.hdf5", verbose=False)
