"""eyevis: 34 web pages as screenshots of the whole page, up to 20 users with tasks (University of Koblenz, 2018)."""

from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import BLUR, Geometry
from keras_saliency.data.recordings import make_data
from keras_saliency.data.splits import by_hash
from keras_saliency.data.table_files import read_columns

GAZE = {
    "image": "filename",
    "page": "web_group_id",
    "group": "web_id",
    "observer": "user_id",
    "x": "x",
    "y": "y",
    "time": "timestamp",
    "duration": "duration",
}
PAGES = {"page": "web_group_id", "width": "width", "height": "height"}
GEOMETRY = Geometry(blur=BLUR * 1918)  # the width of all pages
UNKNOWN = -1  # of durations
SHARES = {"validation": 0.2}  # of the sites, of whose pages some are not for tests


def read(directory: Path) -> DataSet:
    """Reads `gaze.csv`, `metadata.csv` and `images/img_NAME.jpg`.

    Coordinates are whole pixels of the whole page, scrolling included, from zero; a fixation is at the centre of its
    pixel. One in 25 is off the image, some at negative places, and left out. Durations end at 800 ms, where they were
    cut; -1 stands for an unknown one, NaN here. Users scrolled and had tasks, and nobody saw a whole page.

    All pages are 1918 pixels wide and 968 to 20,168 high. A degree is the same on each, however long it is, but not
    known: the ground-truth blur is 3.5 % of the width, 67 pixels, where other data sets take it of the longer side.

    Test: every third page in the order of names, from the first. Of the others those of one site are together in
    training or in validation, by the hash of the site, which is the group of its samples. Seven sites have pages in
    the test split and outside it.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a table has another form, or a page no row in `metadata.csv`: names it.
    """
    path = directory / "gaze.csv"
    table = read_columns(path, GAZE, ("x", "y", "time", "duration"))
    table["duration"] = table["duration"].mask(table["duration"] == UNKNOWN)
    table[["time", "duration"]] /= 1000
    table[["x", "y"]] += 0.5
    table["image"] = "img_" + table["image"]
    pages = read_columns(directory / "metadata.csv", PAGES, ("width", "height")).set_index("page")
    strays = sorted(set(table["page"]) - set(pages.index))
    if strays:
        raise ValueError(f"{directory / 'metadata.csv'} has no row of web_group_id {strays[0]}, which is in {path}.")
    first = table.drop_duplicates("image").set_index("image").sort_index()
    rest = first.iloc[[i for i in range(len(first)) if i % 3]]
    parts = dict.fromkeys(first.index, "test") | dict(
        zip(rest.index, by_hash(list(rest["group"]), SHARES), strict=True)
    )
    table["split"] = table["image"].map(parts)
    sizes = {row.Index: (int(row.height), int(row.width)) for row in first.join(pages, on="page").itertuples()}
    return make_data("eyevis", table, path.name, directory / "images", GEOMETRY, sizes)
