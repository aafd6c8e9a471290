"""Shards: what is written is read back, and nothing else passes for it."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_same_data, real_data

import keras_saliency as ks
from keras_saliency.data import DataSet, Samples, converting
from keras_saliency.data.parts import Part
from keras_saliency.data.splits import PARTS
from keras_saliency.evaluation.sources import ModelSource

SIZE, OTHER = (60, 80), (48, 100)


@pytest.fixture(scope="module")
def written(tiny, tmp_path_factory):
    """The synthetic data set in shards of a few images."""
    return ks.data.convert(tiny, tmp_path_factory.mktemp("shards") / "tiny", size=SIZE, shard=300_000)


def batches(samples, size):
    return list(samples.pipeline(size, 3, flip=True, shuffle=True, seed=1, epoch=0).as_numpy_iterator())


def same_in_files(data):
    """A data set without what says where its pixels lie."""
    splits = {
        part: Samples(dataclasses.replace(sample, image=b"", letterboxed=None) for sample in getattr(data, part))
        for part in PARTS
    }
    return dataclasses.replace(data, **splits)


def test_shards_hold_the_samples_to_the_bit(tiny, written):
    read = ks.data.load("shards", written, verify=True)
    assert len(list(written.glob("*.tfrecord"))) > 2
    assert_same_data(same_in_files(read), same_in_files(tiny))
    for one, other in zip(read.test, tiny.test, strict=True):
        assert one.image.read() == other.image and one.orientation == other.orientation
        np.testing.assert_array_equal(one.read(), other.read())


@pytest.mark.parametrize("size", [SIZE, OTHER], ids=["stored", "decoded"])
def test_batches_from_shards_are_those_of_the_files(tiny, written, size):
    for one, other in zip(
        *(batches(data.train, size) for data in (ks.data.load("shards", written), tiny)), strict=True
    ):
        for pair in zip(one, other, strict=True):
            np.testing.assert_array_equal(*pair)


def test_pixels_are_decoded_where_they_are_not_stored(tiny, written, monkeypatch):
    read = ks.data.load("shards", written)
    images = [sample.letterboxed for sample in read.train]
    assert {part.shape for part in images} == {(*SIZE, 3)}
    monkeypatch.setattr("keras_saliency.data.image_files.decode_known", None)  # nothing is decoded
    batches(read.train, SIZE)
    with pytest.raises(TypeError):
        batches(read.train, OTHER)


def test_files_and_shards_mix(tiny, written):
    read = ks.data.load("shards", written)
    mixed = Samples([tiny.train[0], *read.train[1:3]])
    for one, other in zip(batches(mixed, OTHER), batches(tiny.train[:3], OTHER), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_records_are_complete_in_themselves_and_others_can_read_them(tiny, written):
    features = {
        **dict.fromkeys(("image", "pixels", "name", "split"), tf.io.FixedLenFeature((), tf.string)),
        **dict.fromkeys(("height", "width"), tf.io.FixedLenFeature((), tf.int64)),
        "sigma": tf.io.FixedLenFeature((), tf.float32),
        "observer": tf.io.RaggedFeature(tf.int64),
        **dict.fromkeys(("x", "y", "time", "duration"), tf.io.RaggedFeature(tf.float32)),
    }
    files = sorted(map(str, written.glob("*.tfrecord")))
    records = [tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(files)]
    samples = [(part, sample) for part in PARTS for sample in getattr(tiny, part)]
    for record, (part, sample) in zip(records, samples, strict=True):
        assert record["image"] == sample.image and record["name"] == sample.name and record["split"] == part
        assert (record["height"], record["width"]) == sample.size and record["sigma"] == sample.sigma
        assert len(tf.io.decode_raw(record["pixels"], tf.float32)) == np.prod((*SIZE, 3))
        for column in ("x", "y", "observer", "time", "duration"):
            values = getattr(sample.fixations, column)
            np.testing.assert_array_equal(record[column], values.astype(record[column].dtype.as_numpy_dtype))


def test_the_manifest_counts(tiny, written):
    manifest = json.loads((written / "manifest.json").read_text())
    assert manifest["images"] == {part: len(getattr(tiny, part)) for part in PARTS}
    assert manifest["fixations"]["test"] == sum(len(sample.fixations) for sample in tiny.test)
    assert manifest["name"] == "synthetic" and manifest["pixels"] == [*SIZE]
    assert set(manifest["files"]) == {path.name for path in written.iterdir()} - {"manifest.json"}


def test_nothing_is_overwritten_and_what_fails_leaves_nothing(tiny, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="full exists already. Choose another folder, or empty it"):
        ks.data.convert(tiny, tmp_path / "full")
    (tmp_path / "gone.png").write_bytes(b"no image")
    train = Samples([*tiny.train[:2], dataclasses.replace(tiny.train[2], image=tmp_path / "gone.png")])
    with pytest.raises(ks.data.image_files.ImageError, match="the image cannot be decoded"):
        ks.data.convert(dataclasses.replace(tiny, train=train), tmp_path / "out", SIZE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "gone.png"]


def test_a_full_disk_is_said_and_leaves_nothing(tiny, tmp_path, monkeypatch):
    def write(writer, record):
        raise tf.errors.ResourceExhaustedError(None, None, "no space")

    monkeypatch.setattr(tf.io.TFRecordWriter, "write", write)
    with pytest.raises(OSError, match="Make room and try again"):
        ks.data.convert(tiny, tmp_path / "out", None)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def damaged(written, tmp_path):
    return shutil.copytree(written, tmp_path / "damaged")


def test_a_changed_byte_is_found_where_that_is_asked(damaged):
    file = damaged / "00000.tfrecord"
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    ks.data.load("shards", damaged)
    with pytest.raises(ValueError, match="00000.tfrecord has another checksum than .*manifest.json says"):
        ks.data.load("shards", damaged, verify=True)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda folder: (folder / "manifest.json").unlink(),
            "manifest.json is missing: these are no shards, or not all",
        ),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest.json is no manifest of shards"),
        (lambda folder: (folder / "00001.tfrecord").unlink(), "00001.tfrecord of .*manifest.json is missing"),
        (lambda folder: (folder / "00001.tfrecord").write_bytes(b"short"), "00001.tfrecord has 5 bytes, and"),
        (lambda folder: change(folder / "manifest.json", '"format": 1', '"format": 9'), "is of format 9, and this"),
    ],
)
def test_what_is_not_whole_is_refused(damaged, damage, says):
    damage(damaged)
    with pytest.raises((ValueError, FileNotFoundError), match=says + ".*keras-saliency data convert"):
        ks.data.load("shards", damaged)


def change(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def test_maps_go_with_their_images(tiny, tmp_path, rng):
    maps = [rng.random(sample.size) for sample in tiny.test]
    for i, values in enumerate(maps):
        np.save(tmp_path / f"{i}.npy", values)
    test = [dataclasses.replace(s, ground_truth=tmp_path / f"{i}.npy") for i, s in enumerate(tiny.test)]
    out = ks.data.convert(DataSet("maps", tiny.train, tiny.validation, Samples(test)), tmp_path / "out", None)
    read = ks.data.load("shards", out, verify=True)
    assert read.test[0].letterboxed is None
    for sample, values in zip(read.test, maps, strict=True):
        np.testing.assert_array_equal(sample.read_ground_truth(), values)


def test_a_part_that_is_not_there_is_named(tmp_path):
    (tmp_path / "short").write_bytes(b"1234")
    assert Part(tmp_path / "short", 1, 2).read() == b"23"
    with pytest.raises(ValueError, match="short ends before byte 6: it is not whole"):
        Part(tmp_path / "short", 1, 5).read()


def test_batches_of_osie_are_the_same_from_shards(tmp_path):
    osie = real_data("osie")
    data = dataclasses.replace(osie, **{part: getattr(osie, part)[:9] for part in PARTS})
    read = ks.data.load("shards", ks.data.convert(data, tmp_path / "osie"))
    for one, other in zip(batches(read.train, converting.SIZE), batches(data.train, converting.SIZE), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_predictions_from_shards_are_those_of_the_files(tiny, written, model):
    source, read = ModelSource(model, "net"), ks.data.load("shards", written)
    for one, other in zip(source.predictions(read.test), source.predictions(tiny.test), strict=True):
        np.testing.assert_array_equal(one.values, other.values)


def test_shards_leave_as_files_again(tiny, written, tmp_path):
    ks.interop.export_data(ks.data.load("shards", written), tmp_path / "hdf5")
    assert (tmp_path / "hdf5" / "stimuli" / f"{tiny.test[0].name}.png").read_bytes() == tiny.test[0].image
