"""FIGRIM: scenes of 1000x1000 seen in a memory game (Bylinskii et al., Vision Research 2015)."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.facts import FACTS
from keras_saliency.data.matlab import expecting, load_matlab
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.making import make_published

# What the pictures are -> the file of their fixations, which lies beside their folder.
FILES = {"targets": ("allImages_release.mat", "Targets"), "fillers": ("allImages_fillers.mat", "Fillers")}
PHASES = ("enc", "rec", "rec2")
# Targets that are the same picture, as the authors say.
TWINS = {
    "sun_bdwttbytrbnqyqsk.jpg": "sun_bnjxztsvnercygxn.jpg",
    "sun_abpqxslcljhrwmck.jpg": "sun_awjucfvtjllxrtkv.jpg",
    "sun_bjitfqyiepkgfkks.jpg": "sun_byoonkqxghujgvkh.jpg",
    "sun_auwrraazjwdcjcjg.jpg": "sun_bwrlzawyknljbhcb.jpg",
    "sun_bgdykfpjgudqpzlu.jpg": "sun_boskvwzgsvsyuhll.jpg",
    "sun_bsccnfecifucnavf.jpg": "sun_bzagimnxconenicn.jpg",
}
FORM = "allImages(image).filename, .userdata(observer).fixations.{phase}, a matrix of (x, y)"


def read(directory: Path, images: str = "targets", phase: str = "enc") -> DataSet:
    """Reads `Targets/CATEGORY/NAME.jpg` and `allImages_release.mat`, or `Fillers/` and `allImages_fillers.mat`.

    Coordinates are one-based: the authors round them to the number of a pixel, which makes x - 0.5 the place. Those
    outside the image are left out, as they do. Fixations have an order and no times. The visual angle is not
    documented: the ground-truth blur is 3.5 % of the side, 35 pixels. Splits are by the hash of the names of images;
    six pairs of targets are the same picture, and on one side.

    Args:
        directory: The folder.
        images: `"targets"`, which were shown three times, or `"fillers"`, shown once.
        phase: Which showing: `"enc"`, the first, or of targets `"rec"` and `"rec2"`, where they were to be recognised.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is not known, or a file has another form: names it.
    """
    for name, value, known in (("images", images, FILES), ("phase", phase, PHASES)):
        if value not in known:
            raise ValueError(f"Unknown {name} {value!r} of FIGRIM. Known: {', '.join(known)}.")
    file, folder = FILES[images]
    path = directory / file
    contents = load_matlab(path, "allImages")
    with expecting(path, FORM.format(phase=phase)):
        recordings = [one for image in np.atleast_1d(contents) for one in _recordings(image, phase)]
    data = make_published("figrim", recordings, path.name, directory / folder, Geometry(), groups=TWINS)
    facts = FACTS["figrim"]
    edition = images if phase == "enc" else f"{images}, {phase}"
    count = facts.images if images == facts.edition else None
    return dataclasses.replace(data, facts=dataclasses.replace(facts, images=count, edition=edition))


def _recordings(image, phase):
    """Those of each observer who saw an image; one without a fixation, where nobody did."""
    seen = [user["fixations"] for user in np.atleast_1d(image["userdata"])]
    # Who did not see it has empty fields.
    looked = {i: each[phase] for i, each in enumerate(seen) if isinstance(each, dict) and np.size(each[phase])}
    for observer, rows in looked.items():
        yield image["filename"], observer, np.atleast_2d(np.asarray(rows, "float64"))[:, [0, 1]] - 0.5
    if not looked:
        yield image["filename"], 0, np.empty((0, 2))
