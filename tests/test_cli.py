import dataclasses
import json

import keras
import numpy as np
import pytest
from conftest import run_command as run
from PIL import Image

import keras_saliency as ks
from keras_saliency import zoo
from keras_saliency.cli import predicting
from keras_saliency.training.changes import override


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing"], "error: Unknown recipe 'nothing'. Known recipes: asnet, deepgaze1, "),
        (["train", "demo", "--set", "epoch=3"], "error: 'epoch': unknown key 'epoch'. Known keys: name,"),
        (["train", "demo", "--set", "loss.kdl=3"], "error: Unknown loss 'kdl'. Known losses: mse,"),
        (
            ["train", "demo", "--set", "model.name=x"],
            "error: Unknown model 'x'. Known models: asnet, attentive, deepgaze1, ",
        ),
        (["train", "demo", "--set", "model.backbone=x"], "error: Unknown backbone 'x'. Known backbones: "),
        (
            ["train", "demo", "--set", "model.weights=x"],
            'error: weights of efficientnet-lite0 must be "imagenet", None or the path',
        ),
        (["train", "osie_lite0", "--data", "osie=nowhere"], "error: The folder nowhere of the data set 'osie'"),
        (["train", "osie_lite0", "--data", "nowhere"], "error: --data has the form NAME=DIR"),
        (
            ["train", "osie_lite0", "--data", "scene=x"],
            "error: The recipe 'osie_lite0' reads osie. Received: data for scene.",
        ),
        (["train", "recommended", "--data", "scene=x"], "error: The recipe 'recommended' reads osie, osie-mouse."),
        (["predict", "nowhere", "photo.jpg"], "error: nowhere does not exist. Expected a .keras file"),
        (["export", "nowhere", "out"], "error: nowhere does not exist. Expected a .keras file"),
    ],
)
def test_errors_are_one_line_and_leave_no_folder(arguments, message, monkeypatch, capsys, tmp_path, tiny):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ks.data.synthetic, "read", lambda: tiny)
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    code, text = run(monkeypatch, capsys, *arguments)
    assert code == 1
    assert message in text
    assert "Traceback" not in text
    assert not (tmp_path / "runs").exists()


def test_help_teaches(monkeypatch, capsys):
    code, text = run(monkeypatch, capsys, "train", "--help")
    assert code == 0
    for word in ("--data", "--set", "--workdir", "Example", "epochs=3"):
        assert word in text
    _, text = run(monkeypatch, capsys, "recipes")
    assert all(name in text for name in zoo.RECIPES)


def test_train_predict_and_export(eager, monkeypatch, capsys, tmp_path, tiny, tiny_backbone):
    small = dataclasses.replace(zoo.RECIPES["demo"], size=(60, 80), batch=4, epochs=1)
    small = override(small, [f"model.backbone={tiny_backbone}"])
    monkeypatch.setitem(zoo.RECIPES, "demo", small)
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    workdir = tmp_path / "run"
    code, text = run(monkeypatch, capsys, "train", "demo", "--workdir", workdir)
    assert code == 0, text
    assert "report.md" in text and "saved_model/1" in text
    result = json.loads((workdir / "result.json").read_text())
    assert result["recipe"] == "demo" and result["data"] == "synthetic" and result["split"] == "test"
    assert result["convention"] == "tuebingen" and result["images"] == 4
    assert {"nss", "auc", "cc", "sim", "kld", "ig", "explained_information"} <= set(result["scores"])
    assert {"mean", "low", "high"} == set(result["scores"]["nss"])
    assert {"uniform", "centre_bias", "gold_standard"} <= set(result["baselines"])
    assert {"features", "training", "evaluation"} == set(result["seconds"])
    report = (workdir / "report.md").read_text()
    for figure in ("figures/history.png", "figures/samples.png"):
        assert figure in report
        assert (workdir / figure).stat().st_size > 10_000
    assert len((workdir / "per_image.csv").read_text().splitlines()) == 1 + (5 + 3) * 4
    code, text = run(monkeypatch, capsys, "train", "demo", "--workdir", workdir)
    assert code == 0 and "is complete" in text
    code, text = run(monkeypatch, capsys, "train", "demo", "--set", "epochs=2", "--workdir", workdir)
    assert code == 1 and "holds the run of another recipe" in text
    (tmp_path / "photo.png").write_bytes(tiny.test[0].image)
    code, text = run(monkeypatch, capsys, "predict", workdir, tmp_path / "photo.png", "--out", tmp_path / "maps")
    assert code == 0 and (tmp_path / "maps" / "photo_overlay.jpg").is_file(), text
    code, text = run(monkeypatch, capsys, "export", workdir, tmp_path / "served" / "2")
    assert code == 0 and (tmp_path / "served" / "2" / "saved_model.pb").is_file(), text


def test_shards_are_written_and_read_in_place_of_a_folder(monkeypatch, capsys, tmp_path, tiny):
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    code, text = run(monkeypatch, capsys, "data", "convert", "synthetic=", tmp_path / "shards", "--size", 60, 80)
    assert code == 0 and "writing 16/16" in text and f"{tmp_path / 'shards'}: 4 MB" in text, text
    assert ks.data.load("shards", tmp_path / "shards").test[0].letterboxed.shape == (60, 80, 3)
    code, text = run(monkeypatch, capsys, "data", "convert", "synthetic=", tmp_path / "small", "--encoded")
    assert code == 0 and ks.data.load("shards", tmp_path / "small").test[0].letterboxed is None, text
    code, text = run(monkeypatch, capsys, "data", "convert", "synthetic=", tmp_path / "small")
    assert code == 1 and "small exists already. Choose another folder, or empty it" in text
    evaluated = ("evaluate", "signature", "--data", f"shards={tmp_path / 'small'}", "--out", tmp_path / "scores")
    code, text = run(monkeypatch, capsys, *evaluated)
    assert code == 0, text
    assert json.loads((tmp_path / "scores" / "result.json").read_text())["data"] == "synthetic"


def test_evaluate_averages_videos_as_it_is_told(monkeypatch, capsys, tmp_path):
    small = ks.data.synthetic_video.read(splits={"train": 2, "validation": 1, "test": 2})
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic-video", lambda: small)
    for average, said in ((None, "averaged per video"), ("frame", "averaged per frame")):
        told = () if average is None else ("--average", average)
        code, text = run(
            monkeypatch, capsys, "evaluate", "--data", "synthetic-video", *told, "--out", tmp_path / f"scores {average}"
        )
        assert code == 0 and said in text and "2 frames without fixations are left out" in text, text
    code, text = run(monkeypatch, capsys, "evaluate", "--average", "shot", "--out", tmp_path / "other")
    assert code == 1 and "Unknown average 'shot'. Known averages: video, frame" in text


def test_evaluate_compares_what_is_given(monkeypatch, capsys, tmp_path, tiny):
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    maps = tmp_path / "maps"
    maps.mkdir()
    for sample in tiny.test:
        grey = np.uint8(np.round(255 * sample.density / sample.density.max()))
        Image.fromarray(grey).save(maps / f"{sample.name}.png")
    out = tmp_path / "scores"
    code, text = run(monkeypatch, capsys, "evaluate", maps, "signature", "centre_bias", "--out", out)
    assert code == 0, text
    assert "8-bit maps" in text and "gold standard" in text
    result = json.loads((out / "result.json").read_text())
    assert {"maps", "signature", "uniform", "centre_bias", "gold_standard", "truth"} == set(result["scores"])
    assert result["split"] == "test" and result["convention"] == "tuebingen" and result["images"] == 4
    assert result["scores"]["maps"]["auc"]["mean"] == pytest.approx(result["scores"]["truth"]["auc"]["mean"], abs=0.02)
    # Nearly the true density, but for what was rounded to zero.
    assert result["eight_bit"]["maps"]["ig"] > 0
    difference = result["differences"]["raw"]["signature"]["nss"]
    means = {row: result["scores"][row]["nss"]["mean"] for row in ("maps", "signature")}
    assert difference["mean"] == pytest.approx(means["signature"] - means["maps"])
    assert set(result["fair_scores"]) == {"centre_bias", "truth"}
    report = (out / "report.md").read_text()
    assert "| significant |" in report
    for figure in ("distributions", "roc", "correlation", "images_maps", "images_signature"):
        assert f"figures/{figure}.png" in report and (out / "figures" / f"{figure}.png").stat().st_size > 10_000
    assert len((out / "per_image.csv").read_text().splitlines()) == 1 + (6 + 2) * 4
    code, text = run(monkeypatch, capsys, "evaluate", maps, "--out", out)
    assert code == 1 and "exists already. Choose another --out folder" in text
    code, text = run(monkeypatch, capsys, "evaluate", "nowhere", "--out", tmp_path / "new")
    assert code == 1 and "one of the baselines itti, gbvs" in text
    code, text = run(monkeypatch, capsys, "evaluate", maps, "--convention", "paris", "--out", tmp_path / "new")
    assert code == 1 and "Unknown convention 'paris'" in text


@pytest.mark.slow
def test_evaluate_in_the_mit_convention_resizes_maps(monkeypatch, capsys, tmp_path, tiny):
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    for sample in tiny.test:
        np.save(tmp_path / f"{sample.name}.npy", sample.density[::2, ::2])
    code, text = run(monkeypatch, capsys, "evaluate", tmp_path, "--out", tmp_path / "tuebingen")
    assert code == 1 and "convention" in text and "resizes" in text
    code, text = run(monkeypatch, capsys, "evaluate", tmp_path, "--convention", "mit", "--out", tmp_path / "mit")
    assert code == 0, text
    scores = json.loads((tmp_path / "mit" / "result.json").read_text())["scores"]
    assert scores[tmp_path.name]["emd"]["mean"] < scores["uniform"]["emd"]["mean"]
    assert {"auc_borji", "emd"} < set(scores["uniform"])


def test_predict_resumes_overwrites_and_takes_a_size(monkeypatch, capsys, tmp_path):
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(images)
    keras.Model(images, maps, name="mine").save(tmp_path / "model.keras")
    for name in ("a.png", "b.png"):
        Image.new("RGB", (30, 20), "red").save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no image")
    command = [
        "predict",
        tmp_path / "model.keras",
        *(tmp_path / f"{name}.png" for name in "abc"),
        "--out",
        tmp_path / "o",
    ]
    code, text = run(monkeypatch, capsys, *command)
    assert code == 0 and "skipped:" in text and "c.png: the image cannot be decoded" in text and "2 images" in text
    code, text = run(monkeypatch, capsys, *command)
    assert code == 1 and "exists already. Choose another --out folder, or --resume or --overwrite." in text
    kept, replaced = (tmp_path / "o" / f"{name}_saliency.png" for name in "ab")
    kept.write_bytes(b"mine")
    replaced.unlink()
    code, text = run(monkeypatch, capsys, *command, "--resume", "--size", 16, 16)
    assert code == 0 and "2 images" in text and kept.read_bytes() == b"mine" and replaced.is_file()
    code, text = run(monkeypatch, capsys, *command, "--overwrite")
    assert code == 0 and kept.read_bytes() != b"mine"
    code, text = run(monkeypatch, capsys, *command, "--overwrite", "--resume")
    assert code == 1 and "--resume and --overwrite exclude each other" in text
    code, text = run(monkeypatch, capsys, "export", tmp_path / "model.keras", tmp_path / "1")
    assert code == 1 and "mine takes images of any size: say which, such as size=(240, 320) or --size 240 320" in text


def test_predict_draws_scanpaths(monkeypatch, capsys, tmp_path):
    images = keras.Input((None, None, 3))
    keras.Model(images, keras.layers.Conv2D(1, 3, padding="same", activation="relu")(images), name="mine").save(
        tmp_path / "model.keras"
    )
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.png")
    command = ["predict", tmp_path / "model.keras", tmp_path / "a.png", "--scanpaths", 2, "--fixations", 3]
    code, text = run(monkeypatch, capsys, *command, "--out", tmp_path / "o")
    assert code == 0 and "scanpaths of 1: *_scanpaths.png and *_scanpaths.csv beside them" in text
    table = (tmp_path / "o" / "a_scanpaths.csv").read_text().splitlines()
    assert len(table) == 7 and table[1] == "1,1,15.0,10.0" and (tmp_path / "o" / "a_scanpaths.png").is_file()
    (tmp_path / "o" / "a_saliency.png").unlink()
    (tmp_path / "o" / "a_overlay.jpg").unlink()
    code, text = run(monkeypatch, capsys, *command, "--out", tmp_path / "o")
    assert code == 1 and "_scanpaths" in text and "exists already" in text
    assert not (tmp_path / "o" / "a_saliency.png").exists()
    code, text = run(monkeypatch, capsys, *command, "--size", 16, 16)
    assert code == 1 and "without --size" in text
    code, text = run(monkeypatch, capsys, *command, "--on", "ray")
    assert code == 1 and "--scanpaths are drawn here alone, without --on ray" in text


def test_without_a_model_the_one_that_comes_along_predicts(monkeypatch, capsys, tmp_path, tiny_backbone):
    small = ks.create_model(backbone="tiny", weights=None)
    monkeypatch.setattr(ks.models, "load_shipped", {"general": small}.__getitem__)
    Image.new("RGB", (80, 60), "red").save(tmp_path / "photo.png")
    code, text = run(monkeypatch, capsys, "predict", tmp_path / "photo.png", "--out", tmp_path / "maps")
    assert code == 0 and "1 image" in text
    assert Image.open(tmp_path / "maps" / "photo_saliency.png").size == (80, 60)
    assert tuple(ks.models.SHIPPED) == predicting.COME_ALONG
    for name in predicting.COME_ALONG:
        code, text = run(monkeypatch, capsys, "predict", name)
        assert code == 1 and f"{name} is a model. Say of which photographs: keras-saliency predict {name}" in text


def test_how_data_are_read_is_said_by_options(monkeypatch, capsys, tmp_path):
    lines = ["picture,gx,gy"]
    for i in range(6):
        Image.new("RGB", (40, 30), (40 * i, 0, 0)).save(tmp_path / f"{i}.png")
        # Shown in the middle of the upper half of a screen of 100x100, whose y counts from the bottom.
        lines += [f"{i},{(30 + 5.5) / 100},{1 - (10 + 3.5) / 100}", f"{i},{(30 + 20.5) / 100},{1 - (10 + 9.5) / 100}"]
    (tmp_path / "gaze.csv").write_text("\n".join(lines))
    evaluated, out = [], tmp_path / "out"
    monkeypatch.setattr(ks, "evaluate", lambda sources, data, *rest, **options: evaluated.append(data) or 1 / 0)
    command = [
        "evaluate",
        "--data",
        f"table={tmp_path}",
        "--out",
        out,
        "--columns",
        "image=picture",
        "--columns",
        "x=gx",
    ]
    how = ["--columns", "y=gy", "--units", "shares", "--origin", "bottom", "--screen", "100x100"]
    run(monkeypatch, capsys, *command, *how, "--stimulus", "30,10,40,30", "--pixels-per-degree", "4")
    (data,) = evaluated[0].values()
    for sample in [*data.train, *data.validation, *data.test]:
        np.testing.assert_allclose(sample.fixations.x, [5.5, 20.5])
        np.testing.assert_allclose(sample.fixations.y, [3.5, 9.5])
        assert sample.sigma == 4
    for wrong, message in {
        ("--columns", "x"): "--columns has the form NAME=COLUMN, such as x=gaze_x. Received: 'x'",
        ("--screen", "10"): "--screen has the form WxH, such as 1920x1080. Received: '10'",
        ("--stimulus", "1,2,3"): "--stimulus is LEFT,TOP,WIDTH,HEIGHT. Received: '1,2,3'",
        ("--trials", "x"): "Unknown setting 'trials' of 'table'. Known settings: columns, units",
    }.items():
        code, text = run(monkeypatch, capsys, "evaluate", "--data", f"table={tmp_path}", *wrong)
        assert code == 1 and message in text
    code, text = run(monkeypatch, capsys, "train", "osie_lite0", "--data", "a=x", "--data", "b=y", "--phase", "A", "B")
    assert code == 1 and "--phase is said of one data set, and --data names 2. Name one." in text


def test_data_is_checked_and_shown(monkeypatch, capsys, tmp_path, tiny):
    monkeypatch.setitem(ks.data.DATA_SETS, "synthetic", lambda: tiny)
    code, text = run(monkeypatch, capsys, "data", "check", "synthetic")
    assert code == 0 and "synthetic: 16 images, 1536 fixations" in text and "nothing was found" in text
    code, text = run(monkeypatch, capsys, "data", "show", "synthetic", "--out", tmp_path / "shown")
    assert code == 0 and (tmp_path / "shown" / "synthetic.png").stat().st_size > 100_000
    code, text = run(monkeypatch, capsys, "data", "show", "synthetic", "--out", tmp_path / "shown")
    assert code == 1 and "shown exists already. Choose another --out folder." in text


def test_findings_are_told_with_their_remedy_and_a_picture(monkeypatch, capsys, tmp_path, tiny):
    rows = ["image,x,y"]
    for sample in tiny.train:
        (tmp_path / f"{sample.name}.png").write_bytes(sample.image)
        fixations = zip(sample.fixations.x, sample.fixations.y, strict=True)
        rows += [f"{sample.name},{y},{x}" for x, y in fixations]
    (tmp_path / "fixations.csv").write_text("\n".join(rows))
    out = tmp_path / "found"
    code, text = run(monkeypatch, capsys, "data", "check", f"table={tmp_path}", "--out", out)
    assert code == 1 and "x and y swapped" in text and "--columns x=y --columns y=x" in text
    assert [path.name for path in out.iterdir()] == ["x_and_y_swapped.png"]
    code, text = run(monkeypatch, capsys, "data", "check", f"table={tmp_path}", "--columns", "x=y", "--columns", "y=x")
    assert code == 0 and "nothing was found" in text
    code, text = run(monkeypatch, capsys, "data", "check", "nothing")
    assert code == 1 and "error: Unknown data set 'nothing'" in text
