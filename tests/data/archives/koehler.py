from itertools import chain

import numpy as np
import scipy.io

from archives import write_image

# Image -> the bright pixels that each observer looked at.
LOOKED = {
    "image_r_1.jpg": [[(0, 0), (31, 23)], [(5, 7)]],
    "image_r_2.jpg": [[], [(30, 2)]],
    "image_r_3.jpg": [[], []],
    "image_r_4.jpg": [[(12, 0), (13, 23), (12, 0)], [(4, 4)]],
}
EXPECTED = {name: [*chain(*observers)] for name, observers in LOOKED.items() if any(observers)}
SKIPPED = ["image_r_3.jpg: the image has no fixations"]


def write(directory, change=lambda x, y: (x, y)):
    seen = np.full((2, 2, len(LOOKED), 5), np.nan)  # x and y, observers, images, fixations
    for i, (name, observers) in enumerate(LOOKED.items()):
        write_image(directory / "Images" / name, [*chain(*observers)])
        for j, pixels in enumerate(observers):
            seen[:, j, i, : len(pixels)] = np.array(pixels).reshape(-1, 2).T + 1
    x, y = change(*seen)
    # In the other tasks there were other observers, who looked elsewhere.
    others = {f"{task}_{axis}": np.full((3, 4, 2), 10) for task in ("objsearch", "salview") for axis in "xy"}
    scipy.io.savemat(directory / "ObserverData.mat", {"freeview_x": x, "freeview_y": y, **others})


FAULTS = {
    "one axis shorter": (
        lambda d: write(d, lambda x, y: (x, y[..., :2])),
        r"ObserverData.mat has not .*freeview_x and",
    ),
    "one observer": (lambda d: write(d, lambda x, y: (x[0], y[0])), r"ObserverData.mat has not .* for each observer"),
    "no data": (lambda d: (d / "ObserverData.mat").unlink(), r"ObserverData.mat is missing"),
    "no image": (
        lambda d: (d / "Images" / "image_r_2.jpg").unlink(),
        r"1 of 3 images of ObserverData.mat .*'image_r_2",
    ),
}
