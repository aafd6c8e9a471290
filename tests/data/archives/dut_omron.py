import numpy as np
import scipy.io

from archives import SIZE, write_image

# Image -> (observer, column, row) of each fixation: observers from one.
LOOKED = {
    "img_1.jpg": [(2, 0, 0), (1, 31, 23), (2, 5, 7)],
    "img_2.jpg": [(1, 30, 2)],
    "sun_a.jpg": [(5, 12, 0), (5, 13, 23), (4, 12, 0)],
    "sun_b.jpg": [],
    "sun_c.jpg": [(1, 7, 9)],
}
EXPECTED = {
    "img_1.jpg": [(31, 23), (0, 0), (5, 7)],
    "img_2.jpg": [(30, 2)],
    "sun_a.jpg": [(12, 0), (12, 0), (13, 23)],
}
SKIPPED = [
    "mat has fixations on 1 other images, the first is removed",
    "sun_b.jpg: the image has no fixations",
    "sun_c.jpg: the image is (24, 32), and its fixations were recorded on (32, 24)",
]
MAPS = "DUT-OMRON-eye-fixations/mat"


def write(directory, frame=True, columns=3):
    for i, (name, looked) in enumerate(LOOKED.items()):
        write_image(directory / "DUT-OMRON-image" / name, [pixel for _, *pixel in looked])
        # The width comes first, in any row; the numbers have no sign.
        size = SIZE if name == "sun_c.jpg" else SIZE[::-1]
        rows = [(column, row, observer) for observer, column, row in looked]
        rows[i % 2 : i % 2] = [(*size, 0)] * frame
        path = (directory / MAPS / name).with_suffix(".mat")
        path.parent.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(path, {"s": np.array(rows, "uint16").reshape(-1, 3)[:, :columns]})
    scipy.io.savemat(directory / MAPS / "removed.mat", {"s": np.ones((4, 3))})
    (directory / "DUT-OMRON-image" / "._img_1.jpg").write_bytes(b"macOS")
    (directory / MAPS / "._img_1.mat").write_bytes(b"macOS")


FAULTS = {
    "no size": (lambda d: write(d, frame=False), r"img_1.mat has not the expected form: s, a matrix N x 3"),
    "no observers": (lambda d: write(d, columns=2), r"img_1.mat has not the expected form: s, a matrix N x 3"),
    "no fixations": (lambda d: (d / MAPS / "img_2.mat").unlink(), r"img_2.mat is missing"),
    "no images": (lambda d: (d / "DUT-OMRON-image").rename(d / "images"), r"DUT-OMRON-image is missing"),
}
