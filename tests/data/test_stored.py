"""A data set as arrays, exact to the bit, and what is kept of a folder while nothing in it changes."""

import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_same_data

import keras_saliency as ks
from keras_saliency.data import DATA_SETS, FACTS, DataSet, Fixations, Samples, index, settings
from keras_saliency.data.facts import Archive
from keras_saliency.data.splits import PARTS
from keras_saliency.data.stored import from_arrays, to_arrays

YESTERDAY = time.time() - 86_400


@pytest.fixture
def data(tiny, tmp_path):
    """Samples in files: one without fixations and with a map, some outside, of unknown durations, turned, far away."""
    facts = dataclasses.replace(FACTS["osie"], archives=(Archive("https://example.org/a.zip", megabytes=1.5),))
    splits = {part: list(getattr(tiny, part)) for part in PARTS}
    for samples in splits.values():
        samples[:] = [dataclasses.replace(sample, image=tmp_path / f"{sample.name}.png") for sample in samples]
    first, second, third, *rest = splits["train"]
    nothing = first.fixations[:0]
    first = dataclasses.replace(first, name="ü \udcff", ground_truth=tmp_path / "maps" / "a.png", fixations=nothing)
    rows = [(3.25, 4.5, 0, 0.1, 0.2), (-1.0, 1 / 3, 1, 0.0, np.nan), (np.nan, 7.0, 2, 0.0, 0.1)]
    second = dataclasses.replace(second, sigma=1 / 3, density=None, fixations=Fixations.from_rows(rows))
    third = dataclasses.replace(third, image=Path("/elsewhere/a.png"))
    third.__dict__["orientation"] = 6
    splits["train"] = [first, second, third, *rest]
    made = {part: Samples(samples, 24.5) for part, samples in splits.items()}
    return DataSet("mine", **made, pixels_per_degree=24.5, skipped=("b.png: it is no image",), facts=facts)


def test_a_data_set_is_stored_to_the_bit(data, tmp_path):
    assert any(sample.fixations.left_out for sample in data.train)
    assert_same_data(from_arrays(to_arrays(data, tmp_path), tmp_path), data)


def test_stored_paths_are_those_of_the_folder_it_lies_in_now(data, tmp_path):
    moved = from_arrays(to_arrays(data, tmp_path), Path("moved"))
    assert moved.train[1].image == Path("moved") / data.train[1].image.name
    assert moved.train[2].image == Path("/elsewhere/a.png")


def test_images_in_memory_and_other_versions_are_refused(tiny, data, tmp_path, monkeypatch):
    with pytest.raises(TypeError, match="An image in memory is not stored"):
        to_arrays(tiny, tmp_path)
    arrays = to_arrays(data, tmp_path)
    monkeypatch.setattr("keras_saliency.data.stored.VERSION", 99)
    with pytest.raises(ValueError, match="The stored table is of version 1, and this package reads 99"):
        from_arrays(arrays, tmp_path)


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
    """A table of three images whose files are of yesterday; the cache is empty."""
    monkeypatch.setenv("KERAS_SALIENCY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "recordings"
    folder.mkdir()
    rows = ["image,x,y,observer,duration"]
    for i, sample in enumerate(tiny.train[:3]):
        (folder / f"{i}.png").write_bytes(sample.image)
        rows += [f"{i},{10 + i}.5,{20 + k},{k},0.{k}" for k in range(3)]
    (folder / "fixations.csv").write_text("\n".join([*rows, "0,999,5,0,0.1"]))
    for path in folder.iterdir():
        os.utime(path, (YESTERDAY, YESTERDAY))
    return folder


def write(path, text):
    path.write_text(text)
    os.utime(path, (YESTERDAY, YESTERDAY))


@pytest.fixture
def reads(monkeypatch):
    """The folders that were read, and not taken from the index."""
    found = []

    def read(directory, pixels_per_degree=None, file=None):
        found.append(directory)
        return ks.data.table.read(directory, pixels_per_degree=pixels_per_degree, file=file)

    monkeypatch.setitem(DATA_SETS, "table", settings.with_settings("table", read))
    return found


def test_what_was_read_is_taken_while_nothing_changes(folder, reads):
    first, second = (ks.data.load("table", folder) for _ in range(2))
    assert len(reads) == 1
    assert_same_data(second, first)
    assert second.skipped == ("0.png: 1 of 4 fixations are outside the image",)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / "1.png", (1e9, 1e9)),
        lambda folder: write(folder / "notes.txt", "new"),
        lambda folder: (folder / "2.png").rename(folder / "2.PNG"),
        lambda folder: write(folder / "table.json", '{"pixels_per_degree": 7}'),
    ],
    ids=["time", "new file", "name", "settings"],
)
def test_a_change_is_seen(folder, reads, change):
    ks.data.load("table", folder)
    change(folder)
    ks.data.load("table", folder)
    assert len(reads) == 2


def test_a_change_of_size_is_seen_whose_time_is_the_old_one(folder, reads):
    table = folder / "fixations.csv"
    first = ks.data.load("table", folder)
    write(table, table.read_text() + "\n0,2,2,0,0.1")
    second = ks.data.load("table", folder)
    count = [sum(len(sample.fixations) for part in PARTS for sample in getattr(d, part)) for d in (first, second)]
    assert count[1] == count[0] + 1


def test_options_are_told_apart(folder, reads):
    wide, narrow = (ks.data.load("table", folder, pixels_per_degree=pixels) for pixels in (20.0, 10.0))
    assert (wide.train[0].sigma, narrow.train[0].sigma) == (20.0, 10.0)
    assert ks.data.load("table", folder, pixels_per_degree=20.0).train[0].sigma == 20.0 and len(reads) == 2


def test_a_file_that_changed_just_now_may_change_again_and_is_read_again(folder, reads):
    os.utime(folder / "1.png")
    for _ in range(2):
        ks.data.load("table", folder)
    assert len(reads) == 2


def test_what_lies_outside_the_folder_is_read_again(folder, reads):
    (folder / "fixations.csv").rename(folder.parent / "fixations.csv")
    for _ in range(2):
        ks.data.load("table", folder, file="../fixations.csv")
    assert len(reads) == 2


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:500] + b"x" * 9 + data[509:]],
    ids=["cut", "empty", "other bytes"],
)
def test_a_damaged_index_counts_as_none_and_is_replaced(folder, reads, damage):
    first = ks.data.load("table", folder)
    (file,) = (index.cache() / "index").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert_same_data(ks.data.load("table", folder), first)
    assert len(reads) == 2 and file.read_bytes() == whole


@pytest.mark.parametrize("place", ["", "/dev/null/cache"], ids=["none", "not to be written"])
def test_there_need_be_no_cache(folder, reads, place, monkeypatch):
    monkeypatch.setenv("KERAS_SALIENCY_CACHE", place)
    for _ in range(2):
        ks.data.load("table", folder)
    assert len(reads) == 2


def test_the_cache_is_where_the_system_has_them(monkeypatch):
    monkeypatch.delenv("KERAS_SALIENCY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert index.cache() == Path("/caches/keras_saliency")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert index.cache() == Path("/home/anna/.cache/keras_saliency")
