"""The models of the package: their trainings, their heads and their files."""

from pathlib import Path

import rich.console
from boxing.distilling import as_predicted, digest, distilled
from boxing.trainings import Features, images_of, require_unlike, train

from keras_saliency.data import DataSet, open_data
from keras_saliency.data.samples import Samples
from keras_saliency.models import SaliencyModel, mix, shipped
from keras_saliency.models.recording import network_of
from keras_saliency.serving.load import MODEL, load
from keras_saliency.training.calibrating import calibrate, parts
from keras_saliency.training.recipe import Recipe
from keras_saliency.training.recording_fit import Part
from keras_saliency.writing.files import whole
from keras_saliency.writing.progress import make_console
from keras_saliency.zoo.general import BUT, FAST, GENERAL, ONLY, SETS

MEMBER = ("name", "backbone", "taps", "head", "stride", "dilated", "width", "scale")  # what a file says of a member
UNSEEN = 100  # images of a data set that was left out, by which the average head is calibrated


def make(where: dict[str, str | None], workdir: Path, out: Path) -> None:
    """Trains, calibrates and writes the models that come with the package; what is finished is not done again.

    Args:
        where: The folders of the data sets, by name.
        workdir: The folder of all trainings.
        out: That of the files of weights.

    Raises:
        ValueError: If an image that is held out was trained on.
    """
    console = make_console()
    sets = {name: open_data({name: where[outer]}, console.print) for outer in SETS for name in SETS[outer]}
    require_unlike(sets)
    features = Features(workdir / "features", sets, console)

    def mixture(
        recipe: Recipe, folder: Path, data: dict[str, DataSet] = sets, features: Features = features
    ) -> SaliencyModel:
        members = [train(member, data, folder / member.name, features, console) for member in recipe.members]
        return mix(members, recipe.name, recipe.sizes)

    general = mixture(GENERAL, workdir / GENERAL.name)
    left_out = {name: mixture(recipe, workdir / recipe.name) for name, recipe in BUT.items()}
    unseen = {name: parts(model, _unseen(sets[name])) for name, model in left_out.items()}
    for name, model in left_out.items():
        # The fixations of what is not seen have no say in the numbers by which it is predicted.
        others = [part for other in SETS if other != name for part in unseen[other]]
        _calibrate(model, {}, others, workdir, console)
    _calibrate(general, sets, [part for each in unseen.values() for part in each], workdir, console)
    # Of another teacher, other maps and another pupil.
    school = workdir / FAST.name / digest(general)
    taught = distilled({name: sets[name] for name in FAST.data}, general, school / "maps", console)
    fast = mixture(FAST, school, taught, Features(school / "features", taught, console))
    validation = {name: sets[name].validation for name in SETS}
    predicted = parts(fast, as_predicted(validation, general, console))
    _calibrate(fast, {name: sets[name] for name in FAST.data}, predicted, workdir, console)
    out.mkdir(exist_ok=True)
    _write(general, GENERAL, workdir / GENERAL.name, images_of([workdir / GENERAL.name], sets), out, console)
    # What its teacher has seen, it has seen.
    _write(fast, FAST, school, images_of([school, workdir / GENERAL.name], sets), out, console)
    for recipe in ONLY.values():  # for docs/general.md
        own = {name: sets[name] for name in recipe.data}
        _calibrate(mixture(recipe, workdir / recipe.name), own, [], workdir, console)


def _unseen(data):
    return Samples([*data.validation, *data.train][:UNSEEN], data.pixels_per_degree)


def _calibrate(
    model: SaliencyModel,
    sets: dict[str, DataSet],
    unseen: list[Part],
    workdir: Path,
    console: rich.console.Console,
) -> None:
    """Calibrates the heads of a model, prints their numbers and saves it."""
    console.print(f"calibrating {model.name}")
    for recording, found in calibrate(model, sets, unseen).items():
        numbers = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        console.print(f"  {recording or 'average'}: {numbers}")
    with whole(workdir / model.name / MODEL) as part:
        model.save(part)


def _write(
    model: SaliencyModel,
    recipe: Recipe,
    folder: Path,
    images: dict[str, list[str]],
    out: Path,
    console: rich.console.Console,
) -> None:
    """Writes the file of a model, and says its checksum, which stands in the package."""
    members = [{**{key: getattr(each.model, key) for key in MEMBER}, "area": each.area} for each in recipe.members]
    networks = [network_of(load(folder / each.name).model) for each in recipe.members]
    path = out / f"{recipe.name}.safetensors"
    with whole(path) as part:
        shipped.write_file(part, networks, members, model, recipe.sizes, images)
    console.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, SHA-256 {shipped.checksum(path)}")
