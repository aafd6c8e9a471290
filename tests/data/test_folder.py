import dataclasses
import re

import cv2
import numpy as np
import pytest
import scipy.io

import keras_saliency as ks
from keras_saliency.data import Samples, splits
from keras_saliency.data.samples import fixation_density
from keras_saliency.formulas.conventions import CONVENTIONS, OF_DENSITY
from keras_saliency.metrics import METRICS


@pytest.fixture
def folder(tmp_path):
    """Six pictures of 30x40 in two folders, in each of which one pixel is bright and looked at."""
    for name in ("images/a", "images/b", "fixations/a", "fixations/b"):
        (tmp_path / name).mkdir(parents=True)
    for i in range(6):
        image = np.zeros((30, 40, 3), "uint8")
        image[3 + i, 5 + 2 * i] = 255
        cv2.imwrite(str(tmp_path / "images" / "ab"[i % 2] / f"{i // 2}.png"), image)
    return tmp_path


def write(path, values):
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"fixLocs": values})
    else:
        cv2.imwrite(str(path), values)


def write_all(folder, suffix, change=lambda points: points):
    for i in range(6):
        points = np.zeros((30, 40), "uint8")
        points[3 + i, 5 + 2 * i] = 1
        write(folder / "fixations" / "ab"[i % 2] / f"{i // 2}{suffix}", change(points))


def all_samples(data):
    return [sample for part in splits.PARTS for sample in getattr(data, part)]


def assert_on_the_bright_pixel(data, times=1):
    samples = all_samples(data)
    assert sorted(sample.name for sample in samples) == [f"{n}/{i}.png" for n in "ab" for i in range(3)]
    for sample in samples:
        rows, columns = sample.fixations.pixels()
        assert len(rows) == times
        assert (sample.read()[rows, columns] == 255).all(), sample.name


FORMS = {
    "ones": (".png", lambda points: points, 1),
    "white": (".png", lambda points: 255 * points, 1),
    "white, called as MIT1003's": ("_fixPts.png", lambda points: 255 * points, 1),
    "lossy": (".jpg", lambda points: 255 * cv2.dilate(points, np.ones((1, 1))), 1),
    "counts": (".npy", lambda points: 3 * points, 3),
    "doubles": (".mat", lambda points: 2.0 * points, 2),
}


@pytest.mark.parametrize("form", FORMS)
def test_fixation_maps_are_fixations_on_their_pixels(form, folder):
    suffix, change, times = FORMS[form]
    write_all(folder, suffix, change)
    data = ks.data.load("folder", folder)
    assert_on_the_bright_pixel(data, times)
    (note,) = data.skipped
    assert note.startswith(
        "fixation maps tell no observers: all fixations count as one observer's, and there is no gold"
    )
    assert {sample.sigma for sample in all_samples(data)} == {0.035 * 40}


def test_folders_may_be_called_otherwise(folder):
    write_all(folder, ".png")
    (folder / "images").rename(folder / "stimuli")
    with pytest.raises(FileNotFoundError, match="images is missing. Say where the images are: images="):
        ks.data.load("folder", folder)
    data = ks.data.load("folder", folder, images="stimuli", pixels_per_degree=7.0)
    assert_on_the_bright_pixel(data)
    assert data.pixels_per_degree == 7


@pytest.mark.parametrize(
    ("values", "suffix", "message"),
    [
        (np.tile(np.arange(40, dtype="uint8"), (30, 1)), ".png", "has 40 grey levels, and a map of fixations two"),
        (np.full((30, 40), 0.5), ".npy", "must hold counts of fixations, whole numbers"),
        (np.full((30, 40), -1), ".npy", "must hold counts of fixations, whole numbers"),
        (np.eye(3), ".npy", r"the image is \(30, 40\) and its fixation map \(3, 3\)"),
    ],
)
def test_what_is_no_map_of_fixations_is_named(values, suffix, message, folder):
    write_all(folder, suffix)
    write(folder / "fixations" / "a" / f"1{suffix}", values)
    if "the image is" in message:  # as any image that does not fit, it is left out and listed
        assert any(line.startswith("a/1.png") for line in ks.data.load("folder", folder).skipped)
        return
    with pytest.raises(ValueError, match=message) as error:
        ks.data.load("folder", folder)
    assert f"1{suffix}" in str(error.value) and "\n" not in str(error.value)


def test_missing_and_double_maps_are_named(folder):
    write_all(folder, ".png")
    (folder / "fixations" / "b" / "2.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 6 images have no map, the first is b/2.png"):
        ks.data.load("folder", folder)
    write(folder / "fixations" / "b" / "2.npy", np.eye(30, 40))
    write(folder / "fixations" / "b" / "2.mat", np.eye(30, 40))
    with pytest.raises(ValueError, match=r"b/2.png has 2 maps: b/2.mat, b/2.npy. Keep one of them"):
        ks.data.load("folder", folder)


def blob(i):
    """A density of another scale, its peak on the bright pixel."""
    rows, columns = np.mgrid[:30, :40]
    return np.exp(-((rows - 3 - i) ** 2 + (columns - 5 - 2 * i) ** 2) / 18)


def write_maps(folder, suffix=".npy"):
    for i in range(6):
        path = folder / "maps" / "ab"[i % 2] / f"{i // 2}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, blob(i) if suffix == ".npy" else np.round(255 * blob(i)).astype("uint8"))


@pytest.fixture
def maps_alone(folder):
    write_maps(folder)
    for path in [*folder.glob("fixations/*"), folder / "fixations"]:
        path.rmdir()
    return folder


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_density_maps_are_what_is_compared_with(suffix, maps_alone):
    for path in maps_alone.glob("maps/*/*"):
        path.unlink()
    write_maps(maps_alone, suffix)
    data = ks.data.load("folder", maps_alone)
    assert "NSS" in data.skipped[0] and "gold standard" in data.skipped[0]
    for sample in all_samples(data):
        density = fixation_density(sample)
        assert (sample.read()[np.unravel_index(density.argmax(), density.shape)] == 255).all()
        assert len(sample.fixations) == 0


def test_targets_of_density_maps_follow_the_image(maps_alone):
    (sample, *_) = samples = ks.data.load("folder", maps_alone).train
    images, targets = next(iter(samples.pipeline((30, 60), batch=1)))
    density, counts, valid = (targets.numpy()[0, ..., i] for i in range(3))
    np.testing.assert_allclose(
        density[:, 10:50], sample.read_ground_truth() / sample.read_ground_truth().max(), atol=1e-6
    )
    assert np.isnan(counts).all() and valid.sum() == 30 * 40 and density[valid == 0].max() == 0
    # Mirrored, the peak stays on the bright pixel.
    for images, targets in samples.pipeline((30, 60), batch=1, flip=True, shuffle=True):
        place = np.unravel_index(targets.numpy()[0, ..., 0].argmax(), (30, 60))
        assert images.numpy()[0][place].min() == 255
    # Half as large, the mass is where it was.
    _, targets = next(iter(samples.pipeline((15, 20), batch=1)))
    small = targets.numpy()[0, ..., 0]
    whole = sample.read_ground_truth().reshape(15, 2, 20, 2).mean((1, 3))
    np.testing.assert_allclose(small, whole / whole.max(), atol=1e-6)


def test_samples_with_maps_and_with_fixations_make_one_pipeline(maps_alone, tiny):
    (one,) = ks.data.load("folder", maps_alone).train[:1]
    mixed = Samples([one, tiny.train[0], dataclasses.replace(tiny.train[0], name="alone")])
    ((_, targets),) = mixed.pipeline((30, 40), batch=3)
    ((_, alone),) = Samples([tiny.train[0]]).pipeline((30, 40), batch=1)
    np.testing.assert_array_equal(targets[1], alone[0])
    assert np.isnan(targets[0, ..., 1]).all() and not np.isnan(targets[1:]).any()
    np.testing.assert_allclose(targets[0, ..., 0], one.read_ground_truth() / one.read_ground_truth().max(), atol=1e-6)


def test_of_density_are_the_metrics_that_need_no_fixations():
    assert {name for name, metric in METRICS.items() if not metric.needs_fixations} == set(OF_DENSITY)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_density_maps_are_scored_by_what_needs_no_fixations(convention, maps_alone, tmp_path):
    scored = ks.evaluate([], ks.data.load("folder", maps_alone), "train", convention, tmp_path / "out", verbose=False)
    uniform = scored.summary["uniform"]
    known = {name for name, value in uniform.items() if value["mean"] is not None}
    assert known == set(OF_DENSITY) & set(CONVENTIONS[convention])
    assert all(value["mean"] is None for value in scored.summary["gold_standard"].values())
    assert scored.provenance["blur_sigma_pixels"] == "that of the maps of the data set"
    assert not (tmp_path / "out" / "figures" / "roc.png").exists() and scored.fair_summary == {}


def test_a_loss_that_needs_fixations_is_refused_before_anything_is_trained(maps_alone, tmp_path):
    data = ks.data.load("folder", maps_alone)
    with pytest.raises(ValueError, match="loss nll needs fixations, and folder has images of which"):
        ks.train("demo", data={"synthetic": data}, workdir=tmp_path / "run", verbose=False)
    assert not (tmp_path / "run" / "model.keras").exists()


def test_both_are_read_and_the_density_map_is_compared_with(folder):
    write_all(folder, ".png")
    write_maps(folder)
    data = ks.data.load("folder", folder)
    assert_on_the_bright_pixel(data)
    sample = data.train[0]
    np.testing.assert_array_equal(fixation_density(sample), sample.read_ground_truth())
    _, targets = next(iter(data.train.pipeline((30, 40), batch=1)))
    assert targets.numpy()[0, ..., 1].sum() == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((30, 40)), "1.npy is no density"),
        (np.full((30, 40), np.nan), "1.npy is no density"),
        (np.eye(3), r"the image is \(30, 40\) and its map \(3, 3\)"),
        (np.eye(30, 40), "1.npy has two levels, and is a map of fixations. Put such maps into fixations/"),
        (np.zeros((30, 40, 3)), "1.npy, must be numbers"),
    ],
)
def test_what_is_no_density_is_left_out_and_listed(values, message, maps_alone):
    np.save(maps_alone / "maps" / "a" / "1.npy", values)
    lines = ks.data.load("folder", maps_alone).skipped
    assert len(lines) == 2 and re.search(message, lines[1])


def test_neither_maps_nor_fixations_is_named(folder):
    for path in [*folder.glob("fixations/*"), folder / "fixations"]:
        path.rmdir()
    with pytest.raises(FileNotFoundError, match="has neither fixations/ nor maps/"):
        ks.data.load("folder", folder)
    with pytest.raises(FileNotFoundError, match="density is missing. Say where the maps are: maps="):
        ks.data.load("folder", folder, maps="density")
