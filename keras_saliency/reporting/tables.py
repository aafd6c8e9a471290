"""Scores as people and programs read them: Markdown tables, a CSV per image, and where the numbers come from."""

import csv
import importlib.metadata
import platform
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeAlias

import rich.table

from keras_saliency.data import DataSet, Samples
from keras_saliency.reporting.statistics import Interval, Videos
from keras_saliency.writing.files import whole

PACKAGES = (
    *("keras_saliency", "keras", "tensorflow", "tensorflow-cpu", "numpy", "scipy", "opencv-python-headless"),
    *("scikit-learn", "POT"),
)
HEADINGS = {
    "auc": "AUC",
    "auc_hat": "AUC as in HAT",
    "auc_borji": "AUC-Borji",
    "sauc": "sAUC",
    "nss": "NSS",
    "cc": "CC",
    "sim": "SIM",
    "kld": "KLD",
    "emd": "EMD",
    "ig": "IG, bit",
    "ig_spatial": "IG over no history, bit",
    "log_likelihood": "log-likelihood, nat",
    "explained_information": "explained",
    "known_information": "of the known",
}
TITLES = {
    "uniform": "uniform",
    "centre_bias": "centre bias",
    "gold_standard": "gold standard",
    "other_observers": "other observers",
    "truth": "true density",
}
ScoreRows: TypeAlias = Annotated[Mapping[str, Mapping[str, Interval]], "by row and metric"]
PerImage: TypeAlias = Annotated[Mapping[str, Sequence[Mapping[str, float]]], "by row, image and metric"]


class Scored(Protocol):
    """What this room asks of an `Evaluation`."""

    @property
    def convention(self) -> str: ...
    @property
    def per_image(self) -> PerImage: ...
    @property
    def summary(self) -> ScoreRows: ...
    @property
    def reference(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...


def cell(name: str, value: Interval | None) -> str:
    """A mean with its interval, as text."""
    if value is None or value["mean"] is None:
        return "n/a"
    scale, form = (100, "{:.1f} %") if name.endswith("_information") else (1, "{:.3f}")
    text = form.format(scale * value["mean"])
    if value["low"] is None or value["low"] == value["high"]:
        return text
    return f"{text} [{form.format(scale * value['low'])}, {form.format(scale * value['high'])}]"


def known(rows: Iterable[Container[str]]) -> list[str]:
    """The metrics that any of some dictionaries has, in the order of the tables."""
    rows = list(rows)
    return [name for name in HEADINGS if any(name in row for row in rows)]


def markdown(headings: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table of texts; the first column has no heading."""
    lines = ["| | " + " | ".join(headings) + " |", "|---" * (len(headings) + 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def score_table(rows: ScoreRows) -> str:
    """A Markdown table of scores.

    Args:
        rows: From the name of a row to a dictionary from metric to `{"mean", "low", "high"}`. Names that are not in
            `TITLES` are those of models, and bold.
    """
    names = known(rows.values())
    cells = (
        [TITLES.get(row, f"**{row}**"), *(cell(name, values.get(name)) for name in names)]
        for row, values in rows.items()
    )
    return markdown([HEADINGS[name] for name in names], cells)


def terminal_table(rows: ScoreRows) -> rich.table.Table:
    """Mean scores as a Rich table.

    Args:
        rows: As in `score_table`.
    """
    table = rich.table.Table("", *(TITLES.get(row, row) for row in rows))
    for name in known(rows.values()):
        values = [row.get(name) for row in rows.values()]
        table.add_row(HEADINGS[name], *(cell(name, value and {**value, "low": None}) for value in values))
    return table


def write_per_image(path: Path, samples: Samples, per_image: PerImage, fair: PerImage) -> None:
    """Writes the values of every image: `image`, `row`, `map` (`raw` or `fair`), and a column for each metric."""
    tables = {"raw": per_image, "fair": fair}
    metrics = known(rows[0] for rows in per_image.values())
    with whole(path) as part, part.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "row", "map", *metrics])
        for kind, rows in tables.items():
            for row, values in rows.items():
                for sample, scores in zip(samples, values, strict=True):
                    table.writerow([sample.name, row, kind, *(scores.get(name) for name in metrics)])


def provenance(data: DataSet, split: str, convention: str, videos: Videos | None = None) -> dict[str, Any]:
    """What a score must be told with, for JSON: data, split, convention, averaging, resolution, blur, versions."""
    every = getattr(data, split)
    samples = every.usable
    blur: str | list[float] = "8 cycles per padded image"
    if all(sample.ground_truth for sample in samples):
        blur = "that of the maps of the data set"
    elif convention == "tuebingen":
        blur = sorted({round(float(sample.sigma), 2) for sample in samples})
    known = {"edition": "edition", "task": "task", "viewing_seconds": "seconds", "licence": "licence"}
    return {
        "data": data.name,
        **{name: getattr(data.facts, fact) for name, fact in known.items() if data.facts},
        "split": split,
        "images": len(samples),
        "fixations": sum(len(sample.fixations) for sample in samples),
        "convention": convention,
        **_averaging(every, videos),
        "resolution": "native",
        "blur_sigma_pixels": blur,
        "baseline": "centre bias of the training fixations",
        "skipped": list(data.skipped),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _averaging(every, videos):
    if videos is None:
        return {"averaging": "per image"}
    return {
        "averaging": "per frame" if videos.weighted else "per video",
        "resampled": "videos",
        "videos": len({*videos.names.tolist()}),
        "frames_without_fixations": sum(not len(sample.fixations) for sample in every),
    }


def caption(facts: Mapping[str, Any]) -> str:
    """The same, as `provenance` gives it, in one sentence for people."""
    blur = facts.get("blur_sigma_pixels", "none")
    if not isinstance(blur, str):
        others = f" and {len(blur) - 5} others" if len(blur) > 5 else ""
        blur = f"sigma {', '.join(f'{sigma:g}' for sigma in blur[:5])}{others} pixels"
    return (
        f"{facts['data']}, {facts['split']} split, {_counted(facts)} with {facts['fixations']} fixations, "
        f"native resolution, convention {facts['convention']}, averaged {facts['averaging']}, "
        f"ground-truth blur: {blur}.{_left_out(facts)}"
    )


def _counted(facts):
    if "videos" not in facts:
        return f"{facts['images']} images"
    return f"{facts['images']} frames of {facts['videos']} videos"


def _left_out(facts):
    empty = facts.get("frames_without_fixations")
    return f" {empty} frames without fixations are left out of what needs them." if empty else ""


def reasons(rows: ScoreRows) -> list[str]:
    """A sentence for each value that a table cannot have, once for all rows that lack it for one reason."""
    found = {
        name: value["reason"] for row in rows.values() for name, value in row.items() if value and "reason" in value
    }
    return [f"The column '{HEADINGS[name]}' is n/a: {reason}." for name, reason in found.items()]


def describe(evaluation: Scored) -> str:
    """What the scores of an `Evaluation` mean, as paragraphs for a report."""
    bias, gold = evaluation.reference["centre_bias"], evaluation.reference["gold_standard"]
    weights = ", ".join(f"{weight:.3f}" for weight in gold["weights"])
    missing = "".join(f"\n- {reason}" for reason in reasons(evaluation.summary))
    over, others = "images", "images of the split"
    if "videos" in evaluation.provenance:
        over, others = "videos, whose frames are not independent", "videos of the split"
    return f"""{caption(evaluation.provenance)} In brackets 95 % bootstrap intervals over {over}.

- IG is the information gain over the centre bias in bits per fixation; explained information is IG divided by that of
  the gold standard.
- Centre bias: kernel density of the training fixations, bandwidth {100 * bias["bandwidth"]:.1f} % of the image's width,
  uniform share {bias["uniform_share"]:g}, both fitted on validation.
- Gold standard: each observer predicted from the others; bandwidth {gold["bandwidth"]:.2f} of the ground-truth blur,
  weights of their kernel density, centre bias and uniform {weights}, fitted on validation. It has no CC, SIM, KLD and
  EMD: they compare with a density of all observers, the one to be predicted included. In `mit` it has no AUC: Judd's is
  too high for the few fixations of one observer. Without a second observer on an image, or on any of validation, there
  is none.
- sAUC: the negatives are the fixations of all other {others}, laid over the image.{missing}"""


FAIR = """Fair scores of what predicts a density, by the map that suits each metric best (Kümmerer et al. 2018): the
density for AUC, NSS and IG, divided by the centre bias for sAUC, blurred as the ground truth for CC, KLD and EMD, the
best quantile of sampled ground truths for SIM."""


def fair(rows: ScoreRows) -> str:
    """What fair scores are, and their table; without fixations there are none."""
    return f"{FAIR}\n\n{score_table(rows)}" if rows else "No fair scores: they need fixations."


def skipped(data: DataSet) -> str:
    """What was left out of a data set, as a Markdown list."""
    return "\n".join(f"- {line}" for line in data.skipped) or "Nothing was skipped."


def _versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
