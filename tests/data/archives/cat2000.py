import numpy as np
import scipy.io

from archives import SIZE, write_image

# One-based whole pixels are not told apart in a map, and neither is their order: they come row after row.
EXPECTED = {
    "Action/001.jpg": [(31, 0), (4, 9), (0, 23)],
    "Action/003.jpg": [(7, 7)],
    "Satelite/001.jpg": [(0, 0), (31, 23)],
    "Social/102.jpg": [(15, 2), (16, 2)],
}
SKIPPED = [
    "allFixData.mat is not read",
    "1 images have no file in FIXATIONLOCS, the first is Social/150",
    "FIXATIONLOCS has no column observer",
]


def write(directory):
    for name, pixels in EXPECTED.items():
        write_image(directory / "trainSet" / "Stimuli" / name, pixels)
        category, file = name.split("/")
        write_image(directory / "trainSet" / "Stimuli" / category / "Output" / file)
        write_image(directory / "trainSet" / "Stimuli" / category / "Output" / f"{file[:-4]}_SaliencyMap.jpg")
        locations = np.zeros(SIZE, "uint8")
        for column, row in pixels:
            locations[row, column] = 1
        save(directory, category, file[:-4], {"fixLocs": locations})
    write_image(directory / "trainSet" / "Stimuli" / "Social" / "150.jpg")
    (directory / "trainSet" / "allFixData.mat").write_bytes(b"a containers.Map")


def save(directory, category, stem, content):
    folder = directory / "trainSet" / "FIXATIONLOCS" / category
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / f"{stem}.mat", content, do_compression=True)


def spoil(content):
    return lambda directory: save(directory, "Action", "003", content)


FAULTS = {
    "another name": (spoil({"I": np.eye(3)}), "Action/003.mat has not .* a variable 'fixLocs', and it holds I"),
    "a density": (spoil({"fixLocs": np.full(SIZE, 0.5)}), "Action/003.mat has not .* a matrix of zeros and ones"),
    "a picture too few": (
        lambda directory: (directory / "trainSet" / "Stimuli" / "Action" / "003.jpg").unlink(),
        "1 of 4 images of FIXATIONLOCS .*'Action/003.jpg'",
    ),
    "no fixations": (
        lambda directory: (directory / "trainSet" / "FIXATIONLOCS").rename(directory / "F"),
        "FIXATIONLOCS",
    ),
}
