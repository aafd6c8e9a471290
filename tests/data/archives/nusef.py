from itertools import chain

from archives import write_image

SIZE = (24, 32)  # fills the screen of 1024x768
WIDE = (12, 48)  # is 1024x256 on it
TALL = (24, 16)  # is 512x768 on it
# Picture -> its size, its folder, and the bright pixels that each observer looked at.
LOOKED = {
    "1001": (SIZE, "1001", [[(0, 0), (31, 23)], [(5, 7)]]),
    "1002": (WIDE, "1002", [[(47, 11), (0, 0)]]),
    "1003": (TALL, "1003", [[(15, 2), (0, 23)]]),
    "3005.1": (SIZE, "3005_0", [[(4, 4)]]),
    "1005": (SIZE, None, []),
}
EXPECTED = {f"{name}.jpg": [*chain(*observers)] for name, (_, folder, observers) in LOOKED.items() if folder}
SKIPPED = [
    "fix_data has fixations on 1 other images, the first is 9999",
    "1005.jpg: the image has no fixations",
    "1003.jpg: 1 of 3 fixations are outside the image",
]
HEAD = """[Fix File]
Subject=7
COLS=seg_no fix_no pln_no start_time fix_dur interfix_dur interfix_deg hor_pos ver_pos pupil_diam ...
"""
TAIL = "[Fix Segment Summary]\nseg 1 fixations 9\n"


def write(directory, head=HEAD, cut=15):
    root = directory / "NUSEF_database"
    for name, (size, folder, observers) in LOOKED.items():
        write_image(root / "stimuli" / f"{name}.jpg", [*chain(*observers)], size)
        for i, pixels in enumerate(observers):
            places = [of_tracker(x + 0.5, y + 0.5, size) for x, y in pixels]
            if size == TALL:
                places.append((10.0, 100.0))  # beside the picture
            rows = [row(j, *place).split()[:cut] for j, place in enumerate(places)]
            path = root / "fix_data" / folder / f"pic{i:02d}+{name}.fix"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "\n".join(map(" ".join, rows)) + "\n" + TAIL, newline="\r\n")
    (root / "fix_data" / "9999").mkdir()


def of_tracker(x, y, size):
    """Where a place of the picture lies in the frame of the tracker."""
    scale = min(1024 / size[1], 768 / size[0])
    left, top = (1024 - scale * size[1]) / 2, (768 - scale * size[0]) / 2
    return (left + scale * x) * 260 / 1024, (top + scale * y) * 280 / 768


def row(number, x, y):
    return f"> 1 {number + 1} 0 14:59:{58.5 + number / 2:.3f} 0.234 0.02 1.5 {x} {y} 40 0 0 0 0"


def again(write):
    def spoil(directory):
        (directory / "NUSEF_database" / "fix_data" / "9999").rmdir()
        write(directory)

    return spoil


FAULTS = {
    "no head": (again(lambda d: write(d, head="")), r"\.fix has not the expected form: a line COLS="),
    "fewer columns": (again(lambda d: write(d, cut=14)), r"\.fix has not .*another number of columns"),
    "no fixations": (lambda d: (d / "NUSEF_database" / "fix_data").rename(d / "f"), r"fix_data has no NAME/\*.fix"),
    "not unpacked": (lambda d: (d / "NUSEF_database" / "stimuli").rename(d / "stimuli"), r"stimuli is missing"),
}
