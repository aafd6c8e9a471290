import dataclasses
import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

import keras_saliency as ks
from keras_saliency.data import DataSet, Samples, placing, splits

NAMES = [f"p{i}" for i in range(6)]
HEADER = "image,x,y,observer,time,duration,split"
PARTS = ("train", "train", "train", "train", "validation", "test")


@pytest.fixture
def folder(tmp_path):
    """Six pictures of 30x40, in each of which one pixel is bright."""
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(NAMES):
        image = np.zeros((30, 40, 3), "uint8")
        image[3 + i, 5 + 2 * i] = 255
        cv2.imwrite(str(tmp_path / "photos" / f"{name}.png"), image)
    return tmp_path


def write(folder, rows, header=HEADER, name="fixations.csv", **options):
    (folder / name).write_text("\n".join([header, *rows]) + "\n", newline="", **options)


def rows_on_the_bright_pixel():
    return [f"{n},{5 + 2 * i}.5,{3 + i}.5,anna,0.2,0.3,{PARTS[i]}" for i, n in enumerate(NAMES)]


def all_samples(data):
    return [sample for part in splits.PARTS for sample in getattr(data, part)]


def assert_on_the_bright_pixel(data):
    samples = all_samples(data)
    assert len(samples) == 6
    for sample in samples:
        (row,), (column,) = sample.fixations.pixels()
        assert sample.read()[row, column].tolist() == [255, 255, 255], sample.name


def test_fixations_fall_on_their_pixels(folder):
    write(folder, rows_on_the_bright_pixel())
    data = ks.data.load("table", folder, pixels_per_degree=20)
    assert_on_the_bright_pixel(data)
    assert [sample.name for sample in data.validation] == ["photos/p4.png"]
    assert [sample.name for sample in data.test] == ["photos/p5.png"]
    assert {sample.sigma for sample in all_samples(data)} == {20}
    assert data.pixels_per_degree == 20 and data.skipped == ()
    assert data.test[0].fixations.time.tolist() == [0.2]


WRITTEN = {
    "semicolons and decimal commas": lambda rows: ([r.replace(",", ";").replace(".", ",") for r in rows], ";", {}),
    "tabs, Windows line ends and a byte-order mark": lambda rows: (
        [r.replace(",", "\t") + "\r" for r in rows],
        "\t",
        {"encoding": "utf-8-sig"},
    ),
    "blanks after commas and a trailing comma": lambda rows: ([r.replace(",", ", ") + "," for r in rows], ",", {}),
    "quotes": lambda rows: ([",".join(f'"{cell}"' for cell in r.split(",")) for r in rows], ",", {}),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_tables_are_read_as_laboratories_write_them(form, folder):
    rows, separator, options = WRITTEN[form](rows_on_the_bright_pixel())
    write(folder, rows, HEADER.replace(",", separator), **options)
    assert_on_the_bright_pixel(ks.data.load("table", folder))


def test_parquet_is_read_as_text_is(folder):
    write(folder, rows_on_the_bright_pixel())
    table = pd.read_csv(folder / "fixations.csv")
    table.astype({"image": "category"}).to_parquet(folder / "fixations.parquet")
    (folder / "fixations.csv").unlink()
    assert_on_the_bright_pixel(ks.data.load("table", folder))
    table.drop(columns="x").to_parquet(folder / "fixations.parquet")
    with pytest.raises(ValueError, match="has no column 'x'; it has image, y"):
        ks.data.load("table", folder)
    (folder / "fixations.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="fixations.parquet is no Parquet file"):
        ks.data.load("table", folder)


def test_names_may_have_folders_and_suffixes(folder):
    rows = rows_on_the_bright_pixel()
    rows = [
        f"photos/{rows[0]}",
        rows[1].replace("p1,", "p1.PNG,"),
        f"photos/{rows[2].replace('p2,', 'p2.png,')}",
        *rows[3:],
    ]
    write(folder, rows)
    assert_on_the_bright_pixel(ks.data.load("table", folder))


PLACED = {
    "shares": (lambda x, y: (x / 40, y / 30), {"units": "shares"}),
    "degrees": (lambda x, y: (x / 8, y / 8), {"units": "degrees", "pixels_per_degree": 8}),
    "degrees from the bottom": (
        lambda x, y: (x / 8, (30 - y) / 8),
        {"units": "degrees", "origin": "bottom", "pixels_per_degree": 8},
    ),
    "pixels from the bottom": (lambda x, y: (x, 30 - y), {"origin": "bottom"}),
    "of a screen, centred": (lambda x, y: (x + 30, y + 35), {"screen": (100, 100), "stimulus": "centred"}),
    "of a screen, fitted": (lambda x, y: (2.5 * x, 2.5 * y + 12.5), {"screen": (100, 100), "stimulus": "fitted"}),
    "of a screen, stretched": (lambda x, y: (2 * x, 4 * y), {"screen": (80, 120), "stimulus": "stretched"}),
    "of a rectangle": (lambda x, y: (2 * x + 7, 3 * y - 9), {"stimulus": (7, -9, 80, 90)}),
    "shares of a screen from the bottom": (
        lambda x, y: ((x + 30) / 100, 1 - (y + 35) / 100),
        {"screen": (100, 100), "stimulus": "centred", "units": "shares", "origin": "bottom"},
    ),
    "degrees of a screen": (
        lambda x, y: (x / 10, y / 10),
        {"screen": (80, 60), "stimulus": "stretched", "units": "degrees", "pixels_per_degree": 20},
    ),
}


@pytest.mark.parametrize("kind", PLACED)
def test_coordinates_are_what_they_are_said_to_be(kind, folder):
    place, options = PLACED[kind]
    points = [place(5.5 + 2 * i, 3.5 + i) for i in range(6)]
    write(folder, [f"{n},{x!r},{y!r}" for n, (x, y) in zip(NAMES, points, strict=True)], "image,x,y")
    data = ks.data.load("table", folder, **options)
    assert_on_the_bright_pixel(data)
    degree = {"degrees": 8, "degrees from the bottom": 8, "degrees of a screen": 10}
    assert [sample.sigma for sample in all_samples(data)] == pytest.approx([degree.get(kind, 0.035 * 40)] * 6)


def test_columns_may_be_called_otherwise_and_settings_lie_beside_the_table(folder):
    rows = [row.replace(",0.2,0.3", ",200,300") for row in rows_on_the_bright_pixel()]
    write(folder, rows, "Bild,gx,gy,Person,start,dauer,teil")
    columns = dict(zip(HEADER.split(","), ["Bild", "gx", "gy", "Person", "start", "dauer", "teil"], strict=True))
    expected = ks.data.load("table", folder, columns=columns, times="ms")
    assert_on_the_bright_pixel(expected)
    assert expected.test[0].fixations.time == pytest.approx(0.2)
    (folder / "table.json").write_text(json.dumps({"columns": columns, "times": "s"}))
    assert ks.data.load("table", folder).test[0].fixations.time == pytest.approx(200)
    assert ks.data.load("table", folder, times="ms").test[0].fixations.time == pytest.approx(0.2)


def test_fixations_are_in_the_order_of_observer_and_time(folder):
    first = ["p0,1,1,b,0.5", "p0,2,1,a,0.1", "p0,3,1,b,0.2", "p0,4,1,a,0.05"]
    write(folder, [*first, *(f"{n},1,1,b,0" for n in NAMES[1:])], "image,x,y,observer,time")
    fixations = {s.name: s.fixations for s in all_samples(ks.data.load("table", folder))}["photos/p0.png"]
    assert fixations.x.tolist() == [4, 2, 3, 1]
    assert fixations.observer.tolist() == [0, 0, 1, 1]
    write(
        folder,
        [r.replace(",", ",1,", 1) for r in ["p0,2,b,7", "p0,1,b,8", *(f"{n},1,b,1" for n in NAMES[1:])]],
        "image,y,x,observer,order",
    )
    fixations = {s.name: s.fixations for s in all_samples(ks.data.load("table", folder))}["photos/p0.png"]
    assert fixations.x.tolist() == [2, 1] and fixations.time.tolist() == [7, 8]


def test_who_is_not_named_is_an_observer_of_each_image(folder):
    write(folder, [f"{n},{x},1,{who}" for n in NAMES for x, who in ((1, "a"), (2, ""), (3, "a"))], "image,x,y,observer")
    for sample in all_samples(ks.data.load("table", folder)):
        assert sample.fixations.x.tolist() == [1, 3, 2] and sample.fixations.observer.tolist() == [0, 0, 1]
    table = pd.read_csv(folder / "fixations.csv")
    (folder / "fixations.csv").unlink()
    table.to_parquet(folder / "fixations.parquet")
    for sample in all_samples(ks.data.load("table", folder)):
        assert sample.fixations.x.tolist() == [1, 3, 2] and sample.fixations.observer.tolist() == [0, 0, 1]


def test_without_times_they_are_the_sum_of_earlier_durations(folder):
    first = ["p0,1,1,a,200", "p0,2,1,a,300", "p0,3,1,b,100", "p0,4,1,b,", "p0,5,1,b,50"]
    write(folder, [*first, *(f"{n},1,1,b,70" for n in NAMES[1:])], "image,x,y,observer,duration")
    samples = {s.name: s.fixations for s in all_samples(ks.data.load("table", folder, times="ms"))}
    np.testing.assert_allclose(samples["photos/p0.png"].time, [0, 0.2, 0, 0.1, 0.1])
    assert samples["photos/p1.png"].time.tolist() == [0]


def test_without_times_and_durations_they_are_the_number_of_the_fixation(folder):
    first = ["p0,1,1,a", "p0,2,1,b", "p0,3,1,a", "p0,4,1,b", "p0,5,1,a"]
    write(folder, [*first, *(f"{n},1,1,b" for n in NAMES[1:])], "image,x,y,observer")
    samples = {s.name: s.fixations for s in all_samples(ks.data.load("table", folder))}
    assert samples["photos/p0.png"].x.tolist() == [1, 3, 5, 2, 4]
    assert samples["photos/p0.png"].time.tolist() == [0, 1, 2, 0, 1]
    assert samples["photos/p5.png"].time.tolist() == [0]


def test_without_observers_it_is_said_and_there_is_no_gold_standard(folder):
    write(folder, [f"{n},{x},9" for n in NAMES for x in (3, 20, 30)], "image,x,y")
    data = ks.data.load("table", folder)
    assert data.skipped == ("fixations.csv has no column observer: all fixations count as one observer's",)
    scored = ks.evaluate([], data, verbose=False)
    assert np.isnan([row["ig"] for row in scored.per_image["gold_standard"]]).all()


def test_photographs_without_a_row_are_counted(folder):
    write(folder, rows_on_the_bright_pixel()[1:])
    for suffix in ("png", "bmp"):
        cv2.imwrite(str(folder / "photos" / f"later.{suffix}"), np.zeros((30, 40, 3), "uint8"))
    data = ks.data.load("table", folder)
    assert data.skipped == ("3 images have no row in fixations.csv, the first is photos/later.bmp",)


def test_what_lies_outside_is_counted(folder):
    rows = [*rows_on_the_bright_pixel(), "p0,1e9,1,anna,1,1,train", "p0,,,anna,1,1,train", "p1,-1,2,bob,1,1,train"]
    write(folder, rows)
    data = ks.data.load("table", folder)
    assert data.skipped == (
        "observer bob: none of 1 fixations is inside an image",
        "photos/p0.png: 2 of 3 fixations are outside the image",
        "photos/p1.png: 1 of 2 fixations are outside the image",
    )


WRONG = {
    "a missing column": (["p0,1"], "image,x", {}, "has no column 'y'; it has image, x"),
    "a column that is not there": (["p0,1,1"], "image,x,y", {"columns": {"x": "gx"}}, "has no column 'gx'"),
    "an unknown column": (["p0,1,1"], "image,x,y", {"columns": {"z": "x"}}, "Unknown column 'z'"),
    "text among numbers": (["p0,1,1", "p1,left,1"], "image,x,y", {}, r"row 3, column 'x': 'left' is no number"),
    "a number that lost its sign": (
        ["p0,1,1", "p1,4294967288,1"],
        "image,x,y",
        {},
        "4294967288 looks like -8 that was",
    ),
    "no rows": ([], "image,x,y", {}, "has no rows"),
    "no name": (["p0,1,1", ",1,1"], "image,x,y", {}, "row 3: the image has no name"),
    "an image that is not there": (["p0,1,1", "q,1,1"], "image,x,y", {}, "1 of 2 images .* the first is 'q'"),
    "two names of one image": (["p0,1,1", "p0.png,1,1"], "image,x,y", {}, "'p0' and 'p0.png' are both"),
    "an unknown split": ([f"{n},1,1,prod" for n in NAMES], "image,x,y,split", {}, "unknown split 'prod'"),
    "two splits": (["p0,1,1,test", "p0,1,1,train"], "image,x,y,split", {}, "p0.png is in 2 splits"),
    "two images": (["p0,1,1", "p1,1,1"], "image,x,y", {}, "need 3 images"),
    "an unknown unit": (["p0,1,1"], "image,x,y", {"units": "inches"}, "Unknown units 'inches'"),
    "degrees of unknown size": (["p0,1,1"], "image,x,y", {"units": "degrees"}, "need pixels_per_degree"),
    "a screen without a stimulus": (["p0,1,1"], "image,x,y", {"screen": (8, 6)}, "A screen needs a stimulus"),
    "a stimulus without a screen": (["p0,1,1"], "image,x,y", {"stimulus": "fitted"}, "stimulus needs screen"),
    "an unknown stimulus": (["p0,1,1"], "image,x,y", {"stimulus": (1, 2, 0, 4)}, "stimulus is 'centred'"),
    "a screen of no size": (["p0,1,1"], "image,x,y", {"screen": (0, 9), "stimulus": "fitted"}, "screen is .width"),
    "an unknown setting": (["p0,1,1"], "image,x,y", {"unit": "shares"}, "Unknown setting 'unit' of 'table'"),
    "shares read as pixels": ([f"{n},0.5,0.9" for n in NAMES], "image,x,y", {}, "all coordinates are from 0 to 1"),
    "coordinates of the screen": (
        [f"{n},{x},9" for n in NAMES for x in (1, 900, 901)],
        "image,x,y",
        {},
        "12 of 18 fixations are outside",
    ),
    "decimal commas among commas": (
        ["p0,1,1", "p1,1,1,4"],
        "image,x,y",
        {},
        "row 3: there are more cells than columns",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named_with_its_row(kind, folder):
    rows, header, options, message = WRONG[kind]
    write(folder, rows, header)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        ks.data.load("table", folder, **options)
    assert "\n" not in str(error.value)


def test_what_is_wrong_with_files_is_named(folder):
    with pytest.raises(FileNotFoundError, match="has no table. Expected a file of .csv, .tsv, .parquet"):
        ks.data.load("table", folder)
    write(folder, rows_on_the_bright_pixel())
    write(folder, rows_on_the_bright_pixel(), name="other.csv")
    with pytest.raises(ValueError, match="has 2 tables: fixations.csv, other.csv"):
        ks.data.load("table", folder)
    assert_on_the_bright_pixel(ks.data.load("table", folder, file="other.csv"))
    (folder / "fixations.csv").write_bytes("image,x,y\nf\xfc,1,1\n".encode("latin-1"))
    with pytest.raises(ValueError, match="is not in UTF-8"):
        ks.data.load("table", folder, file="fixations.csv")
    (folder / "table.json").write_text("[1")
    with pytest.raises(ValueError, match="table.json is no JSON object"):
        ks.data.load("table", folder)
    (folder / "again").mkdir()
    (folder / "table.json").unlink()
    shutil.copy(folder / "photos" / "p0.png", folder / "again" / "p0.png")
    assert len(all_samples(ks.data.load("table", folder, file="other.csv"))) == 6  # the same picture twice
    cv2.imwrite(str(folder / "again" / "p0.png"), np.zeros((30, 40), "uint8"))
    with pytest.raises(ValueError, match=r"'p0' may be again/p0.png, photos/p0.png"):
        ks.data.load("table", folder, file="other.csv")


def test_splits_by_hash_stay_when_others_come_and_are_never_empty():
    names = [f"image {i}" for i in range(400)]
    parts = dict(zip(names, splits.by_hash(names), strict=True))
    assert {part: sum(p == part for p in parts.values()) for part in splits.PARTS} == {
        "train": 278,
        "validation": 63,
        "test": 59,
    }
    assert splits.by_hash(names[::-1][:200]) == [parts[name] for name in names[::-1][:200]]
    for count in range(3, 12):
        assert set(splits.by_hash(names[:count])) == set(splits.PARTS)
    assert splits.by_hash(["a", "b", "a", "c"])[0] == splits.by_hash(["a", "b", "a", "c"])[2]


def test_a_known_visual_angle_is_finite():
    with pytest.raises(ValueError, match="pixels_per_degree is a number above zero"):
        placing.Geometry(pixels_per_degree=float("nan"))


def test_what_is_written_as_a_table_scores_the_same(tiny, tmp_path):
    rows = []
    for part in splits.PARTS:
        for sample in getattr(tiny, part):
            (tmp_path / f"{sample.name}.png").write_bytes(sample.image)
            fixations = sample.fixations
            columns = {axis: getattr(fixations, axis) for axis in ("x", "y", "observer", "time")}
            rows.append(pd.DataFrame({"image": sample.name, **columns, "split": part}))
    pd.concat(rows).sample(frac=1, random_state=0).to_csv(tmp_path / "fixations.csv", index=False)
    data = ks.data.load("table", tmp_path, pixels_per_degree=tiny.test[0].sigma)
    by_name = {sample.name: sample for part in splits.PARTS for sample in getattr(data, part)}
    same = {part: Samples(by_name[f"{s.name}.png"] for s in getattr(tiny, part)) for part in splits.PARTS}
    known = {part: Samples(dataclasses.replace(s, density=None) for s in getattr(tiny, part)) for part in splits.PARTS}
    found, expected = (
        ks.evaluate(["signature"], DataSet("tiny", **parts), verbose=False).per_image for parts in (same, known)
    )
    assert found == expected
