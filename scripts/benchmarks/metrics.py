"""Times the evaluation, and compares with pysaliency: `python scripts/benchmark.py metrics --pysaliency PYTHON`.

Scoring and evaluation are measured each in a process of its own, one after the other.
"""

import concurrent.futures
import importlib.metadata
import json
import multiprocessing
import operator
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import cv2
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer
from benchmarks.losses import make_batch, measure, training_step

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.evaluation import parallel, splits
from keras_saliency.evaluation.scoring import COUNTS, Truth, as_batch, score
from keras_saliency.formulas.maps import Map, Target
from keras_saliency.metrics import AUC

SCRIPTS = Path(__file__).parents[1]
TESTS = SCRIPTS.parent / "tests"
METRICS = ("auc", "sauc", "nss", "cc", "sim", "kld", "ig")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# Of the evaluated data set: height and width, fixations of how many observers, images that the baselines are fitted to.
SIZE, FIXATIONS, OBSERVERS, FITTED = (30, 40), 8, 3, 20
FEW = 100  # images, whose evaluation takes the memory that it takes whatever their number
SIGNS = {"at_most": ("<=", operator.le), "at_least": (">=", operator.ge)}


def in_fresh_process(function, *arguments):
    """What the function returns in a process of its own."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def make_source(make_map):
    """A source of the map `make_map(i)` for image `i`."""
    return SimpleNamespace(name="maps", predictions=lambda samples: map(make_map, range(len(samples))))


def time_suite(number, workers, repeats=5):
    """The seconds an image of all metrics in the threads of `evaluate`, so many, and the values."""
    sys.path.append(str(TESTS))
    from benchmarks.pysaliency_time import make_cases  # the maps that pysaliency is given

    cases, samples, seconds = make_cases(number), [], []
    for i, case in enumerate(cases):
        y, x = case.fixations.T.astype("float64")
        fixations = Fixations(x, y, np.zeros(len(x), "int64"), np.zeros(len(x)))
        samples.append(Sample(str(i), b"", case.saliency.shape, fixations, sigma=24.0))
    baseline = Map(as_batch(cases[0].log_baseline), from_logits=True)

    def score_case(sample, predictions):
        log_density, density = predictions[0]
        counts = sample.fixations.counts(sample.size), others.counts(sample)
        fixations, negatives = (as_batch(part.astype(COUNTS)) for part in counts)
        target = Target(Map(as_batch(density)), fixations, None, negatives, baseline)
        return score(log_density, Truth(sample, target), True, metrics=METRICS)

    for _ in range(repeats):
        started = time.perf_counter()
        others = splits.OtherFixations(samples)
        work = ((sample, [(case.log_density, case.density)]) for sample, case in zip(samples, cases, strict=True))
        rows = list(parallel.in_threads(score_case, work, lambda *_: 0, workers))
        seconds.append((time.perf_counter() - started) / number)
    return min(seconds), {name: [row[name] for row in rows] for name in METRICS}


def time_pysaliency(python, number):
    """Values and seconds an image of pysaliency on one core."""
    command = [python, "-W", "ignore", SCRIPTS / "pysaliency_golden.py", "--time", str(number)]
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(TESTS)}
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def make_samples(number, seed):
    """Images that take next to no memory, with random fixations."""
    image = cv2.imencode(".png", np.zeros((*SIZE, 3), "uint8"))[1].tobytes()
    places = np.random.default_rng(seed).beta(2, 2, (number, 2, FIXATIONS)) * np.array(SIZE)[:, None]
    rest = np.arange(FIXATIONS) * OBSERVERS // FIXATIONS, np.zeros(FIXATIONS)
    return Samples(Sample(str(i), image, SIZE, Fixations(x, y, *rest), 3.0) for i, (y, x) in enumerate(places))


def make_map(seed):
    """A random log-density, as sources give it."""
    logits = np.random.default_rng(seed).normal(size=SIZE)
    return logits - np.log(np.sum(np.exp(logits))), True, False


def memory(table):
    """The bytes of nested dictionaries and lists of floats."""
    inside = table.values() if isinstance(table, dict) else table if isinstance(table, list) else ()
    return sys.getsizeof(table) + sum(map(memory, inside))


def cost_of_evaluate(number, loaded):
    """Evaluates so many of the loaded images: seconds an image, and MB of the process at its peak and of the tables."""
    samples = make_samples(loaded, 0)
    data = DataSet("generated", make_samples(FITTED, 1), make_samples(FITTED, 2), samples[:number])
    started = time.perf_counter()
    result = splits.score_split([make_source(make_map)], data)
    seconds = (time.perf_counter() - started) / number
    # Not ru_maxrss, which starts at that of the parent process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, tables = int(status["VmHWM"].split()[0]) / 2**10, (memory(result.per_image) + memory(result.fair)) / 2**20
    return {"images": number, "seconds": seconds, "peak": peak, "tables": tables}


def time_in_graph(repeats, size=(240, 320), batch=8):
    """The fastest milliseconds of a training step and of updating the metric AUC in a graph."""
    tf.get_logger().setLevel("ERROR")
    y_true, y_pred = make_batch(size, batch)["log-density"]
    metric = AUC(from_logits=True)
    update = tf.function(metric.update_state)
    # The result waits for the update.
    runs = {"step": training_step(size, y_true), "auc": lambda: (update(y_true, y_pred), metric.result().numpy())}
    return {name: min(ms) for name, ms in measure(runs, repeats).items()}


def row(name, value, form, **target):
    """A line of the table: a value and how it is written; `at_most` or `at_least` is its target."""
    line = {"name": name, "value": value, "form": form, **target}
    return line | ({"holds": all(SIGNS[key][1](value, limit) for key, limit in target.items())} if target else {})


def print_table(rows):
    """Prints values and targets."""
    table = rich.table.Table(title="Scoring and evaluation")
    for heading in ("", "measured", "target", "holds"):
        table.add_column(heading, justify="right" if heading else "left")
    for line in rows:
        targets = [f"{SIGNS[key][0]} {line['form'].format(line[key])}" for key in SIGNS if key in line]
        holds = ["yes" if line["holds"] else "[red]no"] if targets else []
        table.add_row(line["name"], line["form"].format(line["value"]), *targets, *holds)
    rich.console.Console().print(table)


def metrics(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    pysaliency: Annotated[str | None, typer.Option(help="A Python that has pysaliency, to compare with.")] = None,
    maps: Annotated[int, typer.Option(min=2, max=256, help="Maps of 800x600 that are scored.")] = 40,
    images: Annotated[int, typer.Option(min=1000, help="Small images that are evaluated.")] = 20_000,
    repeats: Annotated[int, typer.Option(min=1, help="Training steps; the fastest counts.")] = 30,
):
    """Time scoring beside pysaliency, evaluation by the number of images, and AUC beside a training step."""
    rows, cores = [], os.cpu_count()
    alone, values = in_fresh_process(time_suite, maps, 1)
    together, _ = in_fresh_process(time_suite, maps, cores)
    for workers, seconds in ((1, alone), (cores, together)):
        rows += [row(f"all metrics, 800x600, {workers} of {cores} cores", 1000 * seconds, "{:.1f} ms")]
    theirs = time_pysaliency(pysaliency, maps) if pysaliency else None
    if theirs:
        for key, seconds in theirs["seconds"].items():
            rows += [row(f"pysaliency's {key}, 1 core", 1000 * seconds["total"], "{:.1f} ms")]
            rows += [row(f"  times as long as here on {cores}", seconds["total"] / together, "{:.1f}", at_least=10)]
        for name in METRICS:
            difference = float(np.abs(np.subtract(values[name], theirs["values"][name])).max())
            rows += [row(f"  largest difference of {name}", difference, "{:.0e}", at_most=1e-9)]
    costs = [in_fresh_process(cost_of_evaluate, number, images) for number in (FEW, images // 10, images)]
    for cost in costs:
        rows += [row(f"evaluate {cost['images']:,} of 40x30, each", 1000 * cost["seconds"], "{:.2f} ms")]
    few, less, many = costs
    growth, tables = (many[key] - few[key] for key in ("peak", "tables"))
    rows += [row("  times as long as of a tenth", many["seconds"] / less["seconds"], "{:.2f}", at_most=1.1)]
    rows += [row(f"  peak memory beyond that of {FEW}", growth, "{:.0f} MB")]
    rows += [row("  not in the tables per image", growth - tables, "{:.0f} MB", at_most=64)]
    graph = time_in_graph(repeats)
    rows += [row("training step, 320x240, batch of 8", graph["step"], "{:.1f} ms")]
    rows += [row("AUC in the graph", graph["auc"], "{:.1f} ms")]
    rows += [row("  share of the step", graph["auc"] / graph["step"], "{:.1%}", at_most=0.05)]
    print_table(rows)
    if json_file:
        packages = ("keras", "tensorflow", "numpy", "scipy")
        settings = {"cpu_count": cores, "maps": maps, "images": images, "repeats": repeats}
        result = {
            "versions": {name: importlib.metadata.version(name) for name in packages},
            "settings": {**settings, "size": SIZE, "fixations": FIXATIONS, "observers": OBSERVERS},
            "pysaliency": theirs,
            "evaluate": costs,
            "rows": rows,
        }
        json_file.write_text(json.dumps(result, indent=2) + "\n")
