"""A data set in every form in which it can be written: what is read again gives the same scores, to the last digit."""

import dataclasses
import json

import cv2
import h5py
import numpy as np
import pytest
from conftest import real_data, slowly

import keras_saliency as ks
from keras_saliency.data import DataSet, Samples, pysaliency, splits

FEW = {"train": slice(30), "validation": slice(6), "test": slice(2)}


def all_samples(data):
    return [(part, sample) for part in splits.PARTS for sample in getattr(data, part)]


def link_images(data, where):
    for _, sample in all_samples(data):
        (where / sample.name).symlink_to(sample.image)


def as_table(data, directory, suffix=".csv"):
    import pandas as pd

    link_images(data, directory)
    columns = ["image", "x", "y", "observer", "time", "duration", "split"]
    rows = [
        (sample.name, *row, part)
        for part, sample in all_samples(data)
        for row in zip(*(getattr(sample.fixations, column) for column in columns[1:-1]), strict=True)
    ]
    table = pd.DataFrame(rows, columns=columns)
    if suffix == ".csv":
        table.to_csv(directory / "fixations.csv", index=False)
    else:
        table.to_parquet(directory / "fixations.parquet")
    return ks.data.load("table", directory, pixels_per_degree=data.pixels_per_degree)


def as_parquet(data, directory):
    return as_table(data, directory, ".parquet")


def as_rows(data, directory):
    link_images(data, directory)
    written = []
    for part, sample in all_samples(data):
        for observer in np.unique(sample.fixations.observer):
            own = sample.fixations[sample.fixations.observer == observer]
            row = {"name": sample.name, "subject": int(observer), "split": part}
            written.append(row | {"X": own.x.tolist(), "Y": own.y.tolist(), "T": (1000 * own.duration).tolist()})
    (directory / "fixations.json").write_text(json.dumps(written))
    return ks.data.load("rows", directory, pixels_per_degree=data.pixels_per_degree)


def as_folder(data, directory):
    for part, sample in all_samples(data):
        for name in ("images", "fixations"):
            (directory / name / part).mkdir(parents=True, exist_ok=True)
        (directory / "images" / part / sample.name).symlink_to(sample.image)
        counts = sample.fixations.counts(sample.size).astype("uint8")
        np.save((directory / "fixations" / part / sample.name).with_suffix(".npy"), counts)
    return ks.data.load("folder", directory, pixels_per_degree=data.pixels_per_degree)


def as_hdf5(data, directory):
    ks.interop.export_data(data, directory / "stored")
    return ks.data.load("pysaliency", directory / "stored", pixels_per_degree=data.pixels_per_degree)


def as_shards(data, directory):
    return ks.data.load("shards", ks.data.convert(data, directory / "shards"), verify=True)


FORMS = {form.__name__: form for form in (as_table, as_parquet, as_rows, as_folder, as_hdf5, as_shards)}


@pytest.mark.parametrize("size", ["few", pytest.param("all", marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", slowly(FORMS, ("as_rows", "as_folder", "as_hdf5")))
def test_osie_has_the_same_scores_in_every_form(form, size, tmp_path):
    data = real_data("osie")
    if size == "few":
        parts = (getattr(data, part)[FEW[part]] for part in splits.PARTS)
        data = DataSet("osie", *parts, pixels_per_degree=data.pixels_per_degree)
    read = FORMS[form](data, tmp_path)
    # Fixation maps tell no observers, times and fractions of pixels: there is no gold standard.
    lost = form == "as_folder"
    data = at_centres(data) if lost else data
    one, other = (ks.evaluate(["signature"], each, verbose=False).per_image for each in (data, read))
    for row, images in one.items():
        for known, found in zip(images, other[row], strict=True):
            if not (lost and row == "gold_standard"):
                np.testing.assert_equal(found, known)
    for (part, known), (same, found) in zip(all_samples(data), all_samples(read), strict=True):
        assert (part, known.size, known.sigma) == (same, found.size, found.sigma)
        for column in () if lost else ("x", "y", "observer"):
            np.testing.assert_array_equal(*(getattr(each.fixations, column) for each in (known, found)))
        for column in () if lost else ("time", "duration"):
            np.testing.assert_allclose(*(getattr(each.fixations, column) for each in (known, found)), rtol=1e-12)


def at_centres(data):
    """The same fixations at the centres of their pixels."""

    def centred(sample):
        x, y = (np.floor(axis) + 0.5 for axis in (sample.fixations.x, sample.fixations.y))
        return dataclasses.replace(sample, fixations=dataclasses.replace(sample.fixations, x=x, y=y))

    parts = (Samples(map(centred, getattr(data, part)), data.pixels_per_degree) for part in splits.PARTS)
    return DataSet("osie", *parts, pixels_per_degree=data.pixels_per_degree)


def write_hdf5(path, kind, version, arrays, **attributes):
    with h5py.File(path, "w") as file:
        file.attrs.update({"type": np.bytes_(kind), "version": np.bytes_(version), **attributes})
        for name, value in arrays.items():
            file[name] = value


@pytest.fixture
def pixels():
    """Four images with one bright pixel each."""
    images = np.zeros((4, 30, 40, 3), "uint8")
    for i in range(4):
        images[i, 3 + i, 5 + 2 * i] = 255, 254, 253
    return images


NAN = np.nan
SCANPATHS = {
    "n": [0, 1, 1, 3],
    "x": [[5.0, 5.5, NAN], [7.9, NAN, NAN], [7.0, 7.2, 7.4], [11.5, NAN, NAN]],
    "y": [[3.0, 3.5, NAN], [4.9, NAN, NAN], [4.0, 4.2, 4.4], [6.5, NAN, NAN]],
    "t": [[0.0, 0.2, NAN], [0.0, NAN, NAN], [0.0, 0.3, 0.5], [0.1, NAN, NAN]],
    "subject": [2, 0, 2, 1],
}
LENGTHS = [2, 1, 3, 1]


def scanpaths(path, kind="FixationTrains", **changes):
    arrays = {f"train_{name}s": value for name, value in {**SCANPATHS, **changes}.items() if value is not None}
    write_hdf5(path, kind, "1.0", arrays)


def newer_scanpaths(path):
    arrays = {"xs": SCANPATHS["x"], "ys": SCANPATHS["y"], "n": SCANPATHS["n"], "length": LENGTHS}
    arrays |= {"fixation_attributes/ts": SCANPATHS["t"], "scanpath_attributes/subject": SCANPATHS["subject"]}
    write_hdf5(path, "ScanpathFixations", "1.0", {f"scanpaths/{name}": value for name, value in arrays.items()})


def single_fixations(path):
    there = ~np.isnan(SCANPATHS["x"])
    arrays = {name: np.array(SCANPATHS[name])[there] for name in "xyt"}
    arrays |= {name: np.repeat(SCANPATHS[name], LENGTHS) for name in ("n", "subject")}
    write_hdf5(path, "Fixations", "1.2", {**arrays, "x_hist": SCANPATHS["x"]})


def stimuli(path, pixels):
    write_hdf5(path, "Stimuli", "1.0", {str(i): image for i, image in enumerate(pixels)}, size=4)


def file_stimuli(path, pixels):
    (path.parent / "photographs").mkdir()
    for i, image in enumerate(pixels):
        cv2.imwrite(str(path.parent / "photographs" / f"{i}.png"), image[..., ::-1])
    write_hdf5(path, "FileStimuli", "2.0", {"filenames": [f"photographs/{i}.png" for i in range(4)]})


@pytest.mark.parametrize("write", [scanpaths, newer_scanpaths, single_fixations])
@pytest.mark.parametrize("write_stimuli", [stimuli, file_stimuli])
def test_files_of_pysaliency_are_fixations_on_their_pixels(write, write_stimuli, pixels, tmp_path):
    write(tmp_path / "fixations.hdf5")
    write_stimuli(tmp_path / "stimuli.hdf5", pixels)
    data = ks.data.load("pysaliency", tmp_path)
    found = {int(sample.name[:-4]): sample for _, sample in all_samples(data)}
    assert {i: len(sample.fixations) for i, sample in found.items()} == {0: 2, 1: 4, 3: 1}
    for sample in found.values():
        rows, columns = sample.fixations.pixels()
        assert (sample.read()[rows, columns] == (255, 254, 253)).all()
    assert found[1].fixations.observer.tolist() == [0, 2, 2, 2]
    assert found[1].fixations.time.tolist() == [0.0, 0.0, 0.3, 0.5]
    assert data.skipped == ("1 of 4 stimuli have no fixations",)


def test_embedded_images_are_written_beside_the_fixations(tiny, tmp_path):
    ks.interop.export_data(tiny, tmp_path / "stored")
    read = ks.data.load("pysaliency", tmp_path / "stored")
    for (part, known), (same, found) in zip(all_samples(tiny), all_samples(read), strict=True):
        assert part == same and f"{known.name}.png" == found.name
        np.testing.assert_array_equal(known.read(), found.read())
    with pytest.raises(FileExistsError, match="Choose another folder"):
        ks.interop.export_data(tiny, tmp_path / "stored")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "Scanpaths"}, "fixations.hdf5 is no file of fixations .KeyError: 'Scanpaths'"),
        ({"n": [0, 1, 1, 4]}, "7 fixations on stimuli that are not among the 4 of the other file"),
        ({"y": [[1.0]] * 4}, "fixations.hdf5 is no file of fixations"),
        ({"x": None}, "fixations.hdf5 is no file of fixations .KeyError: 'train_xs'"),
    ],
)
def test_what_is_no_file_of_pysaliency_is_named(changes, message, pixels, tmp_path):
    stimuli(tmp_path / "stimuli.hdf5", pixels)
    with pytest.raises(FileNotFoundError, match=r"fixations.hdf5 is missing"):
        pysaliency.read(tmp_path)
    scanpaths(tmp_path / "fixations.hdf5", **changes)
    with pytest.raises(ValueError, match=message) as error:
        pysaliency.read(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / "fixations.hdf5").write_bytes(b"no")
    with pytest.raises(ValueError, match="fixations.hdf5 cannot be read as an HDF5 file"):
        pysaliency.read(tmp_path)
