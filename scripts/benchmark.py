"""Times what a user waits for: `python scripts/benchmark.py losses --json losses.json`, `metrics`, `emd`, `models`,
`predict`, `evaluation`, `scanpaths DIR`, `data DIR`, `serving`, `batching`, `runtimes`, `ray`, `shapes`."""

import typer
from benchmarks import (
    batching,
    data,
    emd,
    evaluation,
    losses,
    metrics,
    models,
    predict,
    ray,
    runtimes,
    scanpaths,
    serving,
    shapes,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (
    *(losses.losses, metrics.metrics, emd.emd, models.models, predict.predict, evaluation.evaluation),
    *(scanpaths.scanpaths, data.data, serving.serving, batching.batching, runtimes.runtimes, ray.ray, shapes.shapes),
):
    app.command()(command)


@app.callback()
def main():
    """Measure how fast the package is."""


if __name__ == "__main__":
    app()
