"""DUT-OMRON, its fixations: 5,168 photographs, 5 observers each, 2 s of free viewing (Yang et al., CVPR 2013)."""

from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import as_rows, expecting, load_matlab
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import by_observer, pictures_in
from keras_saliency.data.published.making import make_published, unpictured

FORM = "s, a matrix N x 3 of (x, y, observer), in one row of which the observer is 0 and (x, y) the width and height"


def read(directory: Path) -> DataSet:
    """Reads `DUT-OMRON-image/NAME.jpg` and `DUT-OMRON-eye-fixations/mat/NAME.mat`.

    Coordinates are whole pixels from zero; a fixation is at the centre of its pixel. Fixations have an order and no
    times, and the authors have filtered them. The visual angle is not documented: the ground-truth blur is 3.5 % of the
    longer side, 14 pixels, where the authors of MSI-Net take 16. Splits are by the hash of the names of images.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    images, folder = directory / "DUT-OMRON-image", directory / "DUT-OMRON-eye-fixations" / "mat"
    rows, sizes = {}, {}
    for name in pictures_in(images):
        rows[name], sizes[name] = _rows_and_size(folder / f"{Path(name).stem}.mat")
    recordings = [one for name in rows for one in by_observer(name, rows[name])]
    data = make_published("dut-omron", recordings, str(folder), images, Geometry(), sizes=sizes)
    recorded = (path.stem for path in folder.glob("[!.]*.mat"))
    return data.noting(*unpictured(recorded, (Path(name).stem for name in rows), folder.name))


def _rows_and_size(path):
    """Rows (x, y, observer), and the size of the image."""
    contents = load_matlab(path, "s")
    with expecting(path, FORM):
        rows = as_rows(contents, 3)
        frame = rows[:, 2] == 0
        ((width, height, _),) = rows[frame]
        return rows[~frame] + [0.5, 0.5, 0], (int(height), int(width))
