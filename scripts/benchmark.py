"""Times what a user waits for: `python scripts/benchmark.py losses --json losses.json`, `metrics`, `emd`, `models`,
`predict`, `evaluation`, `data DIR`, `serving`, `batching`, `runtimes`, `ray`, `shapes`."""

import typer
from benchmarks import batching, data, emd, evaluation, losses, metrics, models, predict, ray, runtimes, serving, shapes

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(losses.losses)
app.command()(metrics.metrics)
app.command()(emd.emd)
app.command()(models.models)
app.command()(predict.predict)
app.command()(evaluation.evaluation)
app.command()(data.data)
app.command()(serving.serving)
app.command()(batching.batching)
app.command()(runtimes.runtimes)
app.command()(ray.ray)
app.command()(shapes.shapes)


@app.callback()
def main():
    """Measure how fast the package is."""


if __name__ == "__main__":
    app()
