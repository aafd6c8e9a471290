import h5py
import numpy as np

from archives import SIZE, write_image

# Image -> (observer, column, row) of each fixation, as the file has them: observers from one, some missing.
LOOKED = {
    "1.jpg": [(3, 0, 0), (1, 31, 23), (3, 5, 7), (1, 4, 20)],
    "2.jpg": [(1, 30, 2)],
    "3.jpg": [],
    "4.jpg": [(12, 12, 0), (12, 13, 23), (12, 12, 0)],
    "5.jpg": [(2, 7, 9)],
    "6.jpg": [(2, 7, 9)],
}
EXPECTED = {
    "1.jpg": [(31, 23), (4, 20), (0, 0), (5, 7)],
    "2.jpg": [(30, 2)],
    "4.jpg": [(12, 0), (13, 23), (12, 0)],
    "5.jpg": [(7, 9)],
}
SKIPPED = [
    "3.jpg: the image has no fixations",
    "6.jpg: the image is (24, 32), and its fixations were recorded on (25, 32)",
]
PLACE = "datasets/fixations"


def write(directory, layout=lambda rows: rows.T, cell="fixCell"):
    for name, looked in LOOKED.items():
        write_image(directory / "datasets" / "imgs" / "pascal" / name, [pixel for _, *pixel in looked])
    folder = directory / PLACE
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "pascalFix.mat", "w", userblock_size=512) as file:
        references = []
        for i, looked in enumerate(LOOKED.values()):
            # HDF5 has the axes of a matrix of MATLAB the other way round.
            rows = np.array([(row + 1, column + 1, observer) for observer, column, row in looked], "float64")
            stored = file.create_dataset(f"#refs#/{i}", data=layout(rows) if looked else np.array([0, 0], "uint64"))
            if not looked:
                stored.attrs["MATLAB_empty"] = np.uint8(1)
            references.append(stored.ref)
        file.create_dataset(cell, data=np.array(references, h5py.ref_dtype)[None])
        file[cell].attrs["MATLAB_class"] = np.bytes_("cell")
    with h5py.File(folder / "pascalSize.mat", "w", userblock_size=512) as file:
        sizes = np.tile(np.array(SIZE, "float64")[:, None], len(LOOKED))
        sizes[0, 5] += 1
        file["sizeData"] = sizes


def fewer_sizes(directory):
    with h5py.File(directory / PLACE / "pascalSize.mat", "w") as file:
        file["sizeData"] = np.ones((2, 3))


FAULTS = {
    "not transposed": (lambda d: write(d, lambda rows: rows), r"pascalFix.mat has not .* a matrix N x 3 of \(row"),
    "another variable": (lambda d: write(d, cell="cells"), r"pascalFix.mat cannot .* no variable 'fixCell', and holds"),
    "fewer sizes": (fewer_sizes, r"pascalSize.mat has not the expected form: .* each of 6 images"),
    "an older version": (
        lambda d: (d / PLACE / "pascalFix.mat").write_bytes(b"MATLAB 5.0"),
        r"pascalFix.mat cannot be",
    ),
    "no image": (lambda d: (d / "datasets/imgs/pascal/2.jpg").unlink(), r"1 of 5 images of pascalFix.mat .* '2.jpg'"),
}
