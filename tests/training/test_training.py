import dataclasses
import io
import json

import keras
import numpy as np
import pytest
import rich.console

from keras_saliency.training.build import build
from keras_saliency.training.optimizers import OPTIMIZERS, make_optimizer
from keras_saliency.training.recipe import SCHEDULES, Model, Recipe
from keras_saliency.training.run import train_with_stages
from keras_saliency.training.workdir import claim_workdir
from keras_saliency.zoo import RECIPES

pytestmark = pytest.mark.usefixtures("tiny_backbone")
CONSOLE = rich.console.Console(file=io.StringIO())
RECIPE = dataclasses.replace(
    RECIPES["demo"], size=(60, 80), batch=4, epochs=3, model=Model("multilevel", "tiny"), patience=5
)


def run(workdir, data, recipe=RECIPE):
    return train_with_stages(recipe, lambda name: data, workdir, CONSOLE)


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
    ("name", "frozen"), [("mlnet", True), pytest.param("multilevel", False, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(name, frozen, eager, tiny, tmp_path, interrupt):
    recipe = dataclasses.replace(RECIPE, model=Model(name, "tiny", width=0.125), freeze_backbone=frozen)
    model, history, _ = run(tmp_path / "whole", tiny, recipe)
    interrupt(2)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "resumed", tiny, recipe)
    interrupted = json.loads((tmp_path / "resumed" / "checkpoints" / "state.json").read_text())
    assert len(interrupted["history"]) == 1
    resumed, resumed_history, _ = run(tmp_path / "resumed", tiny, recipe)
    assert len(history) == len(resumed_history) == 3
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
    recipe = dataclasses.replace(RECIPE, learning_rate=0.0, epochs=6, patience=2)
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


def test_a_recipe_starts_from_another_and_several_are_mixed(eager, tiny, tmp_path):
    first = dataclasses.replace(RECIPE, name="first", epochs=1)
    second = dataclasses.replace(
        RECIPE, name="second", epochs=1, learning_rate=0.0, freeze_backbone=False, freeze=("conv*",), start=first
    )
    mixture = Recipe("mixture", "synthetic", size=RECIPE.size, members=(first, second))
    _, history, seconds = run(tmp_path, tiny, mixture)
    assert history == []
    assert seconds["training"] > 0
    paths = [tmp_path / "first", tmp_path / "second", tmp_path / "second" / "first"]
    members = [keras.models.load_model(path / "model.keras", compile=False) for path in paths]
    for weight, other in zip(members[0].get_weights(), members[2].get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
    # A rate of zero leaves all but the running statistics.
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


def test_the_sides_of_dva_are_trained_with_their_fusion(eager, tiny, tmp_path):
    recipe = dataclasses.replace(
        RECIPE, model=Model("dva", "tiny", width=0.5), supervise_sides=True, freeze_backbone=False, epochs=1
    )
    model, trained = build(recipe, tiny)
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
