"""What a run leaves for people and programs: `result.json`, `per_image.csv`, `report.md` and the figures."""

import csv
import dataclasses
import importlib.metadata
import json
import platform
from pathlib import Path

import numpy as np

from keras_saliency import evaluation, plotting

PACKAGES = ("keras_saliency", "keras", "tensorflow", "tensorflow-cpu", "numpy", "scipy", "opencv-python-headless")
HEADINGS = {
    "nss": "NSS",
    "auc": "AUC",
    "cc": "CC",
    "sim": "SIM",
    "kld": "KLD",
    "ig": "IG, bit",
    "explained_information": "explained",
    "known_information": "of the known",
}
TITLES = {
    "uniform": "uniform",
    "centre_bias": "centre bias",
    "gold_standard": "gold standard",
    "truth": "true density",
}


def write_report(workdir, recipe, data, model, history, seconds, scored):
    """Writes the report of a finished run.

    Args:
        workdir: The folder to write to.
        recipe: The `Recipe`.
        data: The `DataSet`.
        model: The trained model.
        history: A list with a dictionary for each epoch.
        seconds: A dictionary with `features`, `training` and `evaluation`.
        scored: The `Evaluation` of the test split.
    """
    workdir = Path(workdir)
    (workdir / "figures").mkdir(exist_ok=True)
    result = _result(recipe, data, seconds, scored)
    _write_per_image(workdir / "per_image.csv", data.test, scored.per_image)
    plotting.plot_history(workdir / "figures" / "history.png", history)
    plotting.plot_samples(workdir / "figures" / "samples.png", _samples_to_show(data.test, model, scored))
    (workdir / "report.md").write_text(_markdown(result, recipe, data, history, scored))
    # Last: it marks the run as complete.
    (workdir / "result.json").write_text(json.dumps(result, indent=2) + "\n")


def _result(recipe, data, seconds, scored):
    return {
        "recipe": recipe.name,
        "data": data.name,
        "split": "test",
        "convention": evaluation.CONVENTION,
        "images": len(data.test),
        "scores": scored.summary,
        "baselines": scored.baselines,
        "reference": scored.reference,
        "averaging": "per image",
        "resolution": "native",
        "blur_sigma_pixels": sorted({round(float(sample.sigma), 2) for sample in data.test}),
        "skipped": list(data.skipped),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _write_per_image(path, samples, per_image):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "row", *evaluation.METRICS])
        for row, values in per_image.items():
            for sample, scores in zip(samples, values, strict=True):
                table.writerow([sample.name, row, *(scores[name] for name in evaluation.METRICS)])


def _samples_to_show(samples, model, scored):
    """Two of the best, of the median and of the worst images by information gain."""
    gains = np.array([scores["ig"] for scores in scored.per_image["model"]])
    order, middle = np.argsort(-gains), len(gains) // 2
    chosen = {"best": order[:2], "median": order[middle : middle + 2], "worst": order[-2:]}
    rows = []
    for label, positions in chosen.items():
        for i in positions:
            sample = samples[int(i)]
            ((_, log_density),) = next(evaluation.predict_native(model, samples[int(i) : int(i) + 1]))
            title = f"{label}: {sample.name}, IG {gains[i]:.2f} bit"
            rows.append(
                (title, sample.read(), sample.fixations, evaluation.fixation_density(sample), np.exp(log_density))
            )
    return rows


def _cell(name, value):
    if value is None or value["mean"] is None:
        return "n/a"
    scale, form = (100, "{:.1f} %") if name.endswith("_information") else (1, "{:.3f}")
    text = form.format(scale * value["mean"])
    if value["low"] is None or value["low"] == value["high"]:
        return text
    return f"{text} [{form.format(scale * value['low'])}, {form.format(scale * value['high'])}]"


def score_table(result):
    """The scores and baselines of a `result.json` as a Markdown table."""
    rows = {f"**{result['recipe']}**": result["scores"]}
    rows |= {TITLES[name]: values for name, values in result["baselines"].items()}
    names = [name for name in HEADINGS if name in result["scores"]]
    lines = ["| | " + " | ".join(HEADINGS[name] for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, values in rows.items():
        lines.append(f"| {title} | " + " | ".join(_cell(name, values.get(name)) for name in names) + " |")
    return "\n".join(lines)


def _markdown(result, recipe, data, history, scored):
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    bias, gold = scored.reference["centre_bias"], scored.reference["gold_standard"]
    skipped = "\n".join(f"- {line}" for line in data.skipped) or "Nothing was skipped."
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in result["seconds"].items())
    return f"""# {recipe.name}

{data.name}, test split, {result["images"]} images at native resolution, convention `{result["convention"]}`,
averaged per image, 95 % bootstrap intervals over images in brackets. Ground-truth blur: sigma
{result["blur_sigma_pixels"]} pixels.

{score_table(result)}

IG is the information gain over the centre bias in bits per fixation; explained information is IG divided by that of the
gold standard, which predicts each observer from the others. CC, SIM and KLD of the gold standard are not given: they
compare with a density of all observers, the one to be predicted included.

- centre bias: kernel density of the training fixations, bandwidth {100 * bias["bandwidth"]:.1f} % of the image's width,
  uniform share {bias["uniform_share"]:g}, both fitted on validation;
- gold standard: bandwidth {gold["bandwidth"]:.2f} of the ground-truth blur, weights of the others' kernel density,
  centre bias and uniform {", ".join(f"{w:.3f}" for w in gold["weights"])}, fitted on validation.

## Training

{len(history)} epochs, the best on validation was epoch {best}. {seconds[:1].upper() + seconds[1:]}.

![history](figures/history.png)

## Best, median and worst images

![samples](figures/samples.png)

## Skipped data

{skipped}

## Recipe

```json
{json.dumps(dataclasses.asdict(recipe), indent=2)}
```
"""
