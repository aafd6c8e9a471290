"""A folder of images beside the exports of an eye tracker, a file or several."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.exports import Detection, read_export
from keras_saliency.data.exports.text import Phase, one_group
from keras_saliency.data.names import Index, files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.recordings import RANKS, make_data

SUFFIXES = (".asc", ".txt", ".tsv", ".csv", ".xls")  # of SR Data Viewer's tables, too, which are text


def read(
    directory: Path,
    trials: str | None = None,
    image: str | None = None,
    observer: str | None = None,
    screen: tuple[int, int] | None = None,
    stimulus: str | tuple[float, float, float, float] | None = None,
    origin: str = "top",
    pixels_per_degree: float | None = None,
    detection: str | None = None,
    threshold: float | None = None,
    minimum_duration: float = 0.1,
    phase: Phase = None,
    eye: str | None = None,
    files: str = "*",
) -> DataSet:
    """Reads the exports in a folder, and the images anywhere below it; `exports.EXPORTS` lists the software.

    A file that does not tell who looked is the recording of one observer, called as the file. Fixations while none of
    the images was shown are left out and counted, by what was. Splits and blur are as those of a `table`.

    Args:
        directory: The folder.
        trials: As in `exports.read_export`: what names the picture.
        image: A regular expression with one group, which finds in the name of a file the picture that was shown, where
            the exports name none: `"(.+)_P[0-9]+"` of `kitchen_P01.tsv`.
        observer: The same for who looked: `"_(P[0-9]+)"`.
        screen: As in `table.read`; by default what the exports say.
        stimulus: As in `table.read`: how images were shown. It is never guessed, and needed if coordinates are of the
            screen.
        origin: As in `table.read`.
        pixels_per_degree: As in `table.read`.
        detection: How fixations are detected where exports hold only samples: `"ivt"` or `"idt"` of pymovements.
        threshold: Of the detection: the largest velocity in pixels a second, or dispersion in pixels; by default 20
            degrees a second, or one.
        minimum_duration: The shortest fixation that is detected, in seconds.
        phase: As in `exports.read_export`: which part of a recording counts.
        eye: As in `exports.read_export`: which of two eyes counts.
        files: A pattern of the names of the exports, such as `"*.asc"`, where other texts lie beside them.

    Raises:
        FileNotFoundError: If there is no export, or none of the images that they name.
        ValueError: As `exports.read_export`; if nothing names the pictures, coordinates are of the screen and
            `stimulus` is not given, or exports differ in what their coordinates are of.
    """
    found = [path for path in sorted(directory.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]
    paths = [path for path in found if path.match(files)]
    if not paths:
        raise FileNotFoundError(f"{directory} has no export called {files!r}. Expected files of {', '.join(SUFFIXES)}.")
    how = Detection(detection, threshold, minimum_duration, pixels_per_degree, screen) if detection else None
    tables = [_table(path, (trials, how, phase, eye), image, observer) for path in paths]
    kinds = {(table.attrs["frame"], table.attrs["units"]) for table in tables}
    screens = {tuple(screen)} if screen else {table.attrs["screen"] for table in tables} - {None}
    if len(kinds) > 1 or len(screens) > 1:
        raise ValueError(
            f"The exports in {directory} differ: {sorted(kinds)}, screens {sorted(screens)}. Separate them, or "
            "name those that belong together: files='*.asc'."
        )
    ((frame, units),) = kinds
    if frame == "screen" and stimulus is None:
        raise ValueError(
            f"The coordinates of {paths[0].name} are of the screen. Say how the images were shown on it: "
            "stimulus='centred', 'fitted', 'stretched', or a rectangle (left, top, width, height)."
        )
    shown: tuple[float, float] | None = screens.pop() if screens and frame == "screen" else None  # type: ignore[assignment]
    geometry = Geometry(units, origin, pixels_per_degree, shown, stimulus if frame == "screen" else None)
    import pandas as pd

    notes = [
        f"{path.name}: {count} fixations {reason}"
        for path, table in zip(paths, tables, strict=True)
        for reason, count in table.attrs["left_out"].items()
    ]
    table = pd.concat(tables)
    table["image"] = table["image"].map({name: _relative(str(name)) for name in table["image"].unique()})
    known = Index(files_below(directory))
    there = {name: bool(known.find(str(name), RANKS)) for name in table["image"].unique()}
    if any(there.values()):
        others = table["image"][~table["image"].map(there)].value_counts()
        notes += [f"{name}: {count} fixations, and no such image" for name, count in others.items()]
        table = table[table["image"].map(there)]
    data = make_data("tracker", table.reset_index(drop=True), directory.name, directory, geometry, count_others=True)
    return data.noting(*notes)


def _table(path, asked, image, observer):
    """An export, every fixation of it with the name of a picture and of an observer."""
    table = read_export(path, *asked)
    attrs = dict(table.attrs)
    if image is not None and table["image"].isna().all():
        table["image"] = _in_name("image", image, path)
    if "observer" not in table or observer is not None:
        table["observer"] = path.stem if observer is None else _in_name("observer", observer, path)
    nameless = table["image"].isna()
    if nameless.all():
        hint = (
            attrs.get("hint")
            or "Name the column that does: trials='...'; or find it in the name of the file: image=r'(.+)_'."
        )
        raise ValueError(f"{path}: nothing names the pictures. {hint}")
    table = table[~nameless]
    if nameless.any():
        attrs["left_out"] = {**attrs["left_out"], "without a picture": int(nameless.sum())}
    table.attrs = attrs
    return table


def _in_name(name, expression, path):
    found = one_group(name, expression).search(path.name)
    if not found:
        raise ValueError(f"{path.name}: {name}={expression!r} finds nothing in the name of this file.")
    return found[1]


def _relative(name):
    """The name of a picture as one in the folder: of a path on the computer that recorded, what it is called."""
    name = name.replace("\\", "/")
    path = PurePosixPath(name)
    far = path.is_absolute() or PureWindowsPath(name).is_absolute() or ".." in path.parts
    return path.name if far else name
