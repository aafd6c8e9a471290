"""SALICON of 2015 or of 2017: the files are called alike."""

import itertools

import numpy as np

from keras_saliency.data.doctor.finding import EXAMPLES, PICTURES, Examined, Found
from keras_saliency.data.matlab import load_matlab
from keras_saliency.data.names import files_below

OTHER = {"2015": "2017", "2017": "2015"}
SIZE = (640, 480)
FILES, FEW = 20, 1000  # that are looked at, and the samples in them by which one tells


def other_edition(examined: Examined) -> Found | None:
    """Samples of the mouse, or fixations, that leave the picture are those of 2017; in those of 2015 none do."""
    facts = examined.data.facts if examined.data else None
    said = str(facts.edition) if facts else None
    if examined.name != "salicon" or said not in OTHER:
        return None
    words = {"said": said, "looks": OTHER[said]}
    outside = {examined.samples[i].name: int(count) for i, count in examined.outside["image"].value_counts().items()}
    leaving, samples = _samples(examined.directory, said)
    found = leaving or outside
    if said == "2015" and found:
        texts = [f"{name}: {count} outside the picture" for name, count in found.items()]
        shown = [sample for sample in examined.samples if sample.name in outside]
        of = FILES if leaving else len(examined.samples)
        return Found(len(found), max(of, len(found)), texts[:EXAMPLES], shown[:PICTURES], words=words)
    if said == "2017" and samples >= FEW and not leaving:
        return Found(1, 1, [f"none of {samples} samples leaves the picture"], words=words)
    return None


def _samples(directory, edition):
    """The files with samples that leave the picture, and how many do; and the number of all samples looked at."""
    leaving, samples = {}, 0
    paths = () if directory is None else files_below(directory)
    chosen = (p for p in paths if p.suffix == ".mat" and "fixations" in p.parts and OTHER[edition] not in p.parts)
    for path in itertools.islice(chosen, FILES):
        for recording in np.atleast_1d(load_matlab(directory / path, "gaze")):
            places = np.atleast_2d(np.asarray(recording["location"], "float64"))
            if places.shape[1] != 2:
                continue
            out = int(((places < 1) | (places > SIZE)).any(axis=1).sum())
            samples += len(places)
            if out:
                leaving[str(path)] = leaving.get(str(path), 0) + out
    return leaving, samples
