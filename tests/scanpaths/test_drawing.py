"""Scanpaths over photographs: files, and what is not overwritten."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from keras_saliency.scanpaths import SaccadeModel, Saccades
from keras_saliency.scanpaths.drawing import draw_scanpaths
from keras_saliency.serving.photographs import find_images


class Flat:
    """A source that knows nothing."""

    name = "flat"

    def predictions(self, samples):
        for sample in samples:
            self.size = sample.size
            yield np.full(sample.size, -np.log(sample.size[0] * sample.size[1])), True, False


@pytest.fixture
def photographs(tmp_path, rng):
    folder = tmp_path / "photographs"
    (folder / "deep").mkdir(parents=True)
    for name, size in {"one.png": (60, 90), "deep/large.png": (1100, 2000)}.items():
        Image.fromarray(rng.integers(0, 256, (*size, 3)).astype("uint8")).save(folder / name)
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def test_scanpaths_are_drawn_and_written(photographs, tmp_path):
    source, out = Flat(), tmp_path / "out"
    drawn = draw_scanpaths(SaccadeModel(source, Saccades()), [photographs], out, n=3, length=5)
    assert [path.relative_to(out).as_posix() for path in drawn.written] == [
        "deep/large_scanpaths.csv",
        "one_scanpaths.csv",
    ]
    assert len(drawn.skipped) == 1 and "broken.png" in drawn.skipped[0]
    small, large = (pd.read_csv(out / name) for name in ("one_scanpaths.csv", "deep/large_scanpaths.csv"))
    assert list(small.columns) == ["scanpath", "fixation", "x", "y"] and len(small) == 15
    assert small["x"].between(0, 89.99).all() and small["y"].between(0, 59.99).all()
    # Seen smaller, and told in pixels of the photograph.
    assert large["x"].max() > 1024 and large["x"].between(0, 1999.99).all()
    np.testing.assert_allclose(large[large["fixation"] == 1][["x", "y"]], [[1000, 550]] * 3, atol=1)
    with Image.open(out / "one_scanpaths.png") as figure:
        assert abs(figure.width / figure.height - 1.5) < 0.02
        pixels = np.asarray(figure.convert("RGB")).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).mean() > 0.001  # colours over grey


def test_what_is_there_is_kept(photographs, tmp_path):
    model = SaccadeModel(Flat(), Saccades())
    draw_scanpaths(model, [photographs / "one.png"], tmp_path, n=1, length=2)
    before = (tmp_path / "one_scanpaths.csv").read_bytes()
    with pytest.raises(FileExistsError, match="one_scanpaths"):
        draw_scanpaths(model, [photographs / "one.png"], tmp_path, n=1, length=2, seed=1)
    draw_scanpaths(model, [photographs / "one.png"], tmp_path, n=1, length=2, seed=1, existing="resume")
    assert (tmp_path / "one_scanpaths.csv").read_bytes() == before
    draw_scanpaths(model, [photographs / "one.png"], tmp_path, n=1, length=2, seed=1, existing="overwrite")
    assert (tmp_path / "one_scanpaths.csv").read_bytes() != before


def test_figures_are_no_photographs(photographs):
    draw_scanpaths(SaccadeModel(Flat(), Saccades()), [photographs / "one.png"], photographs, n=1, length=2)
    assert (photographs / "one_scanpaths.png").is_file()
    assert [path.name for path, _ in find_images([photographs])] == ["broken.png", "large.png", "one.png"]


@pytest.mark.parametrize("size", [(1, 3000), (1500, 4)])
def test_odd_shapes_have_figures_of_bounded_size(size, tmp_path):
    Image.fromarray(np.zeros((*size, 3), "uint8")).save(tmp_path / "odd.png")
    drawn = draw_scanpaths(SaccadeModel(Flat(), Saccades()), tmp_path / "odd.png", tmp_path / "out", n=1, length=3)
    assert len(drawn.written) == 1
    with Image.open(tmp_path / "out" / "odd_scanpaths.png") as figure:
        assert max(figure.size) <= 1100 and min(figure.size) >= 1


def test_what_the_model_cannot_see_is_skipped(photographs, tmp_path):
    class Blind(Flat):
        def predictions(self, samples):
            raise ValueError("too small")
            yield

    drawn = draw_scanpaths(SaccadeModel(Blind(), Saccades()), [photographs], tmp_path / "out", n=1, length=3)
    assert not drawn.written and any("one.png: too small" in line for line in drawn.skipped)


@pytest.mark.parametrize(("n", "length"), [(0, 5), (3, 0)])
def test_no_scanpaths_cannot_be_drawn(n, length, photographs, tmp_path):
    with pytest.raises(ValueError, match="At least one scanpath"):
        draw_scanpaths(SaccadeModel(Flat(), Saccades()), [photographs], tmp_path, n=n, length=length)
