import dataclasses
import io
import json

import keras
import numpy as np
import pytest
import rich.console

from keras_saliency import training
from keras_saliency.recipe import Model
from zoo import RECIPES

pytestmark = pytest.mark.usefixtures("tiny_backbone")
CONSOLE = rich.console.Console(file=io.StringIO())
RECIPE = dataclasses.replace(
    RECIPES["demo"], size=(60, 80), batch=4, epochs=3, model=Model("multilevel", "tiny"), patience=5
)


def run(workdir, data, recipe=RECIPE):
    model = training.build(recipe, data)
    return model, *training.train(recipe, data, model, training.claim_workdir(workdir, recipe), CONSOLE)


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


@pytest.mark.parametrize("frozen", [True, False])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(frozen, tiny, tmp_path, interrupt):
    recipe = dataclasses.replace(RECIPE, freeze_backbone=frozen)
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


def test_a_run_leaves_its_files_and_the_best_weights(tiny, tmp_path):
    model, history, seconds = run(tmp_path, tiny)
    table = (tmp_path / "history.csv").read_text().splitlines()
    assert table[0].startswith("epoch,")
    assert {"loss", "nll_loss", "cc_loss", "val_loss", "val_nll_loss", "val_cc_loss"} < set(table[0].split(","))
    assert len(table) == 4
    assert list((tmp_path / "tensorboard").iterdir())
    assert not (tmp_path / "features").exists()
    assert seconds["training"] > 0
    best = min(history, key=lambda row: row["val_loss"])
    loaded = keras.models.load_model(tmp_path / "model.keras")
    scores = loaded.evaluate(tiny.validation.pipeline(RECIPE.size, 4), verbose=0, return_dict=True)
    assert scores["nll_loss"] == pytest.approx(best["val_nll_loss"], rel=1e-4)
    again, same_history, _ = run(tmp_path, tiny)
    assert same_history == history
    np.testing.assert_array_equal(again.get_weights()[-1], model.get_weights()[-1])


def test_training_stops_when_validation_no_longer_improves(tiny, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=0.0, epochs=6, patience=2)
    _, history, _ = run(tmp_path, tiny, recipe)
    assert len(history) == 3


def test_divergence_is_an_error(tiny, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=1e30)
    with pytest.raises(ValueError, match="The loss became .* smaller learning rate"):
        run(tmp_path, tiny, recipe)


def test_a_workdir_of_another_run_is_left_alone(tmp_path):
    training.claim_workdir(tmp_path / "run", RECIPE)
    training.claim_workdir(tmp_path / "run", RECIPE)
    with pytest.raises(ValueError, match="holds the run of another recipe: 'demo', which differs in epochs"):
        training.claim_workdir(tmp_path / "run", dataclasses.replace(RECIPE, epochs=9))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(ValueError, match="is no empty folder and holds no run"):
        training.claim_workdir(tmp_path / "full", RECIPE)
    assert (tmp_path / "full" / "thesis.tex").read_text() == "mine"
