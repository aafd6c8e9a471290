"""Scoring what predicts beside the baselines of the field, from whatever a person has at hand."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras

from keras_saliency.data import DataSet, Place, open_data
from keras_saliency.evaluation.report import claim, write_evaluation
from keras_saliency.evaluation.sources import Source, open_source
from keras_saliency.evaluation.splits import AVERAGES, REFERENCES, Evaluation, score_split
from keras_saliency.formulas.conventions import CONVENTIONS
from keras_saliency.serving.load import Run
from keras_saliency.writing.progress import Progress, make_console

AnySource: TypeAlias = Source | keras.Model | Run | str | Path


def evaluate(
    sources: AnySource | Iterable[AnySource],
    data: DataSet | str | Mapping[str, Place] = "synthetic",
    split: str = "test",
    convention: str = "tuebingen",
    out: str | Path | None = None,
    verbose: bool = True,
    jobs: int | None = None,
    average: str | None = None,
) -> Evaluation:
    """Scores predictions beside uniform, centre bias and the leave-one-observer-out gold standard.

    Args:
        sources: What predicts, each one of: a source of `keras_saliency.evaluation.sources`, a Keras model, a `Run`,
            the folder of a run, a `.keras` file, a SavedModel, a folder of maps, an HDF5 file, or the name of a
            baseline. The others are compared with the first. A single one may stand without a list.
        data: A `DataSet`, its name, or its name and folder as `{"osie": "data/osie"}`. Its training and validation
            splits fit the baselines.
        split: `"train"`, `"validation"` or `"test"`.
        convention: `"tuebingen"`, or `"mit"`, which resizes maps of another size than their image.
        out: The folder for report, JSON, values of every image and figures: new, empty, or left by an evaluation that
            was killed; None writes nothing.
        verbose: Whether to print what is done.
        jobs: How many images are scored at once, at most; None for as many as the process may use cores. Large images
            are fewer, whatever it says: what is in flight has a bound in bytes. No score depends on it.
        average: Of frames of videos, which are not independent: `"video"`, the mean over videos of their means, which
            is the default for them, or `"frame"`, the mean over all frames, in which long videos count more.
            Intervals and comparisons are over videos either way. Other data have none: each image counts alike.

    Returns:
        The `Evaluation`.

    Raises:
        ValueError: If the convention, split or average is unknown, or the data have no videos to average by; two
            sources have one name, a map is wrong, or `jobs` is below one.
        FileNotFoundError: If a source does not exist.
        FileExistsError: If `out` holds something else.
        OSError: If `out` cannot be written to; nothing has been scored then.
    """
    console = make_console(verbose)
    if out is not None:
        claim(out)
    if convention not in CONVENTIONS:
        raise ValueError(f"Unknown convention {convention!r}. Known conventions: {', '.join(CONVENTIONS)}.")
    if split not in ("train", "validation", "test"):
        raise ValueError(f"Unknown split {split!r}. Known splits: train, validation, test.")
    if average not in (None, *AVERAGES):
        raise ValueError(f"Unknown average {average!r}. Known averages: {', '.join(AVERAGES)}.")
    data = open_data(data, console.print)
    if average and not getattr(data, split).are_frames:
        raise ValueError(
            f"average is of frames of videos, and the {split} split of {data.name} has none. Leave it out."
        )
    console.print("opening what predicts")
    alone = isinstance(sources, str | Path | Run | keras.Model) or hasattr(sources, "predictions")
    wanted: list[Any] = [sources] if alone else list(sources)  # type: ignore[arg-type]
    wanted = [source for source in wanted if source not in REFERENCES]  # which are in every table
    opened = [open_source(source, convention == "mit", data) for source in wanted]
    _check_names(opened)
    for line in filter(None, (getattr(source, "said", "") for source in opened)):
        console.print(line)
    console.print("fitting centre bias and gold standard")
    with Progress(console) as bars:
        task = bars.add_task("images", total=len(getattr(data, split).usable))

        def progress(done):
            bars.update(task, completed=done)

        scored = score_split(opened, data, split, convention, progress, jobs, average)
    if out is not None:
        console.print("writing the report")
        write_evaluation(out, data, opened, scored)
    return scored


def _check_names(sources: Sequence[Source]) -> None:
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1 or name in REFERENCES:
            raise ValueError(f"The name {name!r} stands for two rows of the table. Rename one of them.")
