import numpy as np
import scipy.io

from archives import structures, write_image

# Split -> image -> where each observer looked, one after the other.
LOOKED = {
    "training": {"sun_aaa": [[(0, 0), (31, 23)], [(5, 7)]], "sun_bbb": [[(30, 2)]], "sun_nobody": []},
    "validation": {"sun_ccc": [[(3, 20), (4, 9), (3, 20)], []], "sun_ddd": [[(12, 0)], [(13, 23), (40, 3)]]},
}
EXPECTED = {
    f"{name}.jpg": [(x, y) for pixels in observers for x, y in pixels if x < 32]
    for images in LOOKED.values()
    for name, observers in images.items()
    if name != "sun_nobody"
}
SKIPPED = [
    "sun_nobody.jpg: the image has no fixations",
    "the fixations of the official test split are withheld",
    "sun_ddd.jpg: 1 of 3 fixations are outside the image",
]


def write(directory):
    for split, images in LOOKED.items():
        save(directory, split, split, list(map(entry, images.items())))
        for name in images:
            write_image(directory / "images" / f"{name}.jpg", EXPECTED.get(f"{name}.jpg", ()))
    write_image(directory / "images" / "sun_eee.jpg")  # of the test split
    scipy.io.savemat(directory / "testing.mat", {"testing": structures([{"image": "sun_eee"}]).T})


def entry(item):
    name, observers = item
    # Coordinates have no offset: these are within the pixels.
    gaze = [{"fixation": np.array(pixels, float).reshape(-1, 2) + 0.25} for pixels in observers]
    gaze = structures(gaze) if gaze else np.empty((0, 0), [("fixation", object)])
    return {"image": name, "resolution": np.array([[24, 32]]), "gaze": gaze}


def save(directory, split, variable, entries):
    scipy.io.savemat(directory / f"{split}.mat", {variable: structures(entries).T})


def spoil(variable, **change):
    def spoiled(directory):
        entries = [{**entry(item), **change} for item in LOOKED["validation"].items()]
        save(directory, "validation", variable, entries)

    return spoiled


FAULTS = {
    "another name": (spoil("gaze"), "validation.mat has not .* a variable 'validation', and it holds gaze"),
    "no fixations": (spoil("validation", gaze=np.eye(2)), r"validation.mat has not .*gaze\(observer\).fixation"),
    "transposed": (
        spoil("validation", gaze=structures([{"fixation": np.ones((2, 5))}])),
        r"validation.mat has not .*a matrix N x 2 of \(x, y\)",
    ),
    "no file": (lambda directory: (directory / "training.mat").unlink(), "training.mat is missing"),
    "no image": (
        lambda directory: (directory / "images" / "sun_ccc.jpg").unlink(),
        "images of .*, the first is 'sun_ccc",
    ),
}
