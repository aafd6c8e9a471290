import cv2
import numpy as np

from archives import SIZE, write_image

# Order is not known: row after row.
EXPECTED = {"1.png": [(31, 0), (0, 23)], "2.png": [(5, 6)], "30.png": [(30, 22), (31, 23)]}
SKIPPED = ["fixation maps tell no observers"]
MAPS = "webpage_dataset/fixations/all5"


def write(directory):
    for name, pixels in EXPECTED.items():
        write_image(directory / "webpage_dataset" / "stimuli" / name, pixels)
        for folder in (MAPS, "webpage_dataset/fixations/all1"):
            (directory / folder).mkdir(parents=True, exist_ok=True)
            points = np.zeros(SIZE, "uint8")
            for column, row in pixels[: None if folder == MAPS else 1]:
                points[row, column] = 255
            cv2.imwrite(str(directory / folder / name), points)


def blur(directory):
    points = cv2.imread(str(directory / MAPS / "2.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(directory / MAPS / "2.png"), cv2.GaussianBlur(points, (0, 0), 2))


FAULTS = {
    "a density": (blur, "all5/2.png has .* grey levels, and a map of fixations two"),
    "no maps": (lambda directory: (directory / MAPS).rename(directory / "x"), "has no folder all5 of PNG files"),
    "a map too few": (lambda directory: (directory / MAPS / "30.png").unlink(), "1 of 3 images have no map, .*30.png"),
    "twice": (
        lambda directory: write_image(directory / "stimuli" / "1.png"),
        "has 2 folders stimuli of PNG files: stimuli, webpage_dataset/stimuli",
    ),
}
