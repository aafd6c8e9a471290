"""Times every architecture beside its bare backbone: `python scripts/benchmark.py models --json models.json`."""

import json
import math
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated

import rich.console
import rich.progress
import rich.table
import typer

# Decoders whose time at inference is limited, as a share of that of their backbone.
OVERHEAD = {"mlnet": 0.25, "multilevel": 0.25}
# What the gradient of a step of SAM's LSTM needs, in maps of 512 channels: tanh of the attention, the attended input,
# four gates, the cell before, tanh of the cell after, the state.
MAPS_OF_A_STEP = 9
FEATURES = (30, 40, 512)


def _fresh(function, *arguments):
    """Runs a function in a process of its own, whose peak memory is then its own, too."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def _megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rates(functions, images, repeats):
    """Images a second of each function, the best of those repeated; they take turns, so that noise hits all alike."""
    seconds = {key: [] for key in functions}
    for turn in range(repeats + 1):
        for key, function in functions.items():
            started = time.perf_counter()
            function()
            if turn:  # the first compiles
                seconds[key].append(time.perf_counter() - started)
    return {key: images / min(values) for key, values in seconds.items()}


def measure_model(name, size, batch, repeats):
    """Parameters, FLOPs, images a second forward and in training, and the backbone's."""
    import keras
    import numpy as np

    import keras_saliency as ks
    from keras_saliency.models import cost

    keras.utils.set_random_seed(0)
    model = ks.create_model(name, weights=None, input_size=size)
    backbone = model.get_layer("backbone")
    images = np.random.default_rng(0).uniform(0, 255, (batch, *size, 3)).astype("float32")
    row = {
        "parameters": cost.parameters(model),
        "gflops": cost.flops(model) / 1e9,
        "backbone_gflops": cost.flops(backbone) / 1e9,
        "features": [list(tap.shape[1:]) for tap in backbone.outputs],
    }
    row |= _rates(
        {
            "forward": lambda: model.predict_on_batch(images),
            "backbone_forward": lambda: backbone.predict_on_batch(images),
        },
        batch,
        repeats,
    )
    row["forward_megabytes"] = _megabytes()
    counts = np.random.default_rng(0).poisson(0.01, (batch, *size, 1))
    targets = np.array(ks.pack_targets(counts + 0.01, counts))
    model.compile("sgd", loss="kld")
    row |= _rates({"training": lambda: model.train_on_batch(images, targets)}, batch, max(1, repeats // 2))
    row["training_megabytes"] = _megabytes()
    return row


def measure_serving(size, repeats):
    """Images a second of the recommended kind of model, predicting and as a SavedModel on pixels."""
    import numpy as np
    import tensorflow as tf

    import keras_saliency as ks

    model = ks.create_model("multilevel", weights=None, input_size=size)
    images = np.random.default_rng(0).integers(0, 256, (16, *size, 3), dtype="uint8")
    with tempfile.TemporaryDirectory() as folder:
        ks.export_saved_model(model, Path(folder) / "1")
        loaded = tf.saved_model.load(str(Path(folder) / "1"))
        pixels = tf.constant(images)
        floats = images.astype("float32")
        return _rates(
            {
                "predict": lambda: model.predict(floats, batch_size=16, verbose=0),
                "saved_model": lambda: loaded.signatures["pixels"](pixels=pixels)["log_density"].numpy(),
            },
            16,
            3 * repeats,
        )


def measure_steps(steps, recompute, batch):
    """Peak memory, in megabytes beyond what is there before, of the gradient of SAM's LSTM at its published size."""
    import tensorflow as tf

    from keras_saliency.layers import AttentiveConvLSTM

    layer = AttentiveConvLSTM(512, steps=steps, recompute=recompute)
    features = tf.random.normal((batch, *FEATURES))
    layer(features)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(layer(features) ** 2)
        parts = tape.gradient(value, [v.value for v in layer.trainable_variables])
        return [tf.reduce_sum(part) for part in parts if part is not None]  # one step uses no state

    before = _megabytes()
    gradient()
    return _megabytes() - before


def models(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="An architecture; may be repeated. By default all.")] = None,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width.")] = (240, 320),
    batch: Annotated[int, typer.Option(min=1, help="Images in a batch.")] = 4,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each; the fastest counts.")] = 3,
):
    """Compare each architecture with its backbone, a SavedModel with predict, and SAM's steps with one."""
    from keras_saliency.models import ARCHITECTURES

    console = rich.console.Console()
    serving = _fresh(measure_serving, size, repeats)
    memory = {f"{steps} steps": _fresh(measure_steps, steps, False, batch) for steps in (1, 4)}
    memory["4 steps, recomputed"] = _fresh(measure_steps, 4, True, batch)
    needed = 3 * MAPS_OF_A_STEP * 4 * batch * math.prod(FEATURES) / 2**20
    memory["limit of 4 steps"] = 1.3 * (memory["1 steps"] + needed)
    console.print("images/s: " + ", ".join(f"{key} {value:.1f}" for key, value in serving.items()))
    console.print("attentive ConvLSTM, MB: " + ", ".join(f"{key} {value:.0f}" for key, value in memory.items()))
    rows = {}
    for model in rich.progress.track(name or list(ARCHITECTURES), "models", console=console):
        rows[model] = _fresh(measure_model, model, size, batch, repeats)
    _print(console, rows)
    if json_file:
        settings = {"cpu_count": os.cpu_count(), "size": size, "batch": batch, "repeats": repeats}
        result = {"settings": settings, "models": rows, "serving": serving, "attentive_conv_lstm_megabytes": memory}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def _print(console, rows):
    headings = ("parameters", "GFLOPs", "backbone", "images/s", "backbone", "decoder", "training", "MB", "training MB")
    table = rich.table.Table("", *headings, title="One image; images a second forward and in training; peak memory")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in rows.items():
        overhead = row["backbone_forward"] / row["forward"] - 1
        limit = OVERHEAD.get(name)
        judged = f"{overhead:.0%}" + (f" (<= {limit:.0%})" if limit else "")
        table.add_row(
            name,
            f"{row['parameters']:,}",
            *(f"{row[key]:.1f}" for key in ("gflops", "backbone_gflops", "forward", "backbone_forward")),
            judged if limit is None or overhead <= limit else f"[red]{judged}",
            f"{row['training']:.1f}",
            *(f"{row[key]:.0f}" for key in ("forward_megabytes", "training_megabytes")),
        )
    console.print(table)
