"""A reduced study: cells, results, interruptions."""

import dataclasses
import gzip
import json

import numpy as np
import pytest
from conftest import run_command

from keras_saliency.data import synthetic
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.formulas.view import View
from keras_saliency.quest import cell as cells
from keras_saliency.quest import shared_features
from keras_saliency.quest.judging import Judge
from keras_saliency.quest.results import Results
from keras_saliency.quest.runner import run_study
from keras_saliency.quest.study import Grid, Study, load_study
from keras_saliency.training.recipe import Model, Recipe

BASE = Recipe(
    "base", "synthetic", Model("multilevel", "tiny", None, width=0.125), {"kld": 1.0}, area=48 * 64, batch=4, epochs=1
)
LOSSES = {
    "kld": {"loss": {"kld": 1.0}},
    "nss": {"loss": {"nss": 1.0}},
    "kld + cc": {"loss": {"kld": 1.0, "cc": 1.0}, "balance": "gradient"},
}
STUDY = Study(
    "reduced",
    BASE,
    LOSSES,
    models={"multilevel": {}},
    data={"synthetic": {}},
    grids=(Grid(rates=(1e-3,)), Grid(seeds=(1,))),
)


@pytest.fixture
def small(tiny_backbone):
    """A data set of pictures of one shape, so small that a cell takes seconds."""
    return {"synthetic": synthetic.read(splits={"train": 8, "validation": 4, "test": 4})}


def keys_of(study, results=None):
    return [cell.key for cell in study.cells(results or {})[0]]


def test_a_study_runs_once_and_goes_on_where_it_was(small, eager, tmp_path, monkeypatch):
    trained = []
    original = cells.run_cell

    def run_cell(cell, *rest):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(cell.key)
        return original(cell, *rest)

    monkeypatch.setattr("keras_saliency.quest.bench.run_cell", run_cell)
    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, tmp_path, small, verbose=False)
    assert len(Results(tmp_path / "results").found) == 2
    monkeypatch.setattr(
        "keras_saliency.quest.bench.run_cell", lambda cell, *rest: trained.append(cell.key) or original(cell, *rest)
    )
    opened = []
    cache = shared_features.FeatureCache
    monkeypatch.setattr(shared_features, "FeatureCache", lambda path, *rest: opened.append(path) or cache(path, *rest))
    results = run_study(STUDY, tmp_path, small, verbose=False)
    assert len(trained) == len(set(trained)) == len(results.found) == 6
    assert opened and len(opened) == len(set(opened))  # once for all cells
    chosen, waiting = STUDY.cells(results.found)
    assert not waiting and {cell.key for cell in chosen} == set(results.found)
    assert not list((tmp_path / "work").iterdir())
    # All cells read the same features, but for the random weights that a seed gives this backbone.
    assert len(list((tmp_path / "features").iterdir())) == 2
    for cell in chosen:
        result = results.found[cell.key]
        assert len(result["history"]) == 1 and set(result["scores"]) == {"validation", "test"}
        for split in result["scores"].values():
            assert {len(values) for kind in split.values() for values in kind.values()} == {4}
            assert set(split["fair"]) < set(split["raw"])
        assert (result["weights"] == cell.recipe.loss) == (cell.recipe.balance is None)
    run_study(STUDY, tmp_path, small, verbose=False)
    assert len(trained) == 6


def test_the_rate_is_that_of_the_least_loss_on_validation():
    searches = Grid(rates=(1e-3, 1e-2)), Grid(losses=("kld",), rates=(1e-1,), seeds=(0, 2))
    study = dataclasses.replace(STUDY, grids=(*searches, Grid(seeds=(1,), changes={"images": 5})))
    cells, waiting = study.cells({})
    assert (len(cells), waiting) == (3 * 2 + 2, 3)
    losses = {("kld", 1e-3): 0.9, ("kld", 1e-2): 0.5, ("kld", 1e-1): 0.7, ("nss", 1e-3): -1.0, ("nss", 1e-2): -2.0}
    results = {}
    for cell in cells:
        least = losses.get((cell.loss, cell.recipe.learning_rate), 1.0)
        results[cell.key] = {"history": [{"val_loss": 3.0}, {"val_loss": least}]}
    (failing,) = (c for c in cells if c.loss == "kld" and c.recipe.learning_rate == 1e-2)
    rates = lambda: {c.loss: c.recipe.learning_rate for c in study.cells(results)[0] if c.recipe.seed == 1}  # noqa: E731
    assert rates() == {"kld": 1e-2, "nss": 1e-2, "kld + cc": 1e-3}
    results[failing.key] = {"error": "ValueError: The loss became nan"}
    assert rates() == {"kld": 1e-1, "nss": 1e-2, "kld + cc": 1e-3}
    del results[failing.key]
    assert rates() == {"nss": 1e-2, "kld + cc": 1e-3} and study.cells(results)[1] == 1
    assert {c.recipe.images for c in study.cells(results)[0] if c.recipe.seed == 1} == {5}


def test_the_rate_of_one_data_set_serves_for_another():
    searched = Grid(rates=(1e-3, 1e-2), data=("synthetic",))
    study = dataclasses.replace(STUDY, data={"synthetic": {}, "osie": {}}, grids=(searched, Grid(data=("osie",))))
    cells, waiting = study.cells({})
    assert (len(cells), waiting) == (6, 3)
    results = {cell.key: {"history": [{"val_loss": cell.recipe.learning_rate}]} for cell in cells}
    found = [cell for cell in study.cells(results)[0] if cell.data == "osie"]
    assert [cell.recipe.learning_rate for cell in found] == [1e-3] * 3
    assert {(cell.loss, cell.data) for cell in study.finals(results)} == {
        (loss, data) for loss in LOSSES for data in ("synthetic", "osie")
    }


def test_data_of_cells_that_wait_are_opened_too(small, tmp_path, monkeypatch):
    searched = Grid(("kld",), rates=(1e-3,), data=("synthetic",))
    study = dataclasses.replace(
        STUDY, data={"synthetic": {}, "osie": {}}, grids=(searched, Grid(("kld",), data=("osie",)))
    )
    other, seen = dataclasses.replace(small["synthetic"]), []

    def run_cell(cell, data, *rest):
        seen.append(data)
        return {"history": [{"val_loss": 1.0}]}

    monkeypatch.setattr("keras_saliency.quest.bench.run_cell", run_cell)
    results = run_study(study, tmp_path, {**small, "osie": other}, verbose=False)
    assert not any("error" in result for result in results.found.values())
    assert seen[0] is small["synthetic"] and seen[1] is other


@pytest.mark.slow
def test_a_second_stage_goes_on_from_the_first(small, eager, tmp_path):
    whole = {"freeze_backbone": False, "learning_rate": 1e-9, "schedule": "constant"}
    study = dataclasses.replace(STUDY, grids=(Grid(("kld",), rates=(1e-3,)), Grid(("kld",), then=whole)))
    results = run_study(study, tmp_path, small, verbose=False)
    first, second = study.cells(results.found)[0]
    assert str(second) == f"{first}, two stages"
    assert second.recipe.start.learning_rate == 1e-3 and not second.recipe.freeze_backbone
    found = [results.found[cell.key] for cell in (first, second)]
    # So small a rate changes nothing but the order of sums.
    scores = [found["scores"]["test"]["raw"]["nss"] for found in found]
    np.testing.assert_allclose(*scores, atol=1e-3)
    assert found[1]["seconds"]["training"] > found[0]["seconds"]["training"] / 2
    assert study.finals(results.found) == [first]


def test_a_cell_that_fails_is_told_and_the_others_go_on(small, tmp_path, monkeypatch, capsys):
    def run_cell(cell, *rest):
        if cell.loss == "nss":
            raise ValueError("The loss became nan in epoch 1.")
        if cell.loss == "kld":
            raise OSError("No space left on device")
        return {"history": [{"val_loss": 1.0}], "seconds": {"training": 1.0}}

    monkeypatch.setattr("keras_saliency.quest.bench.run_cell", run_cell)
    results = run_study(STUDY, tmp_path, small)
    printed = " ".join(capsys.readouterr().out.split())
    assert "failed: nss on multilevel, synthetic, seed 0, rate 0.001: ValueError: The loss became nan" in printed
    assert "not finished: kld on multilevel, synthetic, seed 0, rate 0.001: No space left on device" in printed
    assert "wait for learning rates" in printed
    errors = [result.get("error") for result in results.found.values()]
    # What the disk has stopped is no result, and is run when there is room.
    assert sorted(map(str, errors)) == ["None", "None", "ValueError: The loss became nan in epoch 1."]
    monkeypatch.setattr("keras_saliency.quest.bench.run_cell", lambda *rest: {"history": [{"val_loss": 1.0}]})
    assert sum("error" in r for r in run_study(STUDY, tmp_path, small, verbose=False).found.values()) == 1
    assert not any("error" in r for r in run_study(STUDY, tmp_path, small, again=True, verbose=False).found.values())


def test_shards_share_the_cells(small, tmp_path, monkeypatch):
    study = dataclasses.replace(STUDY, grids=(Grid(seeds=tuple(range(8)), rates=(1e-3,)),))
    ran = {}
    for number in (1, 2, 3):
        ran[number] = []

        def run_cell(cell, *rest, own=ran[number]):
            own.append(cell.key)
            return {"history": []}

        monkeypatch.setattr("keras_saliency.quest.bench.run_cell", run_cell)
        run_study(study, tmp_path, small, shard=(number, 3), verbose=False)
    assert sorted(key for keys in ran.values() for key in keys) == sorted(keys_of(study)) and all(ran.values())
    with pytest.raises(ValueError, match="Cells run on one of here, ray. Received: on='slurm'"):
        run_study(study, tmp_path, small, on="slurm", verbose=False)
    with pytest.raises(ValueError, match="A shard is I of N, with I from 1 to N. Received: 4 of 3"):
        run_study(study, tmp_path, small, shard=(4, 3), verbose=False)


def test_files_that_are_no_results_are_named_and_kept(tmp_path):
    (first, *_) = STUDY.cells({})[0]
    results = Results(tmp_path)
    results.write(first, {"history": []})
    (tmp_path / "half.json").write_text('{"version": 1, "ce')
    (tmp_path / "old.json").write_text(json.dumps({"version": 0, "cell": {}}))
    again = Results(tmp_path)
    assert list(again.found) == [first.key]
    assert ["half.json is no whole result" in again.useless[0], "is a result of version 0" in again.useless[1]] == [
        True
    ] * 2
    assert len(list(tmp_path.iterdir())) == 3
    file = tmp_path / f"{first.key}.json"
    (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    (tmp_path / "half.json.gz").write_bytes(gzip.compress(file.read_bytes())[:-9])
    file.unlink()
    again = Results(tmp_path)
    assert again.found == results.found
    assert sum("is no whole result" in line for line in again.useless) == 2


def test_a_cell_is_known_by_what_it_is():
    renamed = dataclasses.replace(
        STUDY, name="other", losses={f"my {name}": loss for name, loss in LOSSES.items()}, grids=STUDY.grids[:1]
    )
    assert keys_of(renamed) == keys_of(dataclasses.replace(STUDY, grids=STUDY.grids[:1]))
    longer = dataclasses.replace(STUDY, base=dataclasses.replace(BASE, epochs=3), grids=STUDY.grids)
    assert not set(keys_of(longer)) & set(keys_of(STUDY))


def test_a_judge_scores_what_evaluation_would(small, model):
    """On pictures that are seen as large as they are."""
    from keras_saliency.evaluation.splits import score_split

    data = small["synthetic"]
    size = tuple(data.test[0].size)
    view = View(size[0] * size[1], 4)
    assert view.of(size) == size
    source = ModelSource(model, "net")
    scored = score_split([source], data, "test")
    maps = [prediction.values for prediction in source.predictions(data.test)]
    received = Judge(data, "test", view).scores(maps)
    for kind, rows in (("raw", scored.per_image["net"]), ("fair", scored.fair["net"])):
        for name, values in received[kind].items():
            np.testing.assert_allclose(values, [row[name] for row in rows], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses": {"x": {"loss": {"klld": 1.0}}}}, "Unknown loss 'klld'"),
        ({"models": {"x": {"model": {"name": "samm"}}}}, "Unknown model 'samm'"),
        ({"data": {"osi": {}}}, "Unknown data set 'osi'"),
        ({"data": {"synthetic": {"size": (48, 64)}}}, "not a frame: give area"),
        ({"models": {"x": {"model": {"scale": 0.5}}}}, "not scale=0.5"),
        ({"losses": {"x": {"los": {"kld": 1.0}}}}, "unknown key 'los'"),
    ],
)
def test_what_a_study_names_must_be_there(changes, message, tmp_path):
    study = dataclasses.replace(STUDY, grids=(Grid(rates=(1e-3,)),), **changes)
    with pytest.raises(ValueError, match=message):
        run_study(study, tmp_path / "out", verbose=False)
    assert not (tmp_path / "out").exists()


def test_a_cell_goes_on_where_it_was(small, eager, tmp_path, monkeypatch):
    study = dataclasses.replace(STUDY, grids=(Grid(losses=("kld + cc",), rates=(1e-3,)),))
    (key,) = keys_of(study)
    original = Judge.scores

    def scores(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(Judge, "scores", scores)
    assert run_study(study, tmp_path, small, verbose=False).found == {}
    history = (tmp_path / "work" / key / "history.csv").stat().st_mtime_ns
    monkeypatch.setattr(Judge, "scores", lambda *rest: (times.append(file.stat().st_mtime_ns), original(*rest))[1])
    times, file = [], tmp_path / "work" / key / "history.csv"
    result = run_study(study, tmp_path, small, verbose=False).found[key]
    # It was trained, and is not again.
    assert set(times) == {history} and len(result["history"]) == 1
    assert not file.exists()


def test_grids_list_what_the_study_has():
    with pytest.raises(ValueError, match="none is tried for nss on multilevel"):
        dataclasses.replace(STUDY, grids=(Grid(losses=("kld",), rates=(1e-3,)), Grid(losses=("nss",))))
    with pytest.raises(ValueError, match="reduced: a grid lists 'mse'. Known losses: kld, nss, kld"):
        dataclasses.replace(STUDY, grids=(Grid(losses=("mse",)),))


def test_the_command_runs_a_file(small, tmp_path, monkeypatch, capsys):
    file = tmp_path / "study.py"
    assert run_command(monkeypatch, capsys, "quest", file)[1].endswith("study.py does not exist.")
    file.write_text("x = 1 / 0")
    assert "makes no study. ZeroDivisionError" in run_command(monkeypatch, capsys, "quest", file)[1]
    file.write_text("x = 1")
    assert "it has to say STUDY = Study(...)" in run_command(monkeypatch, capsys, "quest", file)[1]
    assert "has the form I/N" in run_command(monkeypatch, capsys, "quest", file, "--shard", "2 of 3")[1]
    file.write_text("from test_quest import STUDY")
    assert load_study(file) is STUDY or load_study(file) == STUDY
    monkeypatch.setattr("keras_saliency.quest.bench.run_cell", lambda *rest: {"error": "ValueError: no"})
    code, printed = run_command(monkeypatch, capsys, "quest", file, "--out", tmp_path / "out")
    assert code == 1 and "3 cells have failed" in printed
