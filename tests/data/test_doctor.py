import io
import json

import cv2
import numpy as np
import pandas as pd
import pytest
import scipy.io
from conftest import REPOSITORY, data_folder, real_data
from PIL import Image

import keras_saliency as ks
from keras_saliency.data import DataSet, Facts, Fixations, Sample, Samples, doctor
from keras_saliency.data.doctor import FAULTS
from keras_saliency.data.exports import read_export

SIZE, IMAGES, OBSERVERS, LENGTH, DEGREE = (60, 80), 12, 5, 8, 4.0
PARTS = {"train": slice(0, 8), "validation": slice(8, 10), "test": slice(10, 12)}


def picture(i, size=SIZE):
    """The bytes of a picture unlike the others."""
    small = np.random.default_rng([7, i]).integers(0, 256, (10, 14, 3), "uint8")
    return cv2.imencode(".png", cv2.resize(small, size[::-1]))[1].tobytes()


def fixations():
    """A table of fixations around the centre: a row for each, in the order of image, observer and time."""
    rng = np.random.default_rng(1)
    image, observer, place = (axis.ravel() for axis in np.mgrid[:IMAGES, :OBSERVERS, :LENGTH])
    spread = np.clip(rng.normal(0.5, 0.2, (2, len(image))), 0.05, 0.95)
    x, y = spread * np.array([[SIZE[1]], [SIZE[0]]])
    return pd.DataFrame({"image": image, "x": x, "y": y, "observer": observer, "time": 0.3 * place, "place": place})


def samples_of(table, images=None, sizes=None):
    images, sizes = images or {}, sizes or {}
    samples = []
    for i in range(IMAGES):
        size = sizes.get(i, SIZE)
        columns = (table.loc[table["image"] == i, name].to_numpy() for name in ("x", "y", "observer", "time"))
        samples.append(Sample(f"{i:02d}.png", images.get(i) or picture(i, size), size, Fixations(*columns), DEGREE))
    return samples


def data_of(table, images=None, sizes=None, name="lab", **options):
    samples = samples_of(table, images, sizes)
    return DataSet(name, **{part: Samples(samples[rows]) for part, rows in PARTS.items()}, **options)


def changed(**columns):
    """The table with other columns, each from a function of the table."""
    table = fixations()
    return table.assign(**{name: change(table) for name, change in columns.items()})


def whole(table, axis):
    """Pixels of the axis counted from one, among them the last one."""
    side = SIZE[axis == "x"]
    pixels = np.floor(table[axis]) + 1
    pixels.iloc[:2] = 1, side
    return pixels


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    written = io.BytesIO()
    Image.open(io.BytesIO(picture(0))).save(written, "JPEG", exif=exif)
    return written.getvalue()


def ringing():
    """What is above zero where ten points were saved as JPEG."""
    rows = []
    for i in range(IMAGES):
        points = np.zeros(SIZE, "uint8")
        points[tuple(np.random.default_rng(i).integers(0, SIZE, (10, 2)).T)] = 255
        lossy = cv2.imdecode(cv2.imencode(".jpg", points, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], cv2.IMREAD_GRAYSCALE)
        y, x = np.nonzero(lossy) if i else np.nonzero(points)
        rows.append(pd.DataFrame({"image": i, "x": x + 0.5, "y": y + 0.5, "observer": 0, "time": 0.0}))
    return pd.concat(rows)


def salicon(edition):
    facts = Facts("SALICON", 12, None, "free viewing by mouse", 5.0, "none stated", "", edition=edition)
    table = changed(x=lambda t: t["x"].mask(t.index % 50 == 0, -3.0))
    return data_of(table, name="salicon", facts=facts)


def twice():
    table = fixations()
    return pd.concat([table, table[table["observer"] == 2].assign(observer=OBSERVERS)])


PLANTED = {
    "x and y swapped": lambda: data_of(changed(x=lambda t: t["y"], y=lambda t: t["x"])),
    "coordinates of the screen": lambda: data_of(changed(x=lambda t: t["x"] + 25, y=lambda t: t["y"] + 15)),
    "values that wrapped around": lambda: data_of(changed(x=lambda t: t["x"].mask(t.index == 7, 2.0**32 - 8))),
    "fixations outside": lambda: data_of(changed(y=lambda t: t["y"].mask(t.index % 10 == 0, -5.0))),
    "one-based coordinates": lambda: data_of(changed(x=lambda t: whole(t, "x"), y=lambda t: whole(t, "y"))),
    "fixations clipped to the edge": lambda: data_of(
        changed(x=lambda t: np.clip((t["x"] - 40) * 2 + 40, 0, SIZE[1] - 1e-3))
    ),
    "observers without data": lambda: data_of(changed(observer=lambda t: t["observer"] + (t["observer"] > 2))),
    "an observer twice": lambda: data_of(twice()),
    "forced first fixation": lambda: data_of(
        changed(x=lambda t: t["x"].mask(t["place"] == 0, 41.0), y=lambda t: t["y"].mask(t["place"] == 0, 29.0))
    ),
    "fixations after the picture": lambda: data_of(
        changed(x=lambda t: t["x"].mask(t["place"] == 7, 40.0), y=lambda t: t["y"].mask(t["place"] == 7, 30.0))
    ),
    "EXIF orientation": lambda: data_of(
        changed(x=lambda t: t["x"] % 60, y=lambda t: t["y"] % 80), {0: turned(6)}, {0: SIZE[::-1]}
    ),
    "duplicate images across splits": lambda: data_of(fixations(), {3: picture(11)}),
    "two widths of screenshots": lambda: data_of(fixations(), sizes={4: (60, 81), 6: (90, 81)}),
    "lossy maps read above 0": lambda: data_of(ringing()),
    "edition of SALICON": lambda: salicon("2015"),
}


def faults(findings):
    return [finding.fault for finding in findings]


@pytest.mark.parametrize("fault", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(fault):
    (finding,) = ks.data.check(PLANTED[fault]())
    assert finding.fault == fault
    assert 0 < finding.count <= finding.of and 0 < len(finding.examples) <= 5
    assert finding.remedy and "{" not in finding.remedy.replace('{"x"', "")


def test_a_clean_set_has_no_findings():
    assert ks.data.check(data_of(fixations())) == []


def points(i, size=SIZE):
    """A fixation map with ten fixations around the centre."""
    drawn = np.zeros(size, "uint8")
    rows = np.random.default_rng([3, i]).normal(0.5, 0.1, (10, 2)) * size
    drawn[tuple(rows.astype(int).T)] = 255
    return drawn


def density(i):
    blurred = cv2.GaussianBlur(points(i).astype("float32"), (0, 0), 6.0)
    return 255 * blurred / blurred.max()


def write_folder(place, kind="fixations", suffix=".png", make=points):
    """A `folder` of pictures and their maps."""
    for folder in ("images", kind):
        (place / folder).mkdir()
    for i in range(IMAGES):
        (place / "images" / f"{i:02d}.png").write_bytes(picture(i))
        cv2.imwrite(str(place / kind / f"{i:02d}{suffix}"), make(i))
    return place


def with_file(place, name, content):
    path = place / name
    path.unlink(missing_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(path), content)
    return place


FOLDERS = {
    "unmatched names": (lambda to: with_file(write_folder(to), "fixations/03.png", None), "refused by the reader"),
    "unmatched names, too": (lambda to: with_file(write_folder(to), "fixations/fish.png", points(3)),),
    "unreadable files": (lambda to: with_file(write_folder(to), "images/03.png", picture(3)[:500]),),
    "unreadable files, map": (
        lambda to: with_file(write_folder(to), "fixations/03.png", b""),
        "refused by the reader",
    ),
    "maps of another size": (lambda to: with_file(write_folder(to), "fixations/03.png", points(3, (30, 40))),),
    "maps of another size, densities": (
        lambda to: with_file(write_folder(to, "maps", make=density), "maps/03.png", density(3)[:30]),
    ),
    "binary maps saved as JPEG": (lambda to: write_folder(to, suffix=".jpg"),),
    "inverted maps": (lambda to: write_folder(to, make=lambda i: 255 - points(i)),),
    "inverted maps, densities": (lambda to: write_folder(to, "maps", make=lambda i: 255 - density(i)),),
}


@pytest.mark.parametrize("fault", FOLDERS)
def test_what_is_planted_in_a_folder_of_maps_is_found_and_nothing_else(fault, tmp_path):
    write, *others = FOLDERS[fault]
    found = ks.data.check("folder", write(tmp_path))
    assert faults(found) == [fault.partition(",")[0], *others]
    assert "03" in " ".join(found[0].examples) or "fish.png" in found[0].examples[0]


@pytest.mark.parametrize("folder", [{}, {"kind": "maps", "make": density}, {"suffix": ".png"}])
def test_clean_folders_of_maps_have_no_findings(folder, tmp_path):
    assert ks.data.check("folder", write_folder(tmp_path, **folder)) == []


@pytest.mark.parametrize("name", ["osie", "scene"])
def test_real_sets_are_clean(name):
    assert ks.data.check(real_data(name)) == []


@pytest.mark.skipif("eyevis" not in ks.data.DATA_SETS, reason="there is no reader")
def test_two_web_pages_of_eyevis_are_one_page_on_both_sides_and_nothing_else_is_found():
    (finding,) = ks.data.check(real_data("eyevis"))
    assert finding.fault == "duplicate images across splits" and finding.count == 1
    assert "tesla_1.jpg" in finding.examples[0] and "tesla_2.jpg (test)" in finding.examples[0]


@pytest.mark.slow
def test_what_mice_explored_is_clean():
    assert ks.data.check("osie-mouse", data_folder("osie")) == []


def test_the_examples_of_salicon_are_clean():
    assert ks.data.check("salicon-json", data_folder("salicon-sample")) == []


def test_synthetic_images_are_clean():
    assert ks.data.check(ks.data.synthetic.read(splits={"train": 80, "validation": 20, "test": 20})) == []


TRACKERS = {
    "smi_begaze_events/SMI_Sample_67_Events_cut.txt": (1080, 1920),
    "tobii_studio_2/P61-Fixation-Data.tsv": (1024, 1280),
    "tobii_studio_3/tobii_studio_3.4.5_data_cut.tsv": (1080, 1920),
}


@pytest.mark.parametrize("file", TRACKERS)
def test_real_exports_are_clean(file):
    table, size = read_export(data_folder("trackers") / file), TRACKERS[file]
    samples = []
    for i, rows in enumerate(np.array_split(np.arange(len(table)), 3)):
        part = table.iloc[rows]
        fixations = Fixations(*(part[name].to_numpy() for name in ("x", "y")), np.zeros(len(part), int), part["time"])
        samples.append(Sample(f"{i}.png", picture(i, size), size, fixations, 35.0))
    assert ks.data.check(DataSet("exports", *(Samples([sample]) for sample in samples))) == []


TABLES = {
    "x and y swapped": (lambda t: t.rename(columns={"x": "y", "y": "x"}), {"columns": {"x": "y", "y": "x"}}),
    "coordinates of the screen": (
        lambda t: t.assign(x=t["x"] + 472, y=t["y"] + 354),
        {"screen": [1024, 768], "stimulus": "centred"},
    ),
    "one-based coordinates": (
        lambda t: t.assign(x=whole(t, "x"), y=whole(t, "y")),
        {"stimulus": [0.5, 0.5, 80, 60]},
    ),
}


def write_table(place, table):
    for i in range(IMAGES):
        (place / f"{i:02d}.png").write_bytes(picture(i))
    table = table.assign(image=table["image"].map("{:02d}.png".format)).drop(columns="place")
    table.to_csv(place / "fixations.csv", index=False)
    return place


@pytest.mark.parametrize("fault", TABLES)
def test_the_remedy_of_a_table_heals_it(fault, tmp_path):
    change, remedy = TABLES[fault]
    write_table(tmp_path, change(fixations()))
    (finding,) = ks.data.check("table", tmp_path)
    assert finding.fault == fault
    key, value = next(iter(remedy.items()))
    assert f'"{key}": {json.dumps(value)}' in finding.remedy
    (tmp_path / "table.json").write_text(json.dumps(remedy))
    assert ks.data.check("table", tmp_path) == []


def test_pictures_of_a_table_without_fixations_are_named(tmp_path):
    write_table(tmp_path, fixations())
    assert ks.data.check("table", tmp_path) == []
    (tmp_path / "12.png").write_bytes(picture(12))
    (finding,) = ks.data.check("table", tmp_path)
    assert finding.fault == "unmatched names" and finding.examples == ("12.png: no fixations",)
    (tmp_path / "00.png").unlink()
    missing, refused = ks.data.check("table", tmp_path)
    assert missing.fault == "unmatched names" and missing.examples == ("00.png: no such image",)
    assert refused.fault == "refused by the reader" and "1 of 12 images of fixations.csv" in refused.examples[0]


def test_cells_of_a_table_that_wrapped_around_are_counted(tmp_path):
    write_table(tmp_path, changed(x=lambda t: t["x"].mask(t.index % 100 == 7, 2.0**32 - 8)))
    wrapped, refused = ks.data.check("table", tmp_path)
    assert (wrapped.fault, wrapped.count, wrapped.of) == ("values that wrapped around", 5, 480)
    assert wrapped.examples[0] == "row 9, column x: 4294967288"
    assert refused.fault == "refused by the reader" and "looks like -8" in refused.examples[0]


@pytest.mark.parametrize("observer", [0, OBSERVERS - 1])
def test_observers_of_a_table_of_whom_nothing_is_inside_are_named(observer, tmp_path):
    table = changed(x=lambda t: t["x"].mask(t["observer"] == observer), observer=lambda t: "P" + t["observer"].map(str))
    (finding,) = ks.data.check("table", write_table(tmp_path, table))
    assert (finding.fault, finding.count, finding.of) == ("observers without data", 1, OBSERVERS)
    assert finding.examples == (f"observer P{observer}: none of 96 fixations is inside an image",)


def test_an_image_all_of_whose_fixations_are_outside_is_found():
    (finding,) = ks.data.check(data_of(changed(x=lambda t: t["x"].mask(t["image"] == 3, -40.0))))
    assert (finding.fault, finding.count) == ("fixations outside", 40)
    assert finding.examples == ("03.png: 40 of 40 fixations are outside the image",)


def test_an_image_that_exif_data_turn_is_clean_where_fixations_are_on_the_upright_one():
    table = changed(x=lambda t: t["x"] % 60, y=lambda t: t["y"].mask(t.index == 3, 70.0))
    data = data_of(table, {0: turned(6)}, {0: SIZE[::-1]})
    assert ks.data.check(data) == []


@pytest.mark.parametrize(("edition", "leaves"), [("2015", False), ("2015", True), ("2017", False), ("2017", True)])
def test_samples_of_salicon_tell_the_edition(edition, leaves, tmp_path):
    places = np.tile([[1.0, 1.0], [640.0, 480.0], [644.0 if leaves else 320.0, 200.0]], (400, 1))
    (tmp_path / "fixations" / "train").mkdir(parents=True)
    scipy.io.savemat(tmp_path / "fixations" / "train" / "a.mat", {"gaze": np.array([{"location": places}], object)})
    facts = Facts("SALICON", 12, None, "free viewing by mouse", 5.0, "none stated", "", edition=edition)
    data = data_of(fixations(), name="salicon", facts=facts)
    found = doctor.examine("salicon", lambda: data, tmp_path).findings
    assert faults(found) == ([] if leaves == (edition == "2017") else ["edition of SALICON"])


def test_each_fault_is_planted_and_stands_on_its_page():
    planted = {*PLANTED, *TABLES, *(name.partition(",")[0] for name in FOLDERS)}
    assert {*FAULTS} <= planted | {"refused by the reader"}
    page = (REPOSITORY / "docs" / "data.md").read_text()
    assert not [name for name in FAULTS if f"\n| `{name}` | " not in page]
