"""MIT300: 300 photographs, 39 observers, 3 s of free viewing, set up as MIT1003, whose fixations are withheld."""

from pathlib import Path

from keras_saliency.data.published.mit1003 import PIXELS_PER_DEGREE
from keras_saliency.data.published.withheld import withheld_samples
from keras_saliency.data.samples import Samples

COUNT = 300


def images(directory: Path) -> Samples:
    """The images `BenchmarkIMAGES/i1.jpg` to `i300.jpg`, in the order of their numbers, without fixations.

    Raises:
        FileNotFoundError: If images are missing.
        ImageError: If an image cannot be decoded.
    """
    names = [f"i{number}.jpg" for number in range(1, COUNT + 1)]
    files = {name: directory / "BenchmarkIMAGES" / name for name in names}
    return withheld_samples("mit300", files, PIXELS_PER_DEGREE, PIXELS_PER_DEGREE)
