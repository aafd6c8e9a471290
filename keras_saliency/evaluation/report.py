"""What an evaluation leaves: `result.json`, `per_image.csv`, `report.md` and the figures."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import scipy.integrate
import scipy.stats

from keras_saliency.data import DataSet
from keras_saliency.evaluation.sources import Source
from keras_saliency.evaluation.splits import FALSE_POSITIVES, Evaluation
from keras_saliency.reporting import plotting, tables
from keras_saliency.reporting.samples import samples_to_show
from keras_saliency.reporting.statistics import compare
from keras_saliency.writing.files import delete_own, others_in, require_new, require_writable, write_whole

# What an evaluation writes into its folder, and what is left of it if it is killed meanwhile.
OWN = re.compile(
    r"figures(/(\.part\.)?(distributions|roc|correlation|images_.+)\.png)?"
    r"|(\.part\.)?(per_image\.csv|report\.md)|\.part\.result\.json"
)
NOTICED = 0.005  # nats and bits: what 8-bit maps must move to be warned of
QUANTISATION = """**8-bit maps.** {row} is stored in 256 grey levels, and what rounded to zero cannot be known. If its
zeros are read as a quarter of a step, the middle of what was rounded, {changes}. Store exact maps (NPY, MAT, HDF5)
where KLD and IG matter."""
# By kind of map, source, metric and what `statistics.compare` says of it.
Differences: TypeAlias = dict[str, dict[str, dict[str, dict[str, float | None]]]]


def compare_sources(sources: Sequence[Source], scored: Evaluation) -> Differences:
    """The paired differences of each source to the first, by kind of map and source, as `statistics.compare` gives."""
    first, *others = (source.name for source in sources)
    found = {"raw": scored.per_image, "fair": scored.fair}
    return {
        kind: {other: compare(rows, other, first, scored.videos) for other in others if other in rows}
        for kind, rows in found.items()
        if first in rows
    }


def quantisation_warnings(scored: Evaluation) -> list[str]:
    """A warning for each source of 8-bit maps whose KLD or IG depends on what was rounded to zero."""
    warnings = []
    for row, effects in scored.eight_bit.items():
        if max(map(abs, effects.values())) >= NOTICED:
            units = {"kld": "nat", "ig": "bit"}
            changes = " and ".join(
                f"{tables.HEADINGS[name].split(',')[0]} changes by {effect:+.3f} {units[name]}"
                for name, effect in effects.items()
            )
            warnings.append(" ".join(QUANTISATION.format(row=row, changes=changes).split()))
    return warnings


def write_evaluation(directory: str | Path, data: DataSet, sources: Sequence[Source], scored: Evaluation) -> None:
    """Writes the report of an evaluation.

    Args:
        directory: The folder to write to, as `claim` takes it.
        data: The data set.
        sources: The sources, the first of which the others are compared with.
        scored: Their scores.

    Raises:
        FileExistsError: If the folder holds something.
    """
    directory = claim(directory)
    delete_own(directory, OWN)
    figures = directory / "figures"
    figures.mkdir(parents=True)
    samples = getattr(data, scored.split)
    compared = compare_sources(sources, scored) if sources else {}
    result = {
        "scores": scored.summary,
        "fair_scores": scored.fair_summary,
        "differences": compared,
        "eight_bit": scored.eight_bit,
        "reference": scored.reference,
        **scored.provenance,
    }
    tables.write_per_image(directory / "per_image.csv", samples.usable, scored.per_image, scored.fair)
    _draw(figures, samples, sources, scored)
    write_whole(directory / "report.md", _markdown(data, sources, scored, compared))
    # Last: it marks the report as complete.
    write_whole(directory / "result.json", json.dumps(result, indent=2) + "\n")


def claim(directory: str | Path) -> Path:
    """The folder for a report, looked at before hours of work: new, empty, or left by an evaluation that was killed.

    Raises:
        FileExistsError: If it holds something else.
        OSError: If nothing can be written there.
    """
    directory = Path(directory)
    # Its figures come first, and `result.json` last.
    begun = (directory / "figures").is_dir() and not others_in(directory, OWN)
    if not begun:
        require_new(directory, "Choose another --out folder.")
    require_writable(directory)
    return directory


def _draw(figures, samples, sources, scored):
    titles = {row: tables.TITLES.get(row, row) for row in scored.per_image}
    metrics = tables.known(scored.per_image["uniform"][:1])
    values = {
        name: {row: np.array([scores.get(name, np.nan) for scores in rows]) for row, rows in scored.per_image.items()}
        for name in metrics
    }
    columns = {
        tables.HEADINGS[name]: {titles[row]: own for row, own in rows.items() if not np.isnan(own).any()}
        for name, rows in values.items()
    }
    plotting.plot_distributions(figures / "distributions.png", {name: rows for name, rows in columns.items() if rows})
    if samples.have_fixations:
        areas = {row: scipy.integrate.trapezoid(curve, FALSE_POSITIVES) for row, curve in scored.curves.items()}
        curves = {f"{titles[row]}, {areas[row]:.3f}": curve for row, curve in scored.curves.items()}
        plotting.plot_roc(figures / "roc.png", FALSE_POSITIVES, curves)
    for source in sources:
        shown = samples_to_show(samples, source, scored)
        plotting.plot_samples(figures / f"images_{source.name}.png", shown)
    if sources and len(samples.usable) > 2:
        table = np.stack([values[name][sources[0].name] for name in metrics], 1)  # NaN varies as little as one value
        varied = [i for i in range(len(metrics)) if np.ptp(table[:, i]) > 0]
        ranks = np.apply_along_axis(scipy.stats.rankdata, 0, table[:, varied])
        names = [tables.HEADINGS[metrics[i]] for i in varied]
        title = f"{sources[0].name}: rank correlation of the metrics over images"
        plotting.plot_correlation(figures / "correlation.png", names, np.corrcoef(ranks.T), title)


def _difference_table(rows):
    names = tables.known(rows.values())
    headings, lines = [tables.HEADINGS[name] for name in names], []
    for row, values in rows.items():
        cells = [f"{v['mean']:+.3f} [{v['low']:+.3f}, {v['high']:+.3f}]" for v in (values[name] for name in names)]
        found = [heading for name, heading in zip(names, headings, strict=True) if values[name]["significant"]]
        significant = "all" if len(found) == len(names) else ", ".join(found) or "none"
        lines.append([f"**{row}**", *cells, significant])
    return tables.markdown([*headings, "significant"], lines)


def _markdown(data, sources, scored, compared):
    parts = [
        f"# {', '.join(source.name for source in sources) or 'Baselines'} on {data.name}",
        *quantisation_warnings(scored),
        tables.score_table(scored.summary),
        tables.describe(scored),
        tables.fair(scored.fair_summary),
    ]
    units = "images" if scored.videos is None else "videos"
    kinds = {"raw": "Differences", "fair": "Differences of the fair scores"}
    for kind, rows in compared.items():
        if rows:
            parts += [
                f"## {kinds[kind]} to {sources[0].name}",
                f"Paired over {units}, with 95 % bootstrap intervals. Significant: by chance the two would differ as "
                "much in fewer than one of twenty cases (paired permutation test, not corrected for their number).",
                _difference_table(rows),
            ]
    parts += ["## Every image", "![values](figures/distributions.png)"]
    samples = getattr(data, scored.split).usable
    if samples.have_fixations:
        parts.append("![ROC curves](figures/roc.png)")
        parts.append("Mean ROC curves of fixated against all pixels; in the legend the area.")
    if sources and len(samples) > 2:
        parts.append("![correlation of the metrics](figures/correlation.png)")
    for source in sources:
        parts += [f"## Best, median and worst images of {source.name}", f"![images](figures/images_{source.name}.png)"]
    return "\n\n".join([*parts, "## Skipped data", tables.skipped(data)]) + "\n"
