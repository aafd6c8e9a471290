"""Times every loss beside a training step: `python scripts/benchmark.py losses --json losses.json`."""

import importlib.metadata
import json
import os
import statistics
import time
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer
from keras import ops

import keras_saliency as ks
from keras_saliency.formulas.maps import blur, pack_targets, standardize
from keras_saliency.losses import LOSSES, combo
from keras_saliency.zoo.osie.lite0 import RECIPE

NAMES = [name for name in LOSSES if name not in ("deep_features", "gram")]
FIVE = {"kld": 10, "cc": 2, "nss": 1, "sim": 1, "mse": 1}
# Whether the prediction is a log-density, and whether there is padding.
CASES = {"map": (0, 0), "map, mask": (0, 1), "log-density": (1, 0), "log-density, mask": (1, 1)}
EPSILON = 1e-7


def make_batch(size, batch):
    """Random smooth maps: the packed target and the prediction of each case."""
    rng, shape = np.random.default_rng(0), (batch, *size, 1)
    truth, logits = (standardize(blur(rng.random(shape, "float32"), 8.0)).numpy() for _ in range(2))
    density = np.exp(truth - truth.max())
    fixations = rng.poisson(100 * density / density.sum((1, 2, 3), keepdims=True)).astype("float32")
    valid = np.ones(shape, "float32")
    valid[:, :, -(size[1] // 8) :] = 0.0
    targets = pack_targets(density, fixations), pack_targets(density, fixations, valid)
    predictions = tf.constant(np.exp(logits - logits.max())), tf.constant(logits)
    return {case: (targets[masked], predictions[logs]) for case, (logs, masked) in CASES.items()}


def training_step(size, y_true):
    """One step of the recipe's model with its loss and optimizer, the backbone trained, too."""
    keras.utils.set_random_seed(0)
    model = ks.create_model(RECIPE.model.name, backbone=RECIPE.model.backbone, weights=None, input_size=size)
    optimizer = keras.optimizers.AdamW(RECIPE.learning_rate, weight_decay=RECIPE.weight_decay)
    model.compile(optimizer, loss=combo(RECIPE.loss, from_logits=True))
    images = tf.random.uniform((y_true.shape[0], *size, 3), maxval=255.0)
    return lambda: model.train_on_batch(images, y_true)


def forward_and_backward(loss, y_true, y_pred):
    """The loss and its gradient by the prediction, compiled; a call returns the value when both are done."""

    @tf.function
    def compiled(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    return lambda: compiled(y_true, y_pred)[0].numpy()


def naive_sam(y_true, y_pred):
    """SAM's loss as its code has it (Cornia et al. 2018): nothing shared, statistics repeated over rows and columns."""
    backend = tf.keras.backend
    rows, columns = y_pred.shape[1:3]

    def full(statistic):
        repeated = backend.repeat_elements(backend.expand_dims(statistic), rows, axis=-1)
        return backend.expand_dims(backend.repeat_elements(backend.expand_dims(repeated), columns, axis=-1))

    def peaked(maps):
        return maps / full(ops.max(maps, (1, 2, 3)))

    def normalised(maps):
        return maps / (full(ops.sum(maps, (1, 2, 3))) + EPSILON)

    def kld(truth, prediction):
        s, p = normalised(truth), normalised(peaked(prediction))
        return ops.sum(s * ops.log(s / (p + EPSILON) + EPSILON), (1, 2, 3))

    def cc(truth, prediction):
        s, p = normalised(truth), normalised(peaked(prediction))
        sum_s, sum_p = ops.sum(s, (1, 2, 3)), ops.sum(p, (1, 2, 3))
        variance_s = ops.sum(ops.square(s), (1, 2, 3)) - ops.square(sum_s) / (rows * columns)
        variance_p = ops.sum(ops.square(p), (1, 2, 3)) - ops.square(sum_p) / (rows * columns)
        covariance = ops.sum(s * p, (1, 2, 3)) - sum_s * sum_p / (rows * columns)
        return covariance / ops.sqrt(variance_s * variance_p)

    def nss(fixations, prediction):
        p = peaked(prediction)
        p = (p - full(ops.mean(p, (1, 2, 3)))) / (full(ops.std(p, (1, 2, 3))) + EPSILON)
        return ops.sum(fixations * p, (1, 2, 3)) / ops.sum(fixations, (1, 2, 3))

    density, fixations = y_true[..., :1], y_true[..., 1:2]
    return ops.mean(10 * kld(density, y_pred) - 2 * cc(density, y_pred) - nss(fixations, y_pred))


def make_runs(size, batch):
    """What is measured: functions without arguments, by name and case."""
    cases = make_batch(size, batch)
    runs = {("training step", "log-density"): training_step(size, cases["log-density"][0])}
    for case, (logs, _) in CASES.items():
        losses = {name: LOSSES[name](from_logits=bool(logs)) for name in NAMES}
        losses["five terms"] = combo(FIVE, from_logits=bool(logs))
        runs |= {(name, case): forward_and_backward(loss, *cases[case]) for name, loss in losses.items()}
    pair = {"sam": combo("sam"), "sam by convention": combo("sam", convention="sam"), "sam, naive": naive_sam}
    return runs | {(name, "map"): forward_and_backward(loss, *cases["map"]) for name, loss in pair.items()}


def measure(runs, repeats):
    """The milliseconds of each function, `repeats` times; they take turns, so that noise hits all alike."""
    times = {key: [] for key in runs}
    for turn in range(repeats + 2):
        for key, run in runs.items():
            started = time.perf_counter()
            run()
            if turn >= 2:  # the first two compile
                times[key].append(1000 * (time.perf_counter() - started))
    return times


def judge(times):
    """For each name the ratio that is limited, in its worst case, the target, and whether it holds."""
    step = times["training step", "log-density"]
    ratios = {name: (max(times[name, case] for case in CASES) / step, 0.02) for name in NAMES}
    dearest = {case: max(times[name, case] for name in FIVE) for case in CASES}
    ratios["five terms"] = max(times["five terms", case] / dearest[case] for case in CASES), 1.5
    targets = {name: {"ratio": r, "at_most": limit, "holds": r <= limit} for name, (r, limit) in ratios.items()}
    ratio = times["sam, naive", "map"] / times["sam", "map"]
    return targets | {"sam, naive": {"ratio": ratio, "at_least": 2.0, "holds": ratio >= 2.0}}


def print_table(times, targets):
    """Prints milliseconds, ratios and targets."""
    table = rich.table.Table(title="Forward and backward, ms; ratio to a training step, the dearest term, SAM's loss")
    for heading in ("", *CASES, "ratio", "target", "holds"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in dict.fromkeys(name for name, _ in times):
        cells = [f"{times[name, case]:.1f}" if (name, case) in times else "" for case in CASES]
        if target := targets.get(name):
            form, sign = ".2%" if name in NAMES else ".2f", "<=" if "at_most" in target else ">="
            limit = target.get("at_most", target.get("at_least"))
            cells += [f"{target['ratio']:{form}}", f"{sign} {limit:{form}}", "yes" if target["holds"] else "[red]no"]
        table.add_row(name, *cells)
    rich.console.Console().print(table)


def losses(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each function; the fastest counts.")] = 30,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width.")] = (240, 320),
    batch: Annotated[int, typer.Option(min=1, help="Images in a batch.")] = 8,
):
    """Compare each loss with a training step, a combination with its terms, and SAM's loss with its naive form."""
    tf.get_logger().setLevel("ERROR")  # it warns of many compiled functions, which are wanted here
    runs = make_runs(size, batch)
    values = {name: float(runs[name, "map"]()) for name in ("sam by convention", "sam, naive")}
    if not abs(values["sam by convention"] / values["sam, naive"] - 1) <= 1e-3:
        raise ValueError(f"SAM's loss and its naive form must agree. Received: {values}.")
    times = measure(runs, repeats)
    fastest = {key: min(values) for key, values in times.items()}
    targets = judge(fastest)
    print_table(fastest, targets)
    if json_file:
        result = {
            "versions": {name: importlib.metadata.version(name) for name in ("keras", "tensorflow")},
            "settings": {"cpu_count": os.cpu_count(), "repeats": repeats, "size": size, "batch": batch},
            "sam_values": values,
            "milliseconds": [
                {"name": name, "case": case, "fastest": min(ms), "median": statistics.median(ms)}
                for (name, case), ms in times.items()
            ],
            "targets": targets,
        }
        json_file.write_text(json.dumps(result, indent=2) + "\n")
