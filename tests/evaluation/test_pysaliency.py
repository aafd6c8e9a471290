import configparser
import re
import sys

import h5py
import numpy as np
import pytest
import reference
from conftest import REPOSITORY
from scipy.special import logsumexp

from keras_saliency.evaluation import pysaliency as interop
from keras_saliency.evaluation import sources
from keras_saliency.serving import prediction


@pytest.fixture(scope="module")
def pysaliency():
    """pysaliency 0.2.22, whose AUC_Judd needs a name that NumPy 2.4 has no more."""
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(np, "trapz"):
            patch.setattr(np, "trapz", np.trapezoid, raising=False)
        yield pytest.importorskip("pysaliency", exc_type=ImportError)


@pytest.fixture
def stimuli(pysaliency, tiny):
    """The images of `tiny` as pysaliency's; their names are what its HDF5 files are read by."""
    filenames = [f"stimuli/{sample.name}" for sample in tiny.test]
    return pysaliency.Stimuli([sample.read() for sample in tiny.test], attributes={"filenames": filenames})


def test_pysaliency_is_asked_for_by_name(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "pysaliency", None)
    extras = configparser.ConfigParser()
    extras.read(REPOSITORY / "setup.cfg")
    needed = {re.match(r"\w+", line)[0] for line in extras["options.extras_require"]["pysaliency"].split("\n") if line}
    with pytest.raises(ImportError, match="pip install pysaliency torch") as raised:
        interop.as_pysaliency(model)
    named = str(raised.value).partition("pip install ")[2]
    assert {re.match(r"\w+", part)[0] for part in named.replace("'", "").split()} == needed
    # pysaliency imports it, and does not ask for it.
    assert "torch" in needed


def test_a_wrapped_model_predicts_what_the_package_does(pysaliency, model, tiny):
    wrapped = interop.as_pysaliency(model)
    assert isinstance(wrapped, pysaliency.Model)
    image = tiny.test[0].read()
    log_density = wrapped.log_density(image)
    assert log_density.shape == tiny.test[0].size
    assert log_density.dtype == "float64"
    assert abs(logsumexp(log_density)) < 1e-6
    np.testing.assert_allclose(log_density, prediction.predict_image(model, image), atol=1e-5)
    (expected,) = sources.ModelSource(model, "net").predictions(tiny.test[:1])
    np.testing.assert_allclose(log_density, expected.values, atol=1e-4)
    grey = image[..., 0]
    np.testing.assert_allclose(wrapped.log_density(grey), wrapped.log_density(np.stack([grey] * 3, -1)))


def test_pysaliency_scores_a_wrapped_model(pysaliency, model, tiny, stimuli):
    fixations = [sample.fixations for sample in tiny.test]
    columns = [[getattr(f, axis) for f in fixations] for axis in ("x", "y", "time")]
    trains = pysaliency.FixationTrains.from_fixation_trains(
        *([[value] for part in column for value in part] for column in columns),
        ns=[n for n, part in enumerate(fixations) for _ in range(len(part))],
        subjects=[0] * sum(map(len, fixations)),
    )
    wrapped = interop.as_pysaliency(model)
    expected = [
        np.log(predicted.values.size) + predicted.values[f.pixels()]
        for f, predicted in zip(fixations, sources.ModelSource(model, "net").predictions(tiny.test), strict=True)
    ]
    gain = wrapped.information_gain(stimuli, trains)
    assert gain == pytest.approx(np.mean(np.concatenate(expected)) / np.log(2), abs=1e-4)
    maps = pysaliency.DensitySaliencyMapModel(wrapped)
    counts = [f.counts(sample.size) for f, sample in zip(fixations, tiny.test, strict=True)]
    expected = [reference.auc(*pair) for pair in zip(counts, map(wrapped.log_density, stimuli), strict=True)]
    assert maps.AUC(stimuli, trains) == pytest.approx(np.mean(expected), abs=1e-6)
    assert maps.AUC_Judd(stimuli, trains) == pytest.approx(np.mean(expected), abs=0.01)


def test_pysaliency_reads_what_is_exported(pysaliency, model, tiny, stimuli, tmp_path):
    source = sources.ModelSource(model, "net")
    interop.export_predictions(source, tiny.test, tmp_path / "net.hdf5")
    read = pysaliency.HDF5Model(stimuli, str(tmp_path / "net.hdf5"))
    for stimulus, expected in zip(stimuli, source.predictions(tiny.test), strict=True):
        np.testing.assert_allclose(read.log_density(stimulus), expected.values, atol=1e-5)


def test_what_pysaliency_exported_is_read(pysaliency, model, tiny, stimuli, tmp_path):
    from pysaliency.precomputed_models import export_model_to_hdf5

    wrapped = interop.as_pysaliency(model)
    export_model_to_hdf5(wrapped, stimuli, str(tmp_path / "log_densities.hdf5"))
    predicted = list(sources.HDF5Source(tmp_path / "log_densities.hdf5").predictions(tiny.test))
    for stimulus, (values, *kind) in zip(stimuli, predicted, strict=True):
        assert kind == [True, False]
        np.testing.assert_allclose(values, wrapped.log_density(stimulus), atol=1e-9)
    gaussian = pysaliency.GaussianSaliencyMapModel()
    export_model_to_hdf5(gaussian, stimuli, str(tmp_path / "maps.hdf5"))
    predicted = list(sources.HDF5Source(tmp_path / "maps.hdf5").predictions(tiny.test))
    for stimulus, (values, *kind) in zip(stimuli, predicted, strict=True):
        assert kind == [False, False]
        np.testing.assert_array_equal(values, gaussian.saliency_map(stimulus))


def test_an_export_is_compressed_float32_by_name(tiny, tmp_path):
    maps = [np.zeros(sample.size) for sample in tiny.test]
    interop.export_predictions(maps, tiny.test, tmp_path / "deep" / "maps.h5")
    with h5py.File(tmp_path / "deep" / "maps.h5") as stored:
        assert sorted(stored) == sorted(sample.name for sample in tiny.test)
        for dataset in stored.values():
            assert (dataset.dtype, dataset.compression) == ("float32", "gzip")


def test_an_export_overwrites_nothing(tiny, tmp_path):
    (tmp_path / "maps.h5").write_text("mine")
    with pytest.raises(FileExistsError, match="maps.h5 exists already. Choose another name"):
        interop.export_predictions([], tiny.test, tmp_path / "maps.h5")
    assert (tmp_path / "maps.h5").read_text() == "mine"


def test_a_failed_export_leaves_nothing(tiny, tmp_path):
    maps = [np.zeros(sample.size) for sample in tiny.test]

    def fails():
        yield maps[0]
        raise KeyboardInterrupt

    for predictions, error in (
        (fails(), KeyboardInterrupt),
        (maps[:2], ValueError),
        ([*maps[:3], np.zeros((3, 4))], ValueError),
    ):
        with pytest.raises(error):
            interop.export_predictions(predictions, tiny.test, tmp_path / "maps.h5")
        assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="must have different names"):
        interop.export_predictions(maps[:2], [tiny.test[0]] * 2, tmp_path / "maps.h5")
