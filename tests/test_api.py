"""The main job from Python: train, load, evaluate, predict."""

import dataclasses
import io
import time

import keras
import numpy as np
import pytest
import rich.console
import tensorflow as tf
from PIL import Image

import keras_saliency as ks
from keras_saliency.training.recipe import Model
from keras_saliency.writing import progress

RECIPE = dataclasses.replace(
    ks.zoo.find_recipe("demo"), size=(60, 80), batch=4, epochs=1, model=Model("multilevel", "tiny")
)


@pytest.fixture(scope="module")
def run(tiny, tiny_backbone, tmp_path_factory):
    """A finished run, of few steps, whose graph takes longer to make."""
    tf.config.run_functions_eagerly(True)
    try:
        return ks.train(RECIPE, data=tiny, workdir=tmp_path_factory.mktemp("runs") / "small", verbose=False)
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def photographs(tiny, tmp_path):
    """A folder of two photographs."""
    folder = tmp_path / "photographs"
    (folder / "deep").mkdir(parents=True)
    for name, sample in zip(("a.png", "deep/b.png"), tiny.test, strict=False):
        (folder / name).write_bytes(sample.image)
    return folder


def test_a_run_is_model_scores_and_paths(run):
    assert run.name == "small"
    assert {"mean", "low", "high"} == set(run.scores["nss"])
    assert run.result["split"] == "test" and run.result["recipe"] == "demo"
    assert list(run.paths) == ["report", "scores", "per_image", "history", "figures", "model", "saved_model"]
    assert all(path.exists() for path in run.paths.values())
    again = ks.load(run.path)
    assert again.result == run.result
    for weight, other in zip(run.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
    file = ks.load(run.paths["model"])
    assert (file.name, file.scores, list(file.paths)) == ("small", None, ["model"])


def test_training_again_opens_what_is_complete(run, tiny, capsys):
    again = ks.train(RECIPE, data={"synthetic": tiny}, workdir=run.path)
    assert "is complete" in capsys.readouterr().out
    assert again.scores == run.scores
    with pytest.raises(ValueError, match="holds the run of another recipe"):
        ks.train(RECIPE, data=tiny, workdir=run.path, epochs=2, verbose=False)


def test_data_are_folders_or_data_sets(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"which data set lies where: data=\{'osie': 'data/osie'\}"):
        ks.train("osie_lite0", data="data/osie", workdir=tmp_path / "run")
    with pytest.raises(ValueError, match="The recipe 'demo' reads synthetic. Received: data for osie"):
        ks.train("demo", data={"osie": tiny}, workdir=tmp_path / "run")
    # Looking with the mouse is in the folder of OSIE, and not in a data set of it.
    mouse = dataclasses.replace(RECIPE, data="osie-mouse")
    both = dataclasses.replace(RECIPE, data="osie", start=mouse)
    with pytest.raises(ValueError, match="'osie-mouse' needs its folder"):
        ks.train(both, data={"osie": tiny}, workdir=tmp_path / "run", verbose=False)
    with pytest.raises(FileNotFoundError, match="of the data set 'osie-mouse' does not exist"):
        ks.train(mouse, data={"osie-mouse": tmp_path / "nowhere"}, workdir=tmp_path / "run", verbose=False)


def test_evaluate_takes_models_runs_paths_and_names(run, tiny, capsys):
    renamed = keras.Model(run.model.inputs, run.model.outputs, name="renamed")
    scored = ks.evaluate([run, renamed, "signature", "centre_bias"], tiny, verbose=False)
    assert set(scored.summary) == {"small", "renamed", "signature", "uniform", "centre_bias", "gold_standard", "truth"}
    for name in run.scores:
        assert scored.summary["small"][name]["mean"] == pytest.approx(run.scores[name]["mean"], rel=1e-5)
    assert scored.summary["renamed"] == scored.summary["small"]
    assert scored.provenance["data"] == "synthetic" and scored.provenance["images"] == len(tiny.test)
    assert capsys.readouterr().out == ""
    assert set(ks.evaluate(run.path, {"synthetic": tiny}, split="validation", verbose=False).per_image) > {"small"}


def test_predict_gives_the_map_of_an_image_however_it_comes(run, photographs):
    file = photographs / "a.png"
    image = np.asarray(Image.open(file))
    expected = ks.predict(run, image)
    assert expected.shape == image.shape[:2]
    np.testing.assert_allclose(np.exp(expected).sum(), 1, rtol=1e-4)
    for model in (run.model, run.path, str(run.paths["model"])):
        np.testing.assert_array_equal(ks.predict(model, file), expected)
    for several in (photographs, [image, photographs / "deep" / "b.png"], iter([file, photographs / "deep"])):
        first, second = ks.predict(run, several)
        np.testing.assert_array_equal(first, expected)
        assert second.shape == image.shape[:2] and not np.array_equal(first, second)


def test_predict_writes_what_is_to_be_written(run, photographs, tmp_path, capsys):
    (photographs / "broken.png").write_bytes(b"no image")
    predicted = ks.predict(run, photographs, tmp_path / "maps", log_density=True)
    assert [path.name for path in predicted.written] == ["a_saliency.png", "b_saliency.png"]
    assert len(predicted.skipped) == 1 and "broken.png: the image cannot be decoded" in predicted.skipped[0]
    assert np.load(tmp_path / "maps" / "deep" / "b_log_density.npy").shape == (120, 160)
    assert "images 3/3" in capsys.readouterr().out
    with pytest.raises(FileExistsError, match="exists already"):
        ks.predict(run, photographs, tmp_path / "maps")


def test_predict_refuses_what_is_no_image(run, photographs, tmp_path):
    with pytest.raises(ValueError, match=r"An image is \(height, width, 3\), uint8. Received: float64 of shape"):
        ks.predict(run, np.zeros((4, 5, 3)))
    with pytest.raises(ValueError, match="have names to be written by"):
        ks.predict(run, [np.zeros((4, 5, 3), "uint8")], tmp_path / "maps")
    with pytest.raises(FileNotFoundError, match="No .jpg, .*, .png, .* files in an empty list"):
        ks.predict(run, [], tmp_path / "maps")
    with pytest.raises(FileNotFoundError, match="nowhere.jpg does not exist"):
        ks.predict(run, photographs / "nowhere.jpg")


def test_losses_and_metrics_are_had_by_name():
    assert isinstance(ks.losses.get("kld"), ks.losses.KLD)
    assert ks.losses.get("10 kld + 2 cc").weights == {"kld": 10.0, "cc": 2.0}
    assert isinstance(ks.metrics.get("nss"), ks.metrics.NSS)
    for module, name in ((ks.losses, "kld"), (ks.metrics, "nss")):
        made = module.get(name)
        assert module.get(made) is made and module.get(None) is None
        assert type(module.get(type(made))) is type(made)
        serialize = keras.losses.serialize if module is ks.losses else keras.metrics.serialize
        assert type(module.get(serialize(made))) is type(made)
        with pytest.raises(ValueError, match="Unknown .* 'kdl'. Known"):
            module.get("kdl")
    with pytest.raises(ValueError, match="fixations of other images"):
        ks.metrics.get("sauc")


def lines(work, every, monkeypatch):
    """What is written into a pipe."""
    monkeypatch.setattr(progress, "EVERY", every)
    console = rich.console.Console(file=io.StringIO(), width=80)
    with progress.Progress(console) as bars:
        work(bars)
    return re_seconds(console.file.getvalue()).splitlines()


def re_seconds(text):
    return "\n".join(line.rpartition(", ")[0] or line for line in text.splitlines())


def test_progress_is_told_line_by_line_where_there_is_no_terminal(monkeypatch):
    def count(bars):
        task = bars.add_task("images", total=None)
        for done in range(4):
            bars.update(task, completed=done, total=3)

    assert lines(count, 60.0, monkeypatch) == ["images ...", "images 3/3"]
    assert lines(count, 0.0, monkeypatch) == ["images ...", *(f"images {done}/3" for done in range(4))]

    def track(bars):
        for _ in bars.track(range(2), description="models"):
            time.sleep(0.01)

    assert lines(track, 60.0, monkeypatch) == ["models ...", "models 2/2"]
    assert lines(track, 0.0, monkeypatch) == ["models ...", "models 1/2", "models 2/2"]


def test_progress_is_a_bar_in_a_terminal():
    console = rich.console.Console(file=io.StringIO(), width=80, force_terminal=True)
    with progress.Progress(console) as bars:
        list(bars.track(range(3), description="models"))
    assert "3/3" in console.file.getvalue() and "models ..." not in console.file.getvalue()
