import json

import cv2
import numpy as np
import pytest

import keras_saliency as ks
from keras_saliency.data import splits


@pytest.fixture
def folder(tmp_path):
    """Four pictures of 30x40 with one bright pixel each, the first of them under two tasks."""
    for i in range(4):
        image = np.zeros((30, 40, 3), "uint8")
        image[3 + i, 5 + 2 * i] = 255
        for task in ("bottle", "car") if i == 0 else ("car",):
            path = tmp_path / "images" / task / f"{i:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
    return tmp_path


def row(i, subject=1, task="car", scale=1.0, **changes):
    points = {"X": [scale * (5.5 + 2 * i)] * 2, "Y": [scale * (3.5 + i)] * 2, "T": [200, 300]}
    return {"name": f"{i:03d}.png", "subject": subject, "task": task, "length": 2, **points, **changes}


def write(folder, rows, name="fixations.json"):
    (folder / name).write_text(rows if isinstance(rows, str) else json.dumps(rows))


def all_samples(data):
    return {sample.name.rpartition("/")[2]: sample for part in splits.PARTS for sample in getattr(data, part)}


@pytest.mark.parametrize(("scale", "options"), [(1, {}), (2, {"screen": (80, 60), "stimulus": "stretched"})])
def test_rows_fall_on_their_pixels_and_a_picture_of_two_tasks_is_one(scale, options, folder):
    write(folder, [row(i, scale=scale) for i in range(4)])
    write(folder, [row(0, 2, "bottle", scale)], "more.json")
    samples = all_samples(ks.data.load("rows", folder, **options))
    assert sorted(samples) == ["000.png", "001.png", "002.png", "003.png"]
    for name, sample in samples.items():
        rows, columns = sample.fixations.pixels()
        assert (sample.read()[rows, columns] == 255).all()
        assert sample.fixations.observer.tolist() == ([0, 0, 1, 1] if name == "000.png" else [0, 0])
        np.testing.assert_allclose(sample.fixations.time[:2], [0, 0.2])


def test_splits_are_those_of_the_rows(folder):
    parts = ["train", "train", "valid", "test"]
    write(folder, [row(i, split=part) for i, part in enumerate(parts)])
    data = ks.data.load("rows", folder)
    assert [len(getattr(data, part)) for part in splits.PARTS] == [2, 1, 1]
    assert data.test[0].name == "images/car/003.png" and data.skipped == ()
    write(folder, [{key: value for key, value in row(i).items() if key != "subject"} for i in range(4)])
    assert ks.data.load("rows", folder).skipped == (
        "fixations.json has no column observer: all fixations count as one observer's",
    )


WRONG = {
    "no JSON": ("[1", "is no JSON file"),
    "no list": ({"a": 1}, "is no list of rows"),
    "no name": ([{"X": [1], "Y": [1]}], "row 1: expected name, and X, Y and T of one length .KeyError"),
    "lengths": ([row(0), row(1, X=[1])], "row 2: .* X, Y and T are of different lengths"),
    "text": ([row(0, X=["left", 1])], "row 1: .*could not convert"),
    "image": ([row(9)], "1 of 1 images of fixations.json are not in"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named(kind, folder):
    rows, message = WRONG[kind]
    write(folder, rows)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        ks.data.load("rows", folder)
    assert "\n" not in str(error.value)


def test_a_folder_without_rows_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"has no \*.json. Expected files of rows"):
        ks.data.load("rows", folder)
