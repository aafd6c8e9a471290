from archives import dhf1k

EXPECTED = {
    "Diving-Side-001/Diving_Side_001_001": [(31, 0)],
    "Diving-Side-001/Diving_Side_001_002": [(31, 1)],
    "Golf-Swing-Back-002/Golf_Swing_Back_002_001": [(8, 7)],
    "Kicking-Front-003/Kicking_Front_003_001": [(7, 7)],
}
TESTING = "Kicking-Front-003"
SKIPPED = ["fixation maps tell no observers"]


def write(directory):
    for name, pixels in EXPECTED.items():
        part = "testing" if name.startswith(TESTING) else "training"
        dhf1k.write_frame(directory / part, name, pixels)


FAULTS = {
    "one for training": (
        lambda directory: (directory / "training" / "Diving-Side-001").rename(directory / "x"),
        "2 splits need 2 images at least. Received: 1",
    ),
}
