"""Training a recipe: a loop of epochs that can be interrupted anywhere and goes on as if it had not been."""

import csv
import dataclasses
import fnmatch
import json
import math
import time
from pathlib import Path

import keras
import rich.progress
from tensorboard.summary import Writer

from keras_saliency import baselines
from keras_saliency.data.features import FeatureCache
from keras_saliency.legacy.model_layers import find_layers
from keras_saliency.losses import combo
from keras_saliency.models import create_model, mix, with_sides
from keras_saliency.optimizers import make_optimizer

CHECKPOINTS, FEATURES, MODEL = "checkpoints", "features", "model.keras"


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


def untrained(recipe):
    """The model of a recipe with random weights, or the mixture of those of its members."""
    keras.backend.clear_session()
    if recipe.members:
        return mix([untrained(member) for member in recipe.members], name=recipe.name)
    return create_model(**{**dataclasses.asdict(recipe.model), "weights": None}, input_size=recipe.size)


def build(recipe, data, start=None):
    """Makes the model of a recipe, with the centre bias of the training fixations; writes nothing.

    Args:
        recipe: A `Recipe`.
        data: The `DataSet` that it names.
        start: A model of the same architecture whose weights it starts from.

    Returns:
        The model, and the part of it that is trained, compiled: the decoder where the backbone is frozen.

    Raises:
        ValueError, FileNotFoundError, ImportError, ConnectionError: If a name in the recipe is unknown or weights
            cannot be had; see `create_model` and `combo`.
    """
    keras.utils.set_random_seed(recipe.seed)
    loss = combo(recipe.loss, from_logits=recipe.model.head == "log-density")
    model = create_model(**dataclasses.asdict(recipe.model), input_size=recipe.size)
    if start is not None:
        model.set_weights(start.get_weights())
    if recipe.model.head != "published":
        bias = baselines.CentreBias(data.train, data.validation).density
        model.get_layer("decoder").get_layer("centre_bias").set_density(bias)
    _freeze(recipe, model.get_layer("backbone"))
    trained = model.get_layer("decoder") if recipe.freeze_backbone else model
    trained = with_sides(trained) if recipe.supervise_sides else trained
    optimizer = make_optimizer(recipe, _steps(recipe, data))
    trained.compile(optimizer, loss=loss)
    optimizer.build(trained.trainable_variables)
    return model, trained


def _freeze(recipe, backbone):
    backbone.trainable = not recipe.freeze_backbone
    for pattern in recipe.freeze:
        layers = find_layers(backbone).values()
        matching = [layer for layer in layers if fnmatch.fnmatchcase(layer.name, pattern)]
        if not matching:
            raise ValueError(f"No layer of the backbone has a name like {pattern!r}, as freeze={recipe.freeze} asks.")
        for layer in matching:
            layer.trainable = False


def train_with_stages(recipe, read, workdir, console, features=None):
    """Trains a recipe and, before it, what it starts from or mixes, each in a folder of its own inside.

    Args:
        recipe: A `Recipe`.
        read: A function from the name of a data set to the `DataSet`.
        workdir: The folder of the run, new or to be resumed; see `claim_workdir`.
        console: A `rich.console.Console`.
        features: The folder of the feature cache, by default inside `workdir`.

    Returns:
        The model, the history of this recipe (empty for a mixture), and the seconds of all.
    """
    features = features or Path(workdir) / FEATURES
    seconds = {"features": 0.0, "training": 0.0}

    def before(other, folder):
        console.print(f"{other.name}, for {recipe.name}:")
        model, _, spent = train_with_stages(other, read, folder, console, features)
        for key, value in spent.items():
            seconds[key] += value
        return model

    if recipe.members:
        workdir = claim_workdir(workdir, recipe)
        model, history = mix([before(m, workdir / m.name) for m in recipe.members], name=recipe.name), []
        model.save(workdir / MODEL)
    else:
        start = None
        if recipe.start:
            start = before(recipe.start, claim_workdir(workdir, recipe) / recipe.start.name)
        data = read(recipe.data)
        model, trained = build(recipe, data, start)
        workdir = claim_workdir(workdir, recipe)
        history, spent = train(recipe, data, model, trained, workdir, console, features)
        seconds = {key: seconds[key] + spent[key] for key in seconds}
    return model, history, seconds


def _steps(recipe, data):
    return math.ceil(len(data.train) / recipe.batch)


def train(recipe, data, model, trained, workdir, console, features=None):
    """Trains a model, or goes on with a training that was interrupted.

    Args:
        recipe: A `Recipe`.
        data: The `DataSet` that it names.
        model: What `build` made of them; it ends with the weights of the best epoch.
        trained: The part of it that is trained, as `build` gave it.
        workdir: A folder from `claim_workdir`. It receives `history.csv`, `tensorboard/`, `checkpoints/` and, at the
            end, `model.keras`.
        console: A `rich.console.Console`.
        features: The folder of the feature cache, by default inside `workdir`; what lies there can be deleted after.

    Returns:
        The history (a list with a dictionary for each epoch), and the seconds of features and training, those of
        earlier sessions included as far as they were saved.
    """
    state = _State(workdir, trained)
    with progress_bars(console) as bars:
        if not state.finished(recipe):
            caches = _features(recipe, data, model, bars, state, features or state.workdir / FEATURES)
            _epochs(recipe, data, model, trained, caches, state, bars)
    state.load(state.best_epoch)
    model.save(state.workdir / MODEL)
    return state.history, state.seconds


def _features(recipe, data, model, bars, state, folder):
    """The caches of training and validation features, or of none where the backbone is trained."""
    if not recipe.freeze_backbone:
        return {"train": None, "validation": None}
    started = time.perf_counter()
    caches = {}
    for part, flip in (("train", recipe.flip), ("validation", False)):
        samples = getattr(data, part)
        task = bars.add_task(f"features {part}"[:14], total=len(samples))
        caches[part] = FeatureCache(
            Path(folder) / part,
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


def _epochs(recipe, data, model, trained, caches, state, bars):
    target_size = model.output_shape[1:3]
    validation = data.validation.pipeline(
        recipe.size, recipe.batch, target_size=target_size, features=caches["validation"]
    )
    writer = Writer(str(state.workdir / "tensorboard"))
    while not state.finished(recipe):
        epoch, started = len(state.history), time.perf_counter()
        task = bars.add_task(f"epoch {epoch + 1}/{recipe.epochs}", total=_steps(recipe, data))
        train = data.train.pipeline(
            recipe.size,
            recipe.batch,
            target_size=target_size,
            flip=recipe.flip,
            shuffle=True,
            seed=recipe.seed,
            epoch=epoch,
            features=caches["train"],
        )
        advance = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, task=task: bars.advance(task))
        logs = trained.fit(train, validation_data=validation, shuffle=False, verbose=0, callbacks=[advance]).history
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
