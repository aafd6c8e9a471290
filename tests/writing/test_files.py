"""Files are there whole or not at all."""

import errno
import re

import pytest

from keras_saliency.reporting.results import read_result
from keras_saliency.writing.files import delete_own, naming, part_of, whole, write_whole


def test_what_stood_there_stands_there_until_the_new_file_is_complete(tmp_path):
    file = tmp_path / "result.json"
    write_whole(file, "old")
    with pytest.raises(OSError, match="full"), whole(file) as part:
        part.write_text("ne")
        raise OSError("the disk is full")
    assert file.read_text() == "old"
    with whole(file) as part:
        part.write_text("new")
        assert part.suffix == file.suffix and file.read_text() == "old"
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


def test_folders_are_whole_too(tmp_path):
    folder = tmp_path / "served" / "1"
    part_of(folder).mkdir(parents=True)
    (part_of(folder) / "half").touch()  # as a killed process leaves it
    with pytest.raises(OSError, match="full"), whole(folder) as part:
        part.mkdir()
        (part / "saved_model.pb").touch()
        raise OSError("the disk is full")
    assert list(folder.parent.iterdir()) == []
    with whole(folder) as part:
        part.mkdir()
        (part / "saved_model.pb").touch()
    assert [path.name for path in folder.iterdir()] == ["saved_model.pb"]
    with pytest.raises(OSError), whole(folder) as part:
        part.mkdir()
    assert [path.name for path in folder.iterdir()] == ["saved_model.pb"]


def test_a_full_disk_is_one_error_that_names_the_file(tmp_path):
    said = r"No space left on device. Make room and try again: '.*report.md'"
    with pytest.raises(OSError, match=said) as error, whole(tmp_path / "report.md") as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.errno == errno.ENOSPC and list(tmp_path.iterdir()) == []


def test_what_others_have_put_into_a_folder_stays(tmp_path):
    for name in ("train/tap0.npy", "train/notes.txt", "validation/tap0.npy", "mine/tap0.npy"):
        (tmp_path / "features" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "features" / name).touch()
    own = re.compile(r"(train|validation)(/tap\d+\.npy)?")
    delete_own(tmp_path / "features", own)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"features/train/notes.txt", "features/mine/tap0.npy"}
    assert not (tmp_path / "features" / "validation").exists()
    (tmp_path / "own" / "train").mkdir(parents=True)
    delete_own(tmp_path / "own", own)
    delete_own(tmp_path / "own", own)
    assert not (tmp_path / "own").exists()


GARBLED = ["", '{"scores": {"nss"', "[]", "{}", '{"scores": 3}', '{"scores": {"nss": 1}}', "[" * 100_000]


@pytest.mark.parametrize("text", GARBLED, ids=lambda text: text[:20])
def test_what_cannot_be_read_is_named_with_its_remedy(text, tmp_path):
    file = tmp_path / "result.json"
    assert read_result(file) is None
    file.write_text(text)
    with pytest.raises(ValueError, match=r"result.json cannot be used \(.*\). Delete it and train again") as error:
        read_result(file)
    assert "\n" not in str(error.value)


def test_errors_of_several_lines_become_one():
    with (
        pytest.raises(ValueError, match=r"^file cannot be used \(OSError: a b\). Do this.$"),
        naming("file", "Do this."),
    ):
        raise OSError("a\n  b")
