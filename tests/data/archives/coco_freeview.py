import json

from archives import write_image

# The same picture lies under several tasks.
PLACES = {
    "000000000001.jpg": ["images/bottle", "images/car", "coco_search18_images_TA/cup"],
    "000000000002.jpg": ["images/bottle"],
    "000000000003.jpg": ["coco_search18_images_TA/cup"],
    "000000000004.jpg": ["coco_search18_images_TA/cup"],
}
# Image, observer, split, and where they looked.
ROWS = [
    ("000000000001.jpg", 2, "train", [(3, 4), (30, 2)]),
    ("000000000001.jpg", 10, "train", [(9, 20)]),
    ("000000000001.jpg", 1, "train", [(0, 0)]),
    ("000000000002.jpg", 1, "train", [(31, 23)]),
    ("000000000003.jpg", 1, "valid", [(8, 8), (1, 1), (8, 8)]),
    ("000000000004.jpg", 2, "valid", [(20, 20), (40, 10)]),
]
EXPECTED = {
    "coco_search18_images_TA/cup/000000000001.jpg": [(0, 0), (3, 4), (30, 2), (9, 20)],
    "images/bottle/000000000002.jpg": [(31, 23)],
    "coco_search18_images_TA/cup/000000000003.jpg": [(8, 8), (1, 1), (8, 8)],
    "coco_search18_images_TA/cup/000000000004.jpg": [(20, 20)],
}
SKIPPED = [
    "the fixations of the official test split are withheld",
    "000000000004.jpg: 1 of 2 fixations are outside the image",
]
FILE = "COCOFreeView_fixations_trainval.json"


def row(name, subject, split, pixels, **more):
    x, y = ([pixel[axis] + 0.25 for pixel in pixels] for axis in (0, 1))
    times = [150 + 10 * i for i in range(len(pixels))]
    return {"name": name, "subject": subject, "split": split, "X": x, "Y": y, "T": times, "length": len(x), **more}


def write(directory):
    write_images(directory)
    (directory / FILE).write_text(json.dumps([row(*values) for values in ROWS]))


def write_images(directory):
    for path, pixels in EXPECTED.items():
        name = path.rpartition("/")[2]
        for place in PLACES[name]:
            write_image(directory / place / name, pixels)
    write_image(directory / "images" / "car" / "000000000099.jpg")


def spoil(change, file=FILE):
    def spoiled(directory):
        rows = json.loads((directory / file).read_text())
        change(rows)
        (directory / file).write_text(json.dumps(rows))

    return spoiled


FAULTS = {
    "no split": (spoil(lambda rows: rows[2].pop("split")), "trainval.json, row 3: expected subject, split"),
    "another split": (spoil(lambda rows: rows[3].update(split="dev")), "trainval.json, row 4: expected subject, split"),
    "lengths": (spoil(lambda rows: rows[1].update(X=[1.0, 2.0])), "trainval.json, row 2: .* of different lengths"),
    "no list": (lambda directory: (directory / FILE).write_text("{}"), "trainval.json is no list of rows"),
    "no file": (lambda directory: (directory / FILE).unlink(), r"has no COCOFreeView_fixations_\*.json"),
    "other pixels": (
        lambda directory: write_image(directory / "images/car/000000000001.jpg", [(5, 5)]),
        "'000000000001.jpg' may be .*TA/cup/000000000001.jpg, .*car/000000000001.jpg",
    ),
}
