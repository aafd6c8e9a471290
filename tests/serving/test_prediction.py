import numpy as np
import pytest
from PIL import Image

from keras_saliency.data import geometry
from keras_saliency.serving import prediction


def test_a_photograph_is_read_as_training_reads_it(tmp_path, rng):
    pixels = np.uint8(rng.integers(0, 256, (40, 60, 3)))
    for name, options in {"a.jpg": {"quality": 80}, "b.png": {}}.items():
        Image.fromarray(pixels).save(tmp_path / name, **options)
        expected = geometry.decode((tmp_path / name).read_bytes()).numpy()
        np.testing.assert_array_equal(prediction.read_photograph(tmp_path / name), expected)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(prediction.read_photograph(tmp_path / "grey.png"), pixels[..., :1].repeat(3, 2))


def test_a_photograph_is_turned_upright(tmp_path, rng):
    pixels = np.uint8(rng.integers(0, 256, (40, 60, 3)))
    exif = Image.Exif()
    exif[prediction.ORIENTATION] = 6  # to be turned by a quarter clockwise
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(prediction.read_photograph(tmp_path / "turned.png"), np.rot90(pixels, -1))


def test_a_broken_photograph_is_an_error(tmp_path, rng):
    Image.fromarray(np.uint8(rng.integers(0, 256, (40, 60, 3)))).save(tmp_path / "whole.jpg")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:500])
    with pytest.raises(OSError):
        prediction.read_photograph(tmp_path / "broken.jpg")
