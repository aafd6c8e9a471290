import shutil

import cv2
import numpy as np
import scipy.io

from archives import SIZE, write_image

# Order is not known: row after row. Frames into which nobody looked are kept.
EXPECTED = {
    "0001/0001": [],
    "0001/0002": [(31, 0), (4, 9)],
    "0001/0003": [(4, 9)],
    "0002/0001": [(0, 23)],  # of MAT files under fixation/maps
    "0002/0002": [],
    "0601/0001": [(7, 7)],
    "0601/0002": [(8, 7)],
    "0700/0001": [(1, 2), (3, 4)],  # of MAT files under maps
}
MAT = {"0002": "fixation/maps", "0700": "maps"}
SKIPPED = [
    "the fixations of the official test split are withheld",
    "1 videos are passed over",
    "2 of 8 frames have no fixations",
    "fixation maps tell no observers",
]


def write(directory):
    for name, pixels in EXPECTED.items():
        write_frame(directory / "annotation", name, pixels)
    write_image(directory / "annotation" / "0701" / "images" / "0001.png")  # whose fixations are withheld


def write_frame(directory, name, pixels, size=SIZE, map_size=SIZE):
    video, frame = name.split("/")
    write_image(directory / video / "images" / f"{frame}.png", pixels, size)
    points = np.zeros(map_size, "uint8")
    for column, row in pixels:
        points[row, column] = 255
    folder = directory / video / MAT.get(video, "fixation")
    folder.mkdir(parents=True, exist_ok=True)
    if video in MAT:
        scipy.io.savemat(folder / f"{frame}.mat", {"I": points // 255})
    else:
        cv2.imwrite(str(folder / f"{frame}.png"), points)
    (directory / video / "maps").mkdir(exist_ok=True)  # which are not read
    cv2.imwrite(str(directory / video / "maps" / f"{frame}.png"), cv2.GaussianBlur(points, (0, 0), 2))


def drop(*names):
    def change(directory):
        for name in names:
            (directory / "annotation" / name).unlink()

    return change


def frame(name, **sizes):
    return lambda directory: write_frame(directory / "annotation", name, [(4, 9)], **sizes)


def blur(directory):
    path = str(directory / "annotation" / "0001" / "fixation" / "0002.png")
    cv2.imwrite(path, cv2.GaussianBlur(cv2.imread(path, cv2.IMREAD_GRAYSCALE), (0, 0), 2))


def other_variable(directory):
    scipy.io.savemat(directory / "annotation" / "0700" / "maps" / "0001.mat", {"J": np.eye(3)})


FAULTS = {
    "a frame without a map": (
        drop("0001/fixation/0002.png"),
        "0001: 1 of 3 frames have no fixation map, the first is .*images/0002.png",
    ),
    "a map without a frame": (
        drop("0001/images/0003.png"),
        "0001: 1 of 3 maps have no frame, the first is .*fixation/0003.png",
    ),
    "frames of changing size": (
        frame("0001/0003", size=(24, 40), map_size=(24, 40)),
        r"0001/images/0003.png is \(24, 40\), and other frames of the video are \(24, 32\)",
    ),
    "a map of another size": (
        frame("0001/0003", map_size=(24, 40)),
        r"0003.png is \(24, 32\) and its fixation map \(24, 40\)",
    ),
    "a video of no frame": (
        drop(*(f"0001/images/000{i}.png" for i in (1, 2, 3))),
        "0001/images has no frames. Make them from the video",
    ),
    "a video of no map": (
        lambda directory: shutil.rmtree(directory / "annotation" / "0601" / "fixation"),
        "0601 has no fixation maps. Expected one of fixation/.*png, fixation/maps/.*mat, maps/.*mat",
    ),
    "a gap": (drop("0001/images/0002.png", "0001/fixation/0002.png"), "0001: after frame 1 comes frame 3"),
    "two of a number": (
        lambda directory: write_image(directory / "annotation" / "0001" / "images" / "1.png"),
        "0001.png and .*1.png have one number. Keep one of them",
    ),
    "no number": (
        lambda directory: write_image(directory / "annotation" / "0001" / "images" / "first.png"),
        "first.png has no number",
    ),
    "a density": (blur, "0002.png has .* levels, and a map of fixations two"),
    "another variable": (other_variable, "0001.mat has not the expected form: a variable 'I', and it holds J"),
    "no image": (
        lambda directory: (directory / "annotation" / "0001" / "images" / "0002.png").write_bytes(b"none"),
        "0002.png cannot be read: it is no PNG or JPEG file",
    ),
    "another folder": (
        lambda directory: (directory / "annotation" / "new").mkdir(),
        "new is no video of DHF1K. Expected folders 0001 to 0700",
    ),
    "withheld alone": (
        lambda directory: (
            [shutil.rmtree(path) for path in (directory / "annotation").glob("0[0-6]*")]
            + [shutil.rmtree(directory / "annotation" / "0700")]
        ),
        "has no videos 0001 to 0700, whose fixations are public",
    ),
    "nothing": (
        lambda directory: (directory / "annotation").rename(directory / "x"),
        "annotation is missing, or has no videos. Unpack",
    ),
}
