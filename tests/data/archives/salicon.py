import numpy as np
import scipy.io

from archives import SIZE, structures, write_image

OPTIONS = {"edition": 2017}
# Image -> the bright pixels that each observer looked at.
LOOKED = {
    "train/COCO_train2014_000000000009.jpg": [[(0, 0), (31, 23)], [(5, 7)]],
    "train/COCO_train2014_000000000025.jpg": [[(30, 2)]],
    "val/COCO_val2014_000000000042.jpg": [[(3, 20), (4, 9), (3, 20)]],
    "val/COCO_val2014_000000000073.jpg": [[], [(12, 0), (13, 23)]],
}
EXPECTED = {name: [pixel for pixels in observers for pixel in pixels] for name, observers in LOOKED.items()}
SKIPPED = [
    "1 images have no file in ",
    "the fixations of the official test split are withheld",
    "COCO_train2014_000000000025.jpg: 1 of 2 fixations are outside the image",
]


def write(directory):
    for name, observers in LOOKED.items():
        write_image(directory / "images" / name, EXPECTED[name])
        path = (directory / "fixations" / name).with_suffix(".mat")
        path.parent.mkdir(parents=True, exist_ok=True)
        # The 2017 edition leaves the picture.
        outside = [(-3, 5)] if name.endswith("25.jpg") else []
        gaze = [observer(outside + pixels) for pixels in observers]
        scipy.io.savemat(path, {"image": path.stem, "resolution": np.array([SIZE], "uint16"), "gaze": structures(gaze)})
    write_image(directory / "images" / "val" / "COCO_val2014_000000000099.jpg")
    write_image(directory / "images" / "test" / "COCO_test2014_000000000001.jpg")
    (directory / "fixations" / "train" / "._COCO_train2014_000000000009.mat").write_bytes(b"macOS")


def observer(pixels):
    one_based = np.array(pixels, "uint16").reshape(-1, 2) + 1 if (-3, 5) not in pixels else np.array(pixels, float) + 1
    location = np.array([[1.0, 1.0], [640.0, 480.0]])
    return {"location": location, "timestamp": np.array([[0.0], [16.0]]), "fixations": one_based}


def spoil(change):
    def spoiled(directory):
        path = directory / "fixations" / "val" / "COCO_val2014_000000000042.mat"
        scipy.io.savemat(path, change)

    return spoiled


FAULTS = {
    "no gaze": (spoil({"I": np.eye(3)}), r"000042.mat has not .* a variable 'gaze', and it holds I"),
    "no fixations": (spoil({"gaze": structures([{"location": np.eye(2)}])}), r"000042.mat has not .* gaze\(observer\)"),
    "three columns": (spoil({"gaze": structures([{"fixations": np.eye(3)}])}), r"000042.mat has not .* N x 2"),
    "no fixations at all": (
        lambda directory: (directory / "fixations").rename(directory / "f"),
        "fixations is missing",
    ),
    "no image": (lambda directory: (directory / "images" / "val").rename(directory / "v"), "2 of 4 images of .*42"),
}
