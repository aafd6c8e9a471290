import json

from archives import salicon, write_image

EXPECTED = salicon.EXPECTED
SKIPPED = ["the fixations of the official test split are withheld"]


def write(directory):
    (directory / "annotations").mkdir()
    for part in ("train", "val"):
        images, annotations = [], []
        for name, observers in salicon.LOOKED.items():
            if not name.startswith(part):
                continue
            write_image(directory / "images" / name, EXPECTED[name])
            number = int(name[-8:-4])
            images.append({"id": number, "file_name": name.partition("/")[2], "height": 24, "width": 32})
            annotations += [
                {
                    "image_id": number,
                    "worker_id": 7 + i,
                    "id": len(annotations) + i,
                    "fixations": [[row + 1, column + 1] for column, row in pixels],
                }
                for i, pixels in enumerate(observers)
            ]
        release = {"info": {}, "type": "fixations", "images": images, "annotations": annotations}
        (directory / "annotations" / f"fixations_{part}2014.json").write_text(json.dumps(release))


def spoil(change):
    def spoiled(directory):
        path = directory / "annotations" / "fixations_val2014.json"
        release = json.loads(path.read_text())
        path.write_text(change(release) or json.dumps(release))

    return spoiled


FAULTS = {
    "no JSON": (spoil(lambda release: "{"), "fixations_val2014.json has not the expected form"),
    "a list": (spoil(lambda release: "[]"), "fixations_val2014.json has not the expected form"),
    "an unknown image": (
        spoil(lambda release: release["annotations"][1].update(image_id=5)),
        "fixations_val2014.json, annotation 2: expected image_id",
    ),
    "no pairs": (
        spoil(lambda release: release["annotations"][0].update(fixations=[[1, 2, 3]])),
        "fixations_val2014.json, annotation 1: expected image_id",
    ),
    "no files": (lambda directory: (directory / "annotations").rename(directory / ".a"), "no fixations_train2014.json"),
}
