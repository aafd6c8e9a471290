"""Files are there whole or not at all."""

import pytest

from keras_saliency.reporting.files import whole, write_whole


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
