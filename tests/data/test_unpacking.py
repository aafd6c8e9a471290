"""Archives that may hold anything."""

import shutil
import tarfile
import types
import zipfile

import numpy as np
import pytest
from served import names, room_for, tarred, zipped

from keras_saliency.data.fetching import unpacking

BYTES = np.random.default_rng(0).integers(0, 256, 100_000, "uint8").tobytes()


def linked(name, kind, to="../../etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info, b""


def link_in_zip():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return info, "/etc/passwd"


def unpack(content, folder, within=""):
    folder.mkdir(exist_ok=True)
    archive = folder.parent / "archive"
    archive.write_bytes(content)
    return unpacking.unpack(archive, folder, within)


GOOD = (("images/", b""), ("images/a.jpg", BYTES), ("./eye/Ä b.mat", b"2"), ("empty.txt", b""))
FORMS = {
    "zip": zipped(*GOOD),
    "tar": tarred(*GOOD[1:], mode="w"),
    "tar.gz": tarred(*GOOD[1:]),
    "backslashes": zipped(("images\\a.jpg", BYTES), ("eye\\Ä b.mat", b"2"), ("empty.txt", b"")),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_is_unpacked(form, tmp_path):
    folder = tmp_path / "data"
    places = unpack(FORMS[form], folder)
    assert names(folder) == ["empty.txt", "eye/Ä b.mat", "images/a.jpg"]
    assert sorted(places) == sorted(folder / name for name in names(folder))
    assert (folder / "images" / "a.jpg").read_bytes() == BYTES and (folder / "eye" / "Ä b.mat").read_text() == "2"
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_one_folder_of_an_archive_is_taken(tmp_path):
    content = zipped(("repo-1a2b/README", b""), ("repo-1a2b/data/stimuli/a.jpg", b"1"), ("repo-1a2b/code/data/b", b""))
    unpack(content, tmp_path / "data", "*/data")
    assert names(tmp_path / "data") == ["stimuli/a.jpg"]
    with pytest.raises(ValueError, match="has no file in a folder \\*/eye. Unpack it by hand"):
        unpack(content, tmp_path / "data", "*/eye")


OUTSIDE = ["../x", "a/../../x", "/etc/x", "..\\x", "C:\\x", "//host/x"]
LONG = tarfile.TarInfo("x")
LONG.pax_headers = {"comment": "x" * (2 << 20)}
HOSTILE = {
    **{f"zip {name}": (zipped((name, b"")), "leads outside") for name in OUTSIDE},
    **{f"tar {name}": (tarred((name, b"")), "leads outside") for name in OUTSIDE},
    "link in a zip": (zipped(link_in_zip()), "is a link or a device"),
    "symbolic link": (tarred(linked("x", tarfile.SYMTYPE)), "is a link or a device"),
    "hard link": (tarred(("y", b"1"), linked("x", tarfile.LNKTYPE, "y")), "is a link or a device"),
    "link, then a file in it": (tarred(linked("x", tarfile.SYMTYPE, "/tmp"), ("x/y", b"")), "is a link or a device"),
    "device": (tarred(linked("x", tarfile.CHRTYPE)), "is a link or a device"),
    "pipe": (tarred(linked("x", tarfile.FIFOTYPE)), "is a link or a device"),
    "twice in a tar": (tarred(("x", b"1"), ("./x", b"2")), "'x' stands in it twice"),
    "file and folder": (tarred(("x", b"1"), ("x/y", b"2")), "'x/y' stands in it twice"),
    "bomb": (zipped(("x", bytes(400_000))), "it has more than 20 files or 0.3 MB in it"),
    "bomb of tar": (tarred(("x", bytes(400_000))), "it has more than 20 files or 0.3 MB in it"),
    "bomb of many": (zipped(*((f"{i}", b"") for i in range(21))), "it has more than 20 files"),
    "bomb of a header": (tarred((LONG, b"")), "claims to be far too long"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_leaves_nothing(name, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "SMALL", 300_000)
    monkeypatch.setattr(unpacking, "FILES", 20)
    content, message = HOSTILE[name]
    (tmp_path / "in").mkdir()
    with pytest.raises(unpacking.UnusableError, match=message):
        unpack(content, tmp_path / "in" / "data")
    assert names(tmp_path) == ["in/archive"] and list((tmp_path / "in" / "data").iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_is_refused(tmp_path):
    with pytest.raises(unpacking.UnusableError, match="'x' stands in it twice"):
        unpack(zipped(("x", b"1"), ("x", b"2")), tmp_path / "data")


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_a_damaged_archive_leaves_nothing(form, tmp_path):
    content = FORMS[form]
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    after_a_file = FORMS["tar"][: 512 + 512 * 196]
    changed = [content[:-9], flipped] if form != "tar" else [after_a_file, after_a_file + b"x" * 512]
    for damaged in (*changed, content[:middle], content[:300], b"", b"no archive"):
        with pytest.raises(unpacking.UnusableError, match="is damaged, or no ZIP or tar file"):
            unpack(damaged, tmp_path / "data")
        assert list((tmp_path / "data").iterdir()) == []


def test_nothing_is_overwritten_and_equal_files_are_no_matter(tmp_path):
    folder = tmp_path / "data"
    (folder / "eye").mkdir(parents=True)
    mine = folder / "eye" / "Ä b.mat"
    mine.write_text("mine")
    with pytest.raises(ValueError, match="b.mat is there already, and is another one. Move it away"):
        unpack(FORMS["zip"], folder)
    assert names(folder) == ["eye/Ä b.mat"] and mine.read_text() == "mine"
    mine.write_text("2")
    before = mine.stat().st_ino
    assert len(unpack(FORMS["zip"], folder)) == 3 == len(names(folder))
    assert mine.stat().st_ino == before


def test_a_full_disk_leaves_nothing_of_an_archive(tmp_path, monkeypatch):
    with room_for(150_000), pytest.raises(OSError, match="Make room and try again"):
        unpack(zipped(("a", bytes(100_000)), ("b", bytes(200_000))), tmp_path / "data")
    assert names(tmp_path / "data") == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=299_999))
    with pytest.raises(OSError, match="0 MB are needed"):
        unpack(zipped(("a", bytes(100_000)), ("b", bytes(200_000))), tmp_path / "data")
    assert names(tmp_path / "data") == []
