import cv2
import numpy as np
import pytest
import scipy.io

import keras_saliency as ks
from keras_saliency.data import splits


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
    assert data.skipped == ("fixation maps tell no observers: all fixations count as one observer's",)
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
