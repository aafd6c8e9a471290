import contextlib
import dataclasses
import errno
import gc
import io
import json
import types
import weakref

import h5py
import keras
import numpy as np
import pytest
import rich.console
import tensorflow as tf
from keras import ops

import keras_saliency as ks
from keras_saliency.data import DataSet, Fixations, Sample, Samples, mixtures
from keras_saliency.models import View
from keras_saliency.models.recording import recording_head_of
from keras_saliency.training.build import BEGIN, build
from keras_saliency.training.devices import enough_memory
from keras_saliency.training.loop import _State
from keras_saliency.training.optimizers import OPTIMIZERS, make_optimizer
from keras_saliency.training.recipe import SCHEDULES, Model, Recipe
from keras_saliency.training.run import train_with_stages
from keras_saliency.training.workdir import claim_workdir
from keras_saliency.writing.locks import LOCK
from keras_saliency.zoo import RECIPES

pytestmark = pytest.mark.usefixtures("tiny_backbone")
CONSOLE = rich.console.Console(file=io.StringIO())
RECIPE = dataclasses.replace(
    RECIPES["demo"], size=(60, 80), batch=4, epochs=3, model=Model("multilevel", "tiny"), patience=5
)


def run(workdir, data, recipe=RECIPE):
    return train_with_stages(recipe, lambda name: data, workdir, CONSOLE)


def of_two_shapes(data):
    """A data set in which of every second image half is left."""

    def halved(sample):
        height, width = sample.size
        return dataclasses.replace(sample, size=(height, width // 2), window=(0, 0, height, width), density=None)

    splits = data.splits.values()
    halves = [[*split[::2], *map(halved, split[1::2])] for split in splits]
    return DataSet("halves", *map(Samples, halves))


@pytest.fixture
def interrupt(monkeypatch):
    """Interrupts the training in the middle of the epoch with that number."""

    def arm(epoch):
        original, calls = keras.Model.fit, []

        def fit(self, *args, callbacks=(), **kwargs):
            calls.append(1)
            if len(calls) == epoch:
                stop = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 1 / 0)
                callbacks = [*callbacks, stop]
            return original(self, *args, callbacks=callbacks, **kwargs)

        monkeypatch.setattr(keras.Model, "fit", fit)

    return arm


# ML-Net draws at random: its dropout.
@pytest.mark.parametrize(
    ("name", "frozen", "balance"),
    [("mlnet", True, "gradient"), pytest.param("multilevel", False, "uncertainty", marks=pytest.mark.slow)],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(name, frozen, balance, eager, tiny, tmp_path, interrupt):
    recipe = dataclasses.replace(RECIPE, model=Model(name, "tiny", width=0.125), freeze_backbone=frozen)
    recipe = dataclasses.replace(recipe, loss={"kld": 1.0, "cc": 1.0}, balance=balance)
    recipe = dataclasses.replace(recipe, size=None, area=60 * 80, epochs=2)
    tiny = of_two_shapes(tiny)
    model, history, _ = run(tmp_path / "whole", tiny, recipe)
    assert model.view == View(60 * 80, 16)
    interrupt(2)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "resumed", tiny, recipe)
    interrupted = json.loads((tmp_path / "resumed" / "checkpoints" / "state.json").read_text())
    assert len(interrupted["history"]) == 1
    resumed, resumed_history, _ = run(tmp_path / "resumed", tiny, recipe)
    assert len(history) == len(resumed_history) == 2
    for row, other in zip(history, resumed_history, strict=True):
        assert other == pytest.approx(row, rel=1e-5)
    for weight, other in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(other, weight, rtol=1e-4, atol=1e-6)


def test_a_run_leaves_its_files_and_the_best_weights(eager, tiny, tmp_path):
    model, history, seconds = run(tmp_path, tiny)
    table = (tmp_path / "history.csv").read_text().splitlines()
    assert table[0].startswith("epoch,")
    assert {"loss", "nll_loss", "cc_loss", "val_loss", "val_nll_loss", "val_cc_loss"} < set(table[0].split(","))
    assert len(table) == 4
    assert list((tmp_path / "tensorboard").iterdir())
    assert seconds["training"] > 0
    best = min(history, key=lambda row: row["val_loss"])
    loaded = keras.models.load_model(tmp_path / "model.keras")
    scores = loaded.evaluate(tiny.validation.pipeline(RECIPE.size, 4), verbose=0, return_dict=True)
    assert scores["nll_loss"] == pytest.approx(best["val_nll_loss"], rel=1e-4)
    again, same_history, _ = run(tmp_path, tiny)
    assert same_history == history
    np.testing.assert_array_equal(again.get_weights()[-1], model.get_weights()[-1])


def test_training_stops_when_validation_no_longer_improves(eager, tiny, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=1e-30, epochs=6, patience=2)
    _, history, _ = run(tmp_path, tiny, recipe)
    assert len(history) == 3


def test_divergence_is_an_error(eager, tiny, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=1e30)
    with pytest.raises(ValueError, match="The loss became .* smaller learning rate"):
        run(tmp_path, tiny, recipe)


def test_a_workdir_of_another_run_is_left_alone(tmp_path):
    claim_workdir(tmp_path / "run", RECIPE)
    claim_workdir(tmp_path / "run", RECIPE)
    with pytest.raises(ValueError, match="holds the run of another recipe: 'demo', which differs in epochs"):
        claim_workdir(tmp_path / "run", dataclasses.replace(RECIPE, epochs=9))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(ValueError, match="is no empty folder and holds no run"):
        claim_workdir(tmp_path / "full", RECIPE)
    assert (tmp_path / "full" / "thesis.tex").read_text() == "mine"


def test_a_recipe_of_another_version_is_the_same_if_what_both_know_is(tmp_path):
    recipe = dataclasses.replace(RECIPE, start=RECIPE)
    claim_workdir(tmp_path, recipe)
    file = tmp_path / "recipe.json"
    saved = json.loads(file.read_text())
    later = {**saved, "later": 1, "model": {**saved["model"], "later": 2}, "start": {**saved["start"], "later": 3}}
    earlier = {key: value for key, value in saved.items() if key not in ("momentum", "members", "freeze")}
    earlier["model"] = {key: value for key, value in saved["model"].items() if key != "scale"}
    for other in (later, earlier):
        file.write_text(json.dumps(other))
        claim_workdir(tmp_path, recipe)
    for changes in ({"momentum": 0.9}, {"model": dataclasses.replace(recipe.model, scale=2.0)}, {"start": None}):
        with pytest.raises(ValueError, match=f"which differs in {next(iter(changes))}. Choose another --workdir"):
            claim_workdir(tmp_path, dataclasses.replace(recipe, **changes))
    assert json.loads(file.read_text()) == earlier


@pytest.mark.parametrize("text", ["", "[]", '{"name"', '"demo"'])
def test_a_garbled_recipe_is_named(text, tmp_path):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(
        ValueError, match="recipe.json cannot be used .*Choose another --workdir, or delete that folder"
    ):
        claim_workdir(tmp_path, RECIPE)


def test_two_runs_in_one_folder_are_told_apart(tmp_path):
    with contextlib.ExitStack() as held:
        claim_workdir(tmp_path / "run", RECIPE, held)
        with contextlib.ExitStack() as second, pytest.raises(ValueError, match="Another run is at work in .*run. Wait"):
            claim_workdir(tmp_path / "run", RECIPE, second)
        claim_workdir(tmp_path / "other", RECIPE, held)
    with contextlib.ExitStack() as held:
        claim_workdir(tmp_path / "run", RECIPE, held)
    # What a process leaves that is killed as it begins.
    (tmp_path / "run" / "recipe.json").rename(tmp_path / "run" / ".part.recipe.json")
    assert {path.name for path in claim_workdir(tmp_path / "run", RECIPE).iterdir()} == {LOCK, "recipe.json"}


def test_what_stands_where_the_saved_model_goes_is_named_before_the_training_and_kept(tiny, tmp_path, monkeypatch):
    claim_workdir(tmp_path, RECIPE)
    mine = tmp_path / "saved_model" / "1" / "assets" / "mine.txt"
    mine.parent.mkdir(parents=True)
    (mine.parents[1] / "saved_model.pb").touch()
    mine.write_text("mine")
    monkeypatch.setattr("keras_saliency.training.run.train_with_stages", lambda *args, **options: 1 / 0)
    with pytest.raises(ValueError, match=r"assets/mine.txt stands where the SavedModel goes.* Move it out of"):
        ks.train(RECIPE, tiny, tmp_path, verbose=False)
    assert mine.read_text() == "mine"
    mine.unlink()
    with pytest.raises(ZeroDivisionError):  # It trains.
        ks.train(RECIPE, tiny, tmp_path, verbose=False)


def test_a_run_is_held_until_its_report_is_written(tiny, tmp_path, monkeypatch):
    def claim_again(*args, **kwargs):
        with contextlib.ExitStack() as held, pytest.raises(ValueError, match="Another run is at work in"):
            claim_workdir(tmp_path / "run", RECIPE, held)
        raise KeyboardInterrupt

    def trained(recipe, data, built, workdir, console, features):
        return [], {"features": 0.0, "training": 0.0}

    monkeypatch.setattr("keras_saliency.training.run.train_epochs", trained)
    monkeypatch.setattr("keras_saliency.training.run.score_split", claim_again)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            ks.train(RECIPE, tiny, tmp_path / "run", verbose=False)


def small_state(workdir):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    network.compile("adam", "mse")
    return _State(workdir, network)


ROW = {"epoch": 1, "loss": 1.0, "val_loss": 1.0}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"history": [{"epoch": 1', '{"history": 3, "seconds": {}, "seeds": []}'),
        json.dumps({"history": [{"epoch": 1}], "seconds": {"features": 0, "training": 0}}),
        json.dumps({"history": [ROW], "seconds": {"features": "x", "training": 0}}),
        json.dumps({"history": [ROW], "seconds": {"features": 0, "training": 0}, "seeds": [[[1]]]}),
    ],
)
def test_a_garbled_state_is_named_with_its_remedy(text, tmp_path):
    small_state(tmp_path).save(ROW)
    file = tmp_path / "checkpoints" / "state.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"state.json cannot be used .*Delete .*state.json to train from the start.$"):
        small_state(tmp_path)
    file.unlink()
    assert small_state(tmp_path).history == []


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_garbled_weights_are_named_with_their_remedy(content, tmp_path):
    small_state(tmp_path).save(ROW)
    file = tmp_path / "checkpoints" / "epoch-0001.weights.h5"
    file.write_bytes(file.read_bytes()[:3000] if content is None else content)
    with pytest.raises(ValueError, match=r"epoch-0001.weights.h5 cannot be used .*Delete .*state.json to train"):
        small_state(tmp_path)


def test_only_own_checkpoints_are_deleted(tmp_path):
    state = small_state(tmp_path)
    mine = tmp_path / "checkpoints" / "my_backup.weights.h5"
    mine.write_text("mine")
    for epoch, loss in enumerate((3.0, 1.0, 2.0, 4.0), 1):
        state.save({**ROW, "epoch": epoch, "val_loss": loss})
    left = {path.name for path in mine.parent.iterdir()}
    assert left == {"state.json", mine.name, "epoch-0002.weights.h5", "epoch-0004.weights.h5"}
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 5


def test_a_full_disk_leaves_the_last_checkpoint_and_no_open_file(tmp_path, monkeypatch):
    state = small_state(tmp_path)
    state.save(ROW)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def write(path, data):
        path.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write)
    with pytest.raises(OSError, match=r"Make room and try again: '.*epoch-0002.weights.h5'"):
        state.save({**ROW, "epoch": 2})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    # HDF5 ends the process with a segmentation fault when it closes a file for which there was no room.
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0
    monkeypatch.undo()
    assert small_state(tmp_path).history == [ROW]


def test_a_batch_of_more_than_all_images_is_all_of_them(eager, tiny, tmp_path, monkeypatch):
    seen = []

    def fit(self, batches, *args, validation_data, **options):
        seen.extend(len(targets) for part in (batches, validation_data) for _, targets in part)
        return types.SimpleNamespace(history={"loss": [1.0], "val_loss": [1.0]})

    monkeypatch.setattr(keras.Model, "fit", fit)
    console = rich.console.Console(file=io.StringIO(), width=200)
    recipe = dataclasses.replace(RECIPE, epochs=1, batch=100_000_000)
    train_with_stages(recipe, lambda name: tiny, tmp_path / "frame", console)
    assert "batch=100000000: there are 8 training images" in console.file.getvalue()
    assert seen == [8, 4]
    # A long image is several: one for each window.
    rows = [(x, y, 0, 0.0) for x in range(5, 40, 9) for y in range(5, 400, 20)]
    image = tf.io.encode_png(np.zeros((400, 40, 3), "uint8")).numpy()
    long = Samples([Sample("long.png", image, (400, 40), Fixations.from_rows(rows), 2.0)])
    recipe = dataclasses.replace(recipe, size=None, area=64 * 64)
    train_with_stages(recipe, lambda name: DataSet("long", long, long, long), tmp_path / "view", console)
    assert seen[2:] == [len(long.in_windows(View(64 * 64, 16)))] * 2
    assert seen[2] > 1


def test_a_batch_that_does_not_fit_is_one_line():
    with (
        pytest.raises(
            MemoryError, match="^A batch of 7 needs more memory than there is. Try a smaller --set batch="
        ) as e,
        enough_memory(7),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, "many\nlines")
    assert "\n" not in str(e.value)


def test_a_recipe_starts_from_another_and_several_are_mixed(eager, tiny, tmp_path):
    first = dataclasses.replace(RECIPE, name="first", epochs=1)
    second = dataclasses.replace(
        RECIPE, name="second", epochs=1, learning_rate=1e-30, freeze_backbone=False, freeze=("conv*",), start=first
    )
    mixture = Recipe("mixture", "synthetic", size=RECIPE.size, members=(first, second))
    _, history, seconds = run(tmp_path, tiny, mixture)
    assert history == []
    assert seconds["training"] > 0
    paths = [tmp_path / "first", tmp_path / "second", tmp_path / "second" / "first"]
    members = [keras.models.load_model(path / "model.keras", compile=False) for path in paths]
    for weight, other in zip(members[0].get_weights(), members[2].get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
    # Such a rate leaves all but the running statistics.
    trained, started = members[1].get_layer("decoder"), members[2].get_layer("decoder")
    for weight, other in zip(trained.get_weights(), started.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-6)
    images = next(iter(tiny.test.pipeline(RECIPE.size, 4)))[0]
    mean = np.mean([member.predict(images, verbose=0) for member in members[:2]], 0)
    mixed = keras.models.load_model(tmp_path / "model.keras").predict(images, verbose=0)
    np.testing.assert_allclose(np.exp(mixed).sum((1, 2)), 1, rtol=1e-4)
    np.testing.assert_allclose(
        mixed - mixed.mean((1, 2), keepdims=True), mean - mean.mean((1, 2), keepdims=True), atol=1e-4
    )
    run(tmp_path, tiny, mixture)
    with pytest.raises(ValueError, match="a name like 'block"):
        run(tmp_path / "other", tiny, dataclasses.replace(second, freeze=("block1_*",)))


def test_what_a_recipe_starts_from_is_let_go(tiny, tmp_path, monkeypatch):
    models, counted = weakref.WeakSet(), []

    def no_epochs(recipe, data, built, *rest):
        gc.collect()
        counted.append(len(models))
        models.add(built.model)
        return [], {"features": 0.0, "training": 0.0}

    monkeypatch.setattr("keras_saliency.training.run.train_epochs", no_epochs)
    first = dataclasses.replace(RECIPE, name="first")
    second = dataclasses.replace(RECIPE, name="second", start=first)
    run(tmp_path, tiny, dataclasses.replace(RECIPE, name="third", start=second))
    assert counted == [0, 0, 0]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_schedules_and_optimizers_follow_the_recipe(schedule, optimizer):
    recipe = dataclasses.replace(
        RECIPE,
        optimizer=optimizer,
        schedule=schedule,
        learning_rate=0.5,
        decay=0.1,
        decay_epochs=2,
        epochs=4,
        weight_decay=0.0,
        momentum=0.9,
        nesterov=True,
        clip_norm=2.0,
    )
    made = make_optimizer(recipe, steps=5)
    rates = []
    for iteration in (0, 10, 20):
        made.iterations.assign(iteration)
        rates.append(float(made.learning_rate))
    expected = {
        "cosine": [0.5, 0.25, 0.0],
        "constant": [0.5] * 3,
        "inverse": [0.5, 0.5 / 2, 0.5 / 3],
        "steps": [0.5, 0.05, 0.005],
    }
    np.testing.assert_allclose(rates, expected[schedule], rtol=1e-5, atol=1e-7)
    assert made.global_clipnorm == 2.0
    assert made.weight_decay == 0.0
    if optimizer == "sgd":
        assert (made.momentum, made.nesterov) == (0.9, True)


def test_unknown_optimizers_are_listed():
    with pytest.raises(ValueError, match="Unknown optimizer 'lion'. Known optimizers: adam, adamw"):
        make_optimizer(dataclasses.replace(RECIPE, optimizer="lion"), 5)
    with pytest.raises(ValueError, match="Unknown schedule 'linear'. Known schedules: cosine"):
        dataclasses.replace(RECIPE, schedule="linear")


@pytest.mark.slow
def test_the_sides_of_dva_are_trained_with_their_fusion(eager, tiny, tmp_path):
    recipe = dataclasses.replace(
        RECIPE, model=Model("dva", "tiny", width=0.5), supervise_sides=True, freeze_backbone=False, epochs=1
    )
    model, trained, _ = build(recipe, tiny)
    batch = next(iter(tiny.train.pipeline(RECIPE.size, 4)))
    maps = trained.predict_on_batch(batch[0])
    assert [one.shape for one in maps] == [(4, 60, 80, 1)] * 3
    values = [float(trained.loss(batch[1], one)) for one in maps]
    fused = {"loss": values[0]} | {f"{term.name}_loss": float(term(batch[1], maps[0])) for term in trained.loss.losses}
    assert trained.evaluate(*batch, verbose=0, return_dict=True) == pytest.approx(fused, rel=1e-4)
    model, *_ = run(tmp_path, tiny, recipe)
    assert model.predict(batch[0], verbose=0).shape == (4, 60, 80, 1)
    with pytest.raises(ValueError, match="does not predict from single depths"):
        build(dataclasses.replace(recipe, model=RECIPE.model), tiny)


@pytest.mark.parametrize("cut", ["stage2", "conv3", None])
def test_recordings_have_heads_of_their_own(cut, eager, tiny, tmp_path):
    few = dataclasses.replace(tiny, train=Samples(list(tiny.train)[:5]), validation=Samples(list(tiny.validation)[:2]))
    parts = {"lab": tiny, "field": few}
    data = mixtures.mix(parts)
    recipe = dataclasses.replace(
        RECIPE,
        data=("lab", "field"),
        size=None,
        area=64 * 96,
        heads=True,
        freeze_backbone=False,
        frozen_to=cut,
        freeze=("*batch*",),
        dropout=0.2,
        epochs=1,
    )
    keras.utils.set_random_seed(0)
    built = build(recipe, data)
    before = built.model.get_weights()
    assert (built.computed is None) == (cut is None)
    # What is computed once and what is trained are together the model.
    images = ops.convert_to_tensor(tiny.test[0].read()[None, :64, :96], "float32")
    features = images if cut is None else built.computed(images)
    whole = built.trained([*keras.tree.flatten(features), ops.convert_to_tensor([2])])
    density = np.exp(built.model(images)).reshape(16, 4, 24, 4).sum((1, 3))
    np.testing.assert_allclose(np.exp(whole)[0, ..., 0], density, rtol=0.1)
    model, _, _ = train_with_stages(recipe, lambda name: data, tmp_path, CONSOLE)
    pairs = zip(model.weights, before, strict=True)
    trained = [weight.path.split("/")[-2] for weight, old in pairs if not np.allclose(weight, old)]
    assert ("conv1" in trained, "conv3" in trained) == (cut is None, cut != "conv3")
    seen = json.loads((tmp_path / "images.json").read_text())
    assert seen["train"] == sorted(f"{each}/{sample.name}" for each in ("lab", "field") for sample in parts[each].train)
    assert len(seen["validation"]) == len(data.validation)
    head = recording_head_of(ks.load(tmp_path / "model.keras").model)
    assert (head.recordings, head.recording) == (("lab", "field"), None)
    assert head.numbers_of("lab") != head.numbers_of("field")
    assert head.numbers_of(None) == pytest.approx(BEGIN)  # no picture was of neither
    biases = [head.centre_bias_of(name) for name in ("lab", "field", None)]
    assert np.abs(biases[0] - biases[1]).max() > 1e-6
    y, x = np.mgrid[-0.5:0.5:120j, -0.5:0.5:160j] * 4
    gaussian = np.exp(-(x**2 + y**2) / 2)
    np.testing.assert_allclose(biases[2], gaussian / gaussian.sum(), rtol=0.1)


def test_where_training_begins_in_a_backbone(tiny):
    recipe = dataclasses.replace(RECIPE, freeze_backbone=False, frozen_to="conv9")
    with pytest.raises(ValueError, match="The backbone has no layer 'conv9', as frozen_to asks. Known layers: .*conv0"):
        build(recipe, tiny)
    with pytest.raises(ValueError, match="Behind 'stage3' the backbone has nothing that the decoder reads"):
        build(dataclasses.replace(recipe, frozen_to="stage3"), tiny)
    with pytest.raises(ValueError, match="frozen_to says where training begins in the backbone: freeze_backbone=False"):
        dataclasses.replace(recipe, freeze_backbone=True)
