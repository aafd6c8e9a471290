from archives import dhf1k

FOLDERS = {"actioncliptrain": "training", "actioncliptest": "testing"}
# Two shots of a video, and videos of one.
EXPECTED = {
    "actioncliptrain00001_1/actioncliptrain00001_00001": [(31, 0)],
    "actioncliptrain00001_1/actioncliptrain00001_00002": [],
    "actioncliptrain00001_2/actioncliptrain00001_00003": [(4, 9), (0, 23)],
    "actioncliptrain00005_1/actioncliptrain00005_00001": [(8, 7)],
    "actioncliptest00002_1/actioncliptest00002_00001": [(7, 7)],
}
SKIPPED = ["1 of 5 frames have no fixations", "fixation maps tell no observers"]


def write(directory):
    for name, pixels in EXPECTED.items():
        dhf1k.write_frame(directory / FOLDERS[name.partition("0")[0]], name, pixels)


FAULTS = {
    "a frame without a map": (
        lambda directory: next((directory / "testing").rglob("fixation/*.png")).unlink(),
        "actioncliptest00002_1 has no fixation maps",
    ),
    "no tests": (
        lambda directory: (directory / "testing").rename(directory / "x"),
        "testing is missing, or has no videos. Unpack hollywood2 there",
    ),
}
