from itertools import chain

import numpy as np
from PIL import Image

from archives import write_image

SIZE = (90, 160)  # of the images; a degree has 60 pixels
HEADER = "VP,trial,Img,nth,x,y,Start,End,fixdur,blinkFix,sticky,forced_fix,mask_shown,forced_end,VT"
# Image -> corpus, table, and the bright pixels that each observer looked at.
LOOKED = {
    "alley.jpg": ("DAEMONS_flickr_corpus", "train", {"7": [(0, 0), (159, 89)], "12": [(80, 3)]}),
    "beach.jpg": ("DAEMONS_flickr_corpus", "train", {"7": [(30, 2)]}),
    "creek.jpg": ("DAEMONS_potsdam_corpus", "val", {"9": [(12, 0), (13, 23), (12, 0)]}),
    "dunes.jpg": ("DAEMONS_potsdam_corpus", "val", {"12": [(7, 9)]}),
}
EXPECTED = {f"{corpus}/{name}": [*chain(*observers.values())] for name, (corpus, _, observers) in LOOKED.items()}
SKIPPED = [
    "the fixations of the official test split are withheld",
    "1 fixations without a place",
    "2 fixations while a marker was to be looked at",
    "1 fixations with a blink",
    "dunes.jpg: 1 of 2 fixations are outside the image",
]
# Rows of other fixations: image, x and y in degrees, onset, blink, forced.
OTHERS = {
    "train": [
        ("7", "alley.jpg", "1.0", "0.5", "NA", "FALSE", "1"),
        ("7", "alley.jpg", "1.1", "0.5", "90", "TRUE", "1"),
        ("7", "alley.jpg", "0.5", "0.5", "150", "TRUE", "0"),
        ("7", "alley.jpg", "NA", "NA", "990", "NA", "0"),
    ],
    "val": [("12", "dunes.jpg", "-0.1", "0.5", "100", "FALSE", "0")],
}


def write(directory, header=HEADER):
    for split, others in OTHERS.items():
        rows = [row(*other) for other in others]
        for name, (corpus, part, observers) in LOOKED.items():
            write_image(directory / corpus / name, [*chain(*observers.values())], SIZE)
            if name == "creek.jpg":
                tell_to_turn(directory / corpus / name)
            for observer, pixels in observers.items() if part == split else ():
                # From the bottom, in degrees.
                places = [((x + 0.5) / 60, (SIZE[0] - y - 0.5) / 60) for x, y in pixels]
                rows += [row(observer, name, *at, 200 + i, "FALSE", "0") for i, at in enumerate(places)]
        (directory / "eye_movement").mkdir(exist_ok=True)
        (directory / "eye_movement" / f"SAC_{split}.csv").write_text("\n".join([header, *rows]) + "\n")
    (directory / "DAEMONS_flickr_corpus" / "._alley.jpg").write_bytes(b"macOS")


def row(observer, image, x, y, end, blink, forced):
    return f"{observer},1,{image},1,{x},{y},0,{end},250,{blink},0,{forced},FALSE,300,train"


def tell_to_turn(path):
    """The picture with EXIF data that would turn it; observers saw it as it is stored."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(path, quality=100, exif=exif)


FAULTS = {
    "no column": (
        lambda d: write(d, HEADER.replace("blinkFix", "blink")),
        r"SAC_train.csv has no column 'blinkFix'; it has .* Get it again from its source",
    ),
    "no table": (lambda d: (d / "eye_movement" / "SAC_val.csv").unlink(), r"SAC_val.csv is missing"),
    "no image": (
        lambda d: (d / "DAEMONS_potsdam_corpus" / "dunes.jpg").unlink(),
        r"1 of 4 images of SAC.* 'dunes.jpg'",
    ),
}
