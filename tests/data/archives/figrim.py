from itertools import chain

import numpy as np
import scipy.io

from archives import structures, write_image

# Picture -> category, and what each observer looked at; None: did not see it.
LOOKED = {
    "sun_a.jpg": ("highway", [[(0, 0), (31, 23)], None, [(5, 7)]]),
    "sun_b.jpg": ("highway", [None, [(30, 2)], None]),
    "sun_c.jpg": ("mountain", [None, None, None]),
    "sun_d.jpg": ("mountain", [[(12, 0), (13, 23), (12, 0)], [(4, 4)], []]),
}
EXPECTED = {
    f"{category}/{name}": [*chain(*filter(None, observers))]
    for name, (category, observers) in LOOKED.items()
    if any(observers)
}
SKIPPED = [
    "sun_c.jpg: the image has no fixations",
    "highway/sun_b.jpg: 1 of 2 fixations are outside the image",
]


def write(directory, file="allImages_release.mat", folder="Targets", change=lambda rows: rows):
    images = []
    for name, (category, observers) in LOOKED.items():
        write_image(directory / folder / category / name, [*chain(*filter(None, observers))])
        userdata = structures([of_user(seen, name, change) for seen in observers])
        images.append({"filename": name, "category": category, "impath": f"{folder}/{category}", "userdata": userdata})
    scipy.io.savemat(directory / file, {"allImages": structures(images)})


def of_user(seen, name, change):
    """What the first showing has; in others the user looked elsewhere."""
    if seen is None:
        return {"trial": [], "fixations": [], "SDT": []}
    # Floats whose rounded values are pixels from one; one is outside.
    rows = np.array(seen, "float64").reshape(-1, 2) + 1 + [0.4, -0.4]
    rows = np.concatenate([[(0.4, 5.0)], rows]) if name == "sun_b.jpg" else rows
    fixations = {"enc": change(rows), "rec": np.full((1, 2), 10.0), "rec2": []}
    return {"trial": 1, "fixations": fixations, "SDT": [[4, 1, 0]]}


FAULTS = {
    "x alone": (
        lambda d: write(d, change=lambda rows: rows[:, 0].tolist()),
        r"allImages_release.mat has not .*\(x, y\)",
    ),
    "no data": (lambda d: (d / "allImages_release.mat").unlink(), r"allImages_release.mat is missing"),
    "no image": (lambda d: (d / "Targets/highway/sun_a.jpg").unlink(), r"1 of 3 images .* 'sun_a.jpg'"),
    "another form": (
        lambda d: scipy.io.savemat(d / "allImages_release.mat", {"allImages": structures([{"filename": "sun_a.jpg"}])}),
        r"allImages_release.mat has not .*userdata\(observer\).fixations.enc",
    ),
}
