import json

from archives import coco_freeview
from archives.coco_freeview import row, spoil

EXPECTED = coco_freeview.EXPECTED
SKIPPED = [
    "1 images are in the official training and validation splits, under several tasks: they are for training",
    *coco_freeview.SKIPPED,
]
PRESENT, ABSENT = ({"condition": condition, "correct": 1, "RT": 900} for condition in ("present", "absent"))
FILES = {
    "TP/coco_search18_fixations_TP_train_split1.json": [
        row("000000000001.jpg", 1, "train", [(0, 0)], task="bottle", bbox=[1, 2, 3, 4], fixOnTarget=True, **PRESENT),
        row("000000000001.jpg", 2, "train", [(3, 4), (30, 2)], task="car", bbox=[1, 2, 3, 4], **PRESENT),
        row("000000000002.jpg", 1, "train", [(31, 23)], task="bottle", **PRESENT),
    ],
    "TP/coco_search18_fixations_TP_validation_split1.json": [
        row("000000000003.jpg", 1, "valid", [(8, 8), (1, 1), (8, 8)], task="cup", **PRESENT),
        row("000000000004.jpg", 2, "valid", [(20, 20)], task="cup", **PRESENT),
    ],
    "coco_search18_fixations_TA_trainval.json": [
        row("000000000001.jpg", 10, "valid", [(9, 20)], task="cup", **ABSENT),
        row("000000000004.jpg", 2, "valid", [(40, 10)], task="cup", **ABSENT),
    ],
}


def write(directory):
    coco_freeview.write_images(directory)
    for name, rows in FILES.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(json.dumps(rows))
    # Another division of the same scanpaths.
    (directory / "TP" / "coco_search18_fixations_TP_train_split2.json").write_text("[]")


ABSENT_FILE = "coco_search18_fixations_TA_trainval.json"
FAULTS = {
    "no split": (spoil(lambda rows: rows[1].pop("split"), ABSENT_FILE), "TA_trainval.json, row 2: expected subject"),
    "a file twice": (
        lambda directory: (directory / "TP" / ABSENT_FILE).write_text((directory / ABSENT_FILE).read_text()),
        "TA_trainval.json are the same file twice",
    ),
}
