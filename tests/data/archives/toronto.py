import numpy as np
import scipy.io

from archives import SIZE, cells, write_image

EXPECTED = {
    "1.jpg": [(0, 0), (5, 7), (31, 23)],  # row by row: nothing tells another order
    "2.jpg": [(30, 2)],
    "3.jpg": [(12, 0), (13, 23)],
    "5.jpg": [(7, 9)],
}
SKIPPED = [
    "4.jpg: the image has no fixations",
    "origfixdata.mat has no column observer",
    "6.jpg: the image is (24, 32), and its fixations were recorded on (24, 31)",
]
FOLDER = "eyetrackingdata/fixdens"


def write(directory, scale=1, variable="white"):
    maps = []
    for name in (f"{i}.jpg" for i in range(1, 7)):
        write_image(directory / FOLDER / "Original Image Set" / name, EXPECTED.get(name, ()))
        pixels = np.zeros(SIZE, "uint8")
        for column, row in EXPECTED.get(name, ()):
            pixels[row, column] = 1
        maps.append(pixels)
    maps[5] = maps[0][:, :-1]
    maps[0] = scale * maps[0]
    scipy.io.savemat(directory / FOLDER / "origfixdata.mat", {variable: cells(maps).T})


FAULTS = {
    "densities": (lambda d: write(d, scale=np.linspace(0, 1, SIZE[1])), r"origfixdata.mat has not .* a binary map"),
    "another variable": (
        lambda d: write(d, variable="black"),
        r"origfixdata.mat has not .* 'white', and it holds black",
    ),
    "no image": (
        lambda d: (d / FOLDER / "Original Image Set" / "3.jpg").unlink(),
        r"1 of 5 images of origfixdata.mat .* '3.jpg'",
    ),
    "not unpacked": (lambda d: (d / FOLDER / "origfixdata.mat").unlink(), r"origfixdata.mat is missing"),
}
