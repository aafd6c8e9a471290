"""The loop of epochs: it can be interrupted anywhere and goes on as if it had not been."""

import csv
import io
import json
import math
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import keras
import rich.console
from tensorboard.summary import Writer

from keras_saliency.data import DataSet
from keras_saliency.data.pipeline import naming_images
from keras_saliency.losses.base import Combination
from keras_saliency.models.sizes import require_shown
from keras_saliency.serving.load import MODEL, PARTS
from keras_saliency.training.build import Built, counts_of, steps_of
from keras_saliency.training.devices import enough_memory, own_share, unshared
from keras_saliency.training.features import FeatureCache
from keras_saliency.training.histories import Histories
from keras_saliency.training.parts import QUARTER
from keras_saliency.training.recipe import Recipe
from keras_saliency.training.workdir import CHECKPOINTS, FEATURES
from keras_saliency.writing.files import naming, whole, write_whole
from keras_saliency.writing.progress import Progress

ANEW = "Delete {} to train from the start."
IMAGES = "images.json"


def train_epochs(
    recipe: Recipe,
    data: DataSet,
    built: Built,
    workdir: str | Path,
    console: rich.console.Console,
    features: Path | Mapping[str, FeatureCache] | None = None,
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Trains a model, or goes on with a training that was interrupted.

    Args:
        recipe: The recipe.
        data: The data set that it names.
        built: What `build` made of them; its model ends with the weights of the best epoch.
        workdir: A folder from `claim_workdir`. It receives `images.json` (the names of the training and validation
            images), `history.csv`, `tensorboard/`, `checkpoints/` and, at the end, `model.keras`, and
            `next_fixation.keras`, which takes a history, where the recipe has `histories`.
        console: Where progress is shown.
        features: The folder of the feature cache, by default inside `workdir`; what lies there can be deleted after. Or
            the caches `train` and `validation` themselves; none of them where the backbone is trained.

    Returns:
        The history (a list with a dictionary for each epoch), and the seconds of features and training, those of
        earlier sessions included as far as they were saved.
    """
    state = _State(workdir, built.trained)
    _note_images(state.workdir / IMAGES, data)
    with Progress(console) as bars:
        if not state.finished(recipe):
            caches = features
            if not isinstance(features, Mapping):
                caches = _features(recipe, data, built, bars, state, features or state.workdir / FEATURES)
            _epochs(recipe, data, built, caches, state, bars)
    state.load(state.best_epoch)
    for model, file in ((built.given, PARTS["next_fixation"]), (built.model, MODEL)):
        if model:
            with whole(state.workdir / file) as part:
                model.save(part)
    return state.history, state.seconds


def _note_images(file, data):
    """Writes which images are seen, once: a training goes on with the same ones."""
    seen = {part: sorted(sample.name for sample in getattr(data, part)) for part in ("train", "validation")}
    if not file.is_file():
        write_whole(file, json.dumps(seen, indent=1) + "\n")
    remedy = f"Choose another --workdir, or delete {file.parent}."
    with naming(file, remedy):
        known = json.loads(file.read_text())
        other = next((name for part in seen for name in sorted({*seen[part]} ^ {*known[part]})), None)
    if other:
        raise ValueError(f"{file} names other images than the data have now, such as {other}. {remedy}")


def _features(recipe, data, built, bars, state, folder):
    """The caches of training and validation features, or none where all is trained."""
    if built.computed is None:
        return {}
    started = time.perf_counter()
    caches, shown = {}, require_shown(built.model)
    for part, flip in (("train", recipe.flip), ("validation", False)):
        samples = getattr(data, part).in_windows(shown)
        task = bars.add_task(f"features {part}"[:14], total=len(samples))
        with unshared():
            caches[part] = FeatureCache(
                folder / part,
                built.computed,
                samples,
                shown,
                flip,
                progress=lambda done, task=task: bars.update(task, completed=done),
            )
        bars.update(task, completed=len(samples))
    state.seconds["features"] += time.perf_counter() - started
    state.write()
    return caches


def _epochs(recipe, data, built, caches, state, bars):
    model, trained = built.model, built.trained
    shown = require_shown(model)
    target_size = model.output_shape[1:3] if recipe.size else recipe.model.scale * (QUARTER if recipe.heads else 1)
    # What fills a batch is asked for before it is known how much there is.
    shown_train, shown_validation = (samples.in_windows(shown) for samples in (data.train, data.validation))
    batch, validated = min(recipe.batch, shown_train.draws), min(recipe.batch, len(shown_validation))
    if batch < recipe.batch:
        bars.console.print(f"batch={recipe.batch}: there are {batch} training images")
    options = {"target_size": target_size, "numbered": recipe.heads}
    if recipe.histories:
        histories, validation = (
            Histories(getattr(data, part), caches[part], recipe, shown) for part in ("train", "validation")
        )
    else:
        validation = shown_validation.pipeline(shown, validated, features=caches.get("validation"), **options)
        validation = own_share(validation, counts_of(shown_validation, shown, shuffled=False), validated)
    counts = counts_of(shown_train, shown)
    writer = Writer(str(state.workdir / "tensorboard"))
    while not state.finished(recipe):
        epoch, started = len(state.history), time.perf_counter()
        task = bars.add_task(f"epoch {epoch + 1}/{recipe.epochs}", total=steps_of(counts, batch))
        if recipe.histories:
            train = histories.of_epoch(epoch)
        else:
            train = shown_train.pipeline(
                shown,
                batch,
                flip=recipe.flip,
                augment=recipe.augment,
                shuffle=True,
                seed=recipe.seed,
                epoch=epoch,
                features=caches.get("train"),
                **options,
            )
            train = own_share(train, counts, batch)
        advance = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, task=task: bars.advance(task))
        fitting = {"validation_data": validation, "shuffle": False, "verbose": 0, "callbacks": [advance]}
        with naming_images(data.train, data.validation), enough_memory(batch), warnings.catch_warnings():
            # Of a mixture that is shown in part, batches of one size are not known to be how many.
            warnings.filterwarnings("ignore", "Your input ran out of data")
            logs = trained.fit(train, **fitting).history
        values = {name: value[0] for name, value in logs.items()}
        if recipe.balance == "gradient" and not epoch:
            found = " + ".join(f"{weight:.3g} {name}" for name, weight in trained.loss.weights.items())
            bars.console.print(f"balanced by gradient: {found}")
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

    What layers draw at random (dropout, stochastic depth) goes on from the seeds of the last epoch, which no file of
    weights has. `state.json`, which holds them, is replaced in one step after the weights it speaks of are complete, so
    that an interruption at any moment leaves the state of one whole epoch.
    """

    def __init__(self, workdir, model):
        self.workdir, self.model = Path(workdir), model
        self.file = self.workdir / CHECKPOINTS / "state.json"
        self.file.parent.mkdir(exist_ok=True)
        self.history, self.seconds = [], {"features": 0.0, "training": 0.0}
        if self.file.is_file():
            with naming(self.file, ANEW.format(self.file)):
                saved = json.loads(self.file.read_text())
                self.history = [{**row, "epoch": number} for number, row in enumerate(saved["history"], 1)]
                self.seconds = {name: float(saved["seconds"][name]) for name in self.seconds}
                for seed, value in zip(self._seeds(), saved.get("seeds", []), strict=False):
                    seed.assign(value)
                # A loss that is balanced by gradients is so once, at the start.
                for name, value in saved.get("loss", {}).items():
                    setattr(self.model.loss, name, value)
                best = self.history and self.best_epoch
            if best:
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
        with naming(self._weights(epoch), ANEW.format(self.file)):
            self.model.load_weights(self._weights(epoch))

    def _seeds(self):
        """The states of the random generators of the layers."""
        weights = {id(weight) for weight in self.model.weights}
        return [variable for variable in self.model.variables if id(variable) not in weights]

    def write(self):
        seeds = [keras.ops.convert_to_numpy(seed).tolist() for seed in self._seeds()]
        known = isinstance(self.model.loss, Combination)
        loss = {name: getattr(self.model.loss, name) for name in ("weights", "balance") if known}
        state = {"history": self.history, "seconds": self.seconds, "seeds": seeds, "loss": loss}
        write_whole(self.file, json.dumps(state))

    def save(self, row):
        self.history.append(row)
        # HDF5 itself does not survive a full disk: the process would end with a segmentation fault.
        weights = _InMemory()
        self.model.save_weights(weights)
        with whole(self._weights(row["epoch"])) as part:
            part.write_bytes(weights.getbuffer())
        self.write()
        with whole(self.workdir / "history.csv") as part, part.open("w", newline="") as file:
            table = csv.DictWriter(file, row)
            table.writeheader()
            table.writerows(self.history)
        for epoch in range(1, row["epoch"]):
            if epoch != self.best_epoch:
                self._weights(epoch).unlink(missing_ok=True)


class _InMemory(io.BytesIO):
    """What Keras takes for a file of weights: it looks at the end of the name."""

    def __str__(self):
        return "memory.weights.h5"
