import json

import numpy as np
import pytest
from archives import salicon
from conftest import data_folder

import keras_saliency as ks
from keras_saliency.data import splits

# Of the examples, as read off their file: image -> its fixations, its workers, and the (row, column) from one that the
# worker of the lowest number began with.
SAMPLE = {
    "123067": (7189, 56, 158, 162),
    "123177": (8478, 67, 405, 334),
    "123273": (7519, 58, 31, 566),
    "123389": (7083, 57, 244, 310),
    "123514": (6954, 66, 230, 329),
    "123646": (7954, 64, 270, 278),
    "123749": (8105, 67, 337, 337),
    "123855": (7570, 60, 257, 305),
    "123891": (5929, 60, 271, 324),
    "123909": (6849, 55, 272, 209),
}


def all_samples(data):
    return {sample.name: sample for part in splits.PARTS for sample in getattr(data, part)}


def test_the_edition_is_said_or_told_by_the_folder(tmp_path):
    salicon.write(tmp_path)
    with pytest.raises(
        ValueError, match="holds fixations of one edition, and scores on them differ. Say which: edition="
    ):
        ks.data.load("salicon", tmp_path)
    assert ks.data.load("salicon", tmp_path, edition=2015).facts.edition == "2015"
    with pytest.raises(ValueError, match=r"Unknown edition 2016 of SALICON. Known editions: 2015, 2017\."):
        ks.data.load("salicon", tmp_path, edition=2016)
    (tmp_path / "2017").mkdir()
    (tmp_path / "fixations").rename(tmp_path / "2017" / "fixations")
    assert ks.data.load("salicon", tmp_path).facts.edition == "2017"
    with pytest.raises(FileNotFoundError, match="fixations is missing. Unpack the 2015 edition there"):
        ks.data.load("salicon", tmp_path, edition=2015)
    (tmp_path / "2015" / "fixations").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds both editions, and scores on them differ"):
        ks.data.load("salicon", tmp_path)
    (tmp_path / "salicon.json").write_text('{"edition": 2017}')
    assert ks.data.load("salicon", tmp_path).facts.edition == "2017"


def test_official_splits_are_kept_and_validation_is_halved(tmp_path):
    salicon.write(tmp_path)
    data = ks.data.load("salicon", tmp_path, edition=2017)
    assert all(sample.name.startswith("train/") for sample in data.train)
    assert len(data.validation) == len(data.test) == 1
    assert {sample.sigma for sample in all_samples(data).values()} == {19.0}


def test_a_split_of_one_image_is_said(tmp_path):
    salicon.write(tmp_path)
    (tmp_path / "fixations" / "val" / "COCO_val2014_000000000073.mat").unlink()
    with pytest.raises(ValueError, match="2 splits need 2 images at least. Received: 1"):
        ks.data.load("salicon", tmp_path, edition=2017)


def test_the_real_sample_is_as_its_file_says():
    folder = data_folder("salicon-sample")
    data = ks.data.load("salicon-json", folder)
    assert (len(data.train), len(data.validation), len(data.test)) == (5, 2, 3)
    assert data.skipped == (
        "there are fixations of the official train images alone: they are for all splits, by the hash of their names",
    )
    samples = all_samples(data)
    for name, (count, observers, row, column) in SAMPLE.items():
        fixations = samples[f"train2015r1-examples/COCO_train2014_000000{name}.jpg"].fixations
        assert (len(fixations), len(np.unique(fixations.observer))) == (count, observers)
        assert (fixations.y[0], fixations.x[0]) == (row - 0.5, column - 0.5)
    assert len(samples) == len(SAMPLE)
    release = json.loads((folder / "annotations" / "fixations_train2014examples.json").read_text())
    assert sum(map(len, (annotation["fixations"] for annotation in release["annotations"]))) == sum(
        len(sample.fixations) for sample in samples.values()
    )
