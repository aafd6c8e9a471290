import pytest
from archives import write_image
from PIL import Image

import keras_saliency as ks
from keras_saliency.data.published import SUBMITTED, cat2000, mit300


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Test sets of few images."""
    monkeypatch.setattr(mit300, "COUNT", 12)
    monkeypatch.setattr(cat2000, "EACH", 2)
    monkeypatch.setattr(cat2000, "CATEGORIES", ("Action", "Pattern"))


def write_mit300(directory):
    for number in range(1, 13):
        write_image(directory / "BenchmarkIMAGES" / f"i{number}.jpg", size=(20 + number, 40))
        write_image(directory / "BenchmarkIMAGES" / "SM" / f"i{number}_SM.jpg")


def write_cat2000(directory):
    for category in ("Action", "Pattern"):
        for number in (101, 134):
            write_image(directory / "testSet" / "Stimuli" / category / f"{number}.jpg", [(3, 5)])
            write_image(directory / "testSet" / "Stimuli" / category / "Output" / f"{number}.jpg")
    turned = directory / "testSet" / "Stimuli" / "Pattern" / "134.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(turned).save(turned, exif=exif, quality=100)


WRITE = {"mit300": write_mit300, "cat2000": write_cat2000}


def test_the_images_of_mit300_are_in_the_order_of_their_numbers(tmp_path):
    write_mit300(tmp_path)
    samples = SUBMITTED["mit300"](tmp_path)
    assert [sample.name for sample in samples] == [f"i{number}.jpg" for number in range(1, 13)]
    assert [sample.size for sample in samples] == [(20 + number, 40) for number in range(1, 13)]
    assert not any(len(sample.fixations) for sample in samples)
    (tmp_path / "BenchmarkIMAGES" / "i7.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"mit300: 1 of 12 images are missing, the first is .*i7\.jpg"):
        SUBMITTED["mit300"](tmp_path)


def test_the_test_images_of_cat2000_are_as_they_are_stored(tmp_path):
    write_cat2000(tmp_path)
    turned = tmp_path / "testSet" / "Stimuli" / "Pattern" / "134.jpg"
    samples = SUBMITTED["cat2000"](tmp_path)
    assert [sample.name for sample in samples] == [
        "Action/101.jpg",
        "Action/134.jpg",
        *("Pattern/101.jpg", "Pattern/134.jpg"),
    ]
    for sample in samples:
        assert sample.size == (24, 32) and sample.read()[5, 3].min() > 200
    assert ks.data.Sample("turned", turned, None, samples[0].fixations, 1.0).read().shape == (32, 24, 3)
    write_image(turned.parent / "200.jpg")
    with pytest.raises(ValueError, match="Pattern has 3 images, and not 2"):
        SUBMITTED["cat2000"](tmp_path)


@pytest.mark.parametrize("name", SUBMITTED)
def test_a_broken_image_is_named(name, tmp_path):
    WRITE[name](tmp_path)
    path = next(tmp_path.rglob("*1.jpg"))
    path.write_bytes(b"no image")
    with pytest.raises(OSError, match="the image cannot be decoded") as error:
        SUBMITTED[name](tmp_path)
    assert path.name in str(error.value)


def test_mit300_is_no_data_set_to_score():
    with pytest.raises(ValueError, match="The fixations of 'mit300' are withheld: .* keras-saliency submit") as error:
        ks.data.load("mit300")
    assert "\n" not in str(error.value)
