"""Models that give maps, not log-densities, in prediction, evaluation and serving."""

import numpy as np
import pytest
from PIL import Image
from registry import small

import keras_saliency as ks
from keras_saliency.evaluation.sources import ModelSource, SavedModelSource
from keras_saliency.serving import load, prediction


@pytest.fixture(scope="module")
def model(tiny_backbone):
    return small("salgan", backbone=tiny_backbone)


def test_maps_are_predicted_evaluated_and_served_alike(model, tiny, tmp_path):
    ks.export_saved_model(model, tmp_path / "served" / "1")
    live, served = (
        list(s.predictions(tiny.test))
        for s in (ModelSource(model, "live"), SavedModelSource(tmp_path / "served" / "1"))
    )
    for sample, one, other in zip(tiny.test, live, served, strict=True):
        assert not one.is_log_density
        assert one.values.shape == tuple(sample.size)
        np.testing.assert_allclose(prediction.predict_image(model, sample.read()), one.values, rtol=1e-4)
        # A SavedModel divides by the peak over the letterbox.
        np.testing.assert_allclose(other.values / other.values.max(), one.values / one.values.max(), rtol=1e-4)


def test_weights_that_are_not_finite_are_refused_at_every_door(tiny_backbone, tiny, tmp_path):
    broken = small("salgan", backbone=tiny_backbone)
    weight = broken.weights[3]
    weight.assign(np.where(np.arange(np.prod(weight.shape)).reshape(weight.shape) == 1, np.nan, 0.5))
    broken.save(tmp_path / "model.keras")
    (tmp_path / "photo.png").write_bytes(tiny.test[0].image)
    doors = {
        "predict": lambda: ks.predict(broken, tmp_path / "photo.png"),
        "predict_files": lambda: prediction.predict_files(broken, [tmp_path / "photo.png"], tmp_path / "maps"),
        "predict_image": lambda: prediction.predict_image(broken, tiny.test[0].read()),
        "evaluate": lambda: ks.evaluate(broken, tiny, out=tmp_path / "scores"),
        "export": lambda: ks.export_saved_model(broken, tmp_path / "served" / "1"),
        "load": lambda: ks.load(tmp_path),
    }
    for name, door in doors.items():
        with pytest.raises(ValueError, match=r"weight .* has NaN or infinite values: its training diverged"):
            door()
        assert not [(tmp_path / out).exists() for out in ("maps", "scores", "served")].count(True), name


def test_weights_are_looked_at_once(model, tiny, tmp_path, monkeypatch):
    model.save(tmp_path / "model.keras")
    looked = []
    for module in (load, prediction):
        monkeypatch.setattr(module, "require_finite", looked.append)
    image = tiny.test[0].read()
    (tmp_path / "photo.png").write_bytes(tiny.test[0].image)
    for given in (model, tmp_path, load.Run(tmp_path, model)):
        for what, out in ((image, None), (tmp_path / "photo.png", tmp_path / "maps")):
            looked.clear()
            ks.predict(given, what, out, existing="overwrite", verbose=False)
            assert len(looked) == 1


def test_photographs_become_maps_with_a_white_peak(model, tiny, tmp_path):
    (tmp_path / "photo.png").write_bytes(tiny.test[0].image)
    written, skipped = prediction.predict_files(model, [tmp_path / "photo.png"], tmp_path / "maps")
    assert ([path.name for path in written], skipped) == (["photo_saliency.png"], [])
    assert np.asarray(Image.open(tmp_path / "maps" / "photo_saliency.png")).max() == 255
    with pytest.raises(ValueError, match="does not give a log-density"):
        prediction.predict_files(model, [tmp_path / "photo.png"], tmp_path / "other", log_density=True)
    assert not (tmp_path / "other").exists()
