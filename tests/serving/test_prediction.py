import numpy as np
import pytest
import skimage.data
from PIL import Image

import keras_saliency as ks
from keras_saliency.serving import prediction


@pytest.fixture(scope="module")
def network(tiny_backbone):
    return ks.create_model(backbone=tiny_backbone, input_size=(64, 96))


def test_no_image_in_a_folder_is_passed_over_silently(network, tmp_path):
    picture = Image.fromarray(skimage.data.cat()[::8, ::8])
    for name in ("a.webp", "b.gif", "c.bmp", "d.JPEG", "e.png", "f.tif", "e.tiff"):
        picture.save(tmp_path / name)
    (tmp_path / "g.heic").write_bytes(b"....ftypheic")
    (tmp_path / "notes.txt").write_text("no image")
    written, skipped = prediction.predict_files(network, [tmp_path], tmp_path / "maps")
    assert [path.name for path in written] == [f"{name}_saliency.png" for name in "abcde"]
    for line, name in zip(skipped, ("e.tiff", "f.tif", "g.heic"), strict=True):
        assert line.startswith(f"{tmp_path / name}: the image cannot be decoded (Unknown image file format.")
        assert line.endswith("Save it again as PNG or JPEG.")
    with pytest.raises(OSError, match=r"f.tif: the image cannot be decoded .*Save it again as PNG or JPEG"):
        prediction.predict(network, tmp_path / "f.tif")
    np.testing.assert_array_equal(prediction.predict(network, tmp_path / "e.png").shape, picture.size[::-1])
