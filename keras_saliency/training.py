"""Training a recipe: a loop of epochs that can be interrupted anywhere and goes on as if it had not been."""

import csv
import dataclasses
import json
import math
import shutil
import time
from pathlib import Path

import keras
import rich.progress
from tensorboard.summary import Writer

from keras_saliency import baselines
from keras_saliency.data.features import FeatureCache
from keras_saliency.losses import combo
from keras_saliency.models import create_model

CHECKPOINTS, FEATURES = "checkpoints", "features"


def progress_bars(console):
    """The progress bars of long work."""
    columns = (
        rich.progress.TextColumn("{task.description:<12}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    return rich.progress.Progress(*columns, console=console)


def claim_workdir(workdir, recipe):
    """Takes a folder for the run of a recipe, new or to be resumed.

    Raises:
        ValueError: If it holds the run of another recipe, or other files; nothing in it is touched.
    """
    workdir = Path(workdir)
    # Through JSON, as it will be read back.
    wanted = json.loads(json.dumps(dataclasses.asdict(recipe)))
    file = workdir / "recipe.json"
    if file.is_file():
        found = json.loads(file.read_text())
        if found != wanted:
            changed = [key for key in wanted if found.get(key) != wanted[key]]
            raise ValueError(
                f"{workdir} holds the run of another recipe: {found.get('name')!r}, which differs in "
                f"{', '.join(changed)}. Choose another --workdir, or delete that folder."
            )
        return workdir
    if workdir.exists() and (not workdir.is_dir() or any(workdir.iterdir())):
        raise ValueError(f"{workdir} is no empty folder and holds no run. Choose another --workdir.")
    workdir.mkdir(parents=True, exist_ok=True)
    _replace(file, json.dumps(wanted, indent=2) + "\n")
    return workdir


def build(recipe, data):
    """Makes and compiles the model of a recipe, with the centre bias of the training fixations; writes nothing.

    Args:
        recipe: A `Recipe`.
        data: The `DataSet` that it names.

    Returns:
        The model; where the backbone is frozen, its decoder is what is compiled.

    Raises:
        ValueError, FileNotFoundError, ImportError, ConnectionError: If a name in the recipe is unknown or weights
            cannot be had; see `create_model` and `combo`.
    """
    keras.utils.set_random_seed(recipe.seed)
    loss = combo(recipe.loss, from_logits=True)
    model = create_model(
        recipe.model.name,
        backbone=recipe.model.backbone,
        weights=recipe.model.weights,
        input_size=recipe.size,
        centre_bias=baselines.CentreBias(data.train, data.validation).density,
    )
    model.get_layer("backbone").trainable = not recipe.freeze_backbone
    trained = _trained_part(recipe, model)
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.epochs * _steps(recipe, data))
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "log_sigma", "prior", "weight"])
    trained.compile(optimizer, loss=loss)
    optimizer.build(trained.trainable_variables)
    return model


def _trained_part(recipe, model):
    return model.get_layer("decoder") if recipe.freeze_backbone else model


def _steps(recipe, data):
    return math.ceil(len(data.train) / recipe.batch)


def train(recipe, data, model, workdir, console):
    """Trains a model, or goes on with a training that was interrupted.

    Args:
        recipe: A `Recipe`.
        data: The `DataSet` that it names.
        model: What `build` made of them; it ends with the weights of the best epoch.
        workdir: A folder from `claim_workdir`. It receives `history.csv`, `tensorboard/`, `checkpoints/` and, at the
            end, `model.keras`.
        console: A `rich.console.Console`.

    Returns:
        The history (a list with a dictionary for each epoch), and the seconds of features and training, those of
        earlier sessions included as far as they were saved.
    """
    trained = _trained_part(recipe, model)
    state = _State(workdir, trained)
    with progress_bars(console) as bars:
        if not state.finished(recipe):
            caches = _features(recipe, data, model, bars, state)
            _epochs(recipe, data, trained, caches, state, bars)
    state.load(state.best_epoch)
    shutil.rmtree(state.workdir / FEATURES, ignore_errors=True)
    model.save(state.workdir / "model.keras")
    return state.history, state.seconds


def _features(recipe, data, model, bars, state):
    """The caches of training and validation features, or of none where the backbone is trained."""
    if not recipe.freeze_backbone:
        return {"train": None, "validation": None}
    started = time.perf_counter()
    caches = {}
    for part, flip in (("train", recipe.flip), ("validation", False)):
        samples = getattr(data, part)
        task = bars.add_task(f"features {part}"[:14], total=len(samples))
        caches[part] = FeatureCache(
            state.workdir / FEATURES / part,
            model.get_layer("backbone"),
            samples,
            recipe.size,
            flip,
            progress=lambda done, task=task: bars.update(task, completed=done),
        )
        bars.update(task, completed=len(samples))
    state.seconds["features"] += time.perf_counter() - started
    state.write()
    return caches


def _epochs(recipe, data, model, caches, state, bars):
    validation = data.validation.pipeline(recipe.size, recipe.batch, features=caches["validation"])
    writer = Writer(str(state.workdir / "tensorboard"))
    while not state.finished(recipe):
        epoch, started = len(state.history), time.perf_counter()
        task = bars.add_task(f"epoch {epoch + 1}/{recipe.epochs}", total=_steps(recipe, data))
        train = data.train.pipeline(
            recipe.size,
            recipe.batch,
            flip=recipe.flip,
            shuffle=True,
            seed=recipe.seed,
            epoch=epoch,
            features=caches["train"],
        )
        advance = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, task=task: bars.advance(task))
        logs = model.fit(train, validation_data=validation, shuffle=False, verbose=0, callbacks=[advance]).history
        values = {name: value[0] for name, value in logs.items()}
        if not math.isfinite(values["loss"] + values["val_loss"]):
            raise ValueError(
                f"The loss became {values['loss']} (validation: {values['val_loss']}) in epoch {epoch + 1}. "
                "Try a smaller learning rate: --set learning_rate=1e-4."
            )
        state.seconds["training"] += time.perf_counter() - started
        state.save({"epoch": epoch + 1, **values})
        for name, value in values.items():
            writer.add_scalar(name, value, epoch + 1)
        writer.flush()
        best = " (best)" if state.best_epoch == epoch + 1 else ""
        bars.console.print(f"epoch {epoch + 1}: loss {values['loss']:.4f}, val_loss {values['val_loss']:.4f}{best}")
    writer.close()


class _State:
    """What a training must remember: the history, and the weights and optimizer of the last and the best epoch.

    `state.json` is replaced in one step after the weights it speaks of are complete, so that an interruption at any
    moment leaves the state of one whole epoch.
    """

    def __init__(self, workdir, model):
        self.workdir, self.model = Path(workdir), model
        self.file = self.workdir / CHECKPOINTS / "state.json"
        self.file.parent.mkdir(exist_ok=True)
        self.history, self.seconds = [], {"features": 0.0, "training": 0.0}
        if self.file.is_file():
            saved = json.loads(self.file.read_text())
            self.history, self.seconds = saved["history"], saved["seconds"]
            if self.history:
                self.load(len(self.history))

    @property
    def best_epoch(self):
        return min(self.history, key=lambda row: row["val_loss"])["epoch"]

    def finished(self, recipe):
        done = len(self.history)
        return done >= recipe.epochs or (done > 0 and done - self.best_epoch >= recipe.patience)

    def _weights(self, epoch):
        return self.file.parent / f"epoch-{epoch:04d}.weights.h5"

    def load(self, epoch):
        self.model.load_weights(self._weights(epoch))

    def write(self):
        _replace(self.file, json.dumps({"history": self.history, "seconds": self.seconds}))

    def save(self, row):
        self.history.append(row)
        self.model.save_weights(self._weights(row["epoch"]))
        self.write()
        with (self.workdir / "history.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, row)
            table.writeheader()
            table.writerows(self.history)
        for path in self.file.parent.glob("*.weights.h5"):
            if path not in (self._weights(row["epoch"]), self._weights(self.best_epoch)):
                path.unlink()


def _replace(path, text):
    """Writes a file in one step."""
    temporary = path.with_suffix(".part")
    temporary.write_text(text)
    temporary.replace(path)
