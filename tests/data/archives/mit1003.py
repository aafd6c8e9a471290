import cv2
import numpy as np
import scipy.io

from archives import write_image

SIZE = (96, 128)
LONG = "istatic_" + "submitted_by_many_people_" * 3  # MATLAB cuts names of variables after 63 letters
STRAY = "i05june05_static_street_boston_p1010764fixPts.jpg"
CENTRE, BLINK = (63.5, 47.5), (-500.5, -500.5)
# Image -> where each observer looked one after the other, and the first time, by force, in the centre.
LOOKED = {
    "i05june05_static_street_boston_p1010764": {"CNG": [CENTRE, (10, 10), (100, 10)], "ajs": [BLINK, (5, 90)]},
    "2_digits_first": {"CNG": [CENTRE, (120, 5), BLINK, (3, 60)], "ajs": [CENTRE, (90, 90)]},
    LONG: {"CNG": [CENTRE, (20, 70)], "ajs": [CENTRE]},
    "istatic_street": {"ajs": [CENTRE, (127, 95)]},
    "istatic_outdoor": {"ajs": [CENTRE, (0, 0)]},
    "unseen": {"CNG": [CENTRE]},
}
EXPECTED = {
    f"{stem}.jpeg": [pixel for stops in observers.values() for pixel in stops[1:] if pixel != BLINK]
    for stem, observers in LOOKED.items()
    if stem != "unseen"
}
SKIPPED = [
    "the first fixation of each of 9 recordings",
    "1 images have no file in DATA, the first is istatic_field",
    "unseen: the image has no fixations",
    "2_digits_first.jpeg: 1 of 4 fixations are outside the image",
]


def recording(stops, samples=40):
    """The samples of an eye that rests on the middle of one pixel after the other, and jumps between them."""
    return np.repeat(np.array(stops, float) + 0.5, samples, 0)


def write(directory):
    maps = directory / "ALLFIXATIONMAPS" / "ALLFIXATIONMAPS"
    maps.mkdir(parents=True)
    for stem, observers in LOOKED.items():
        pixels = EXPECTED.get(f"{stem}.jpeg", [])
        write_image(directory / "ALLSTIMULI" / f"{stem}.jpeg", pixels, SIZE)
        points = np.zeros(SIZE, "uint8")
        for column, row in pixels:
            points[row, column] = 255
        cv2.imwrite(str(maps / f"{stem}_fixPts.jpg"), points, [cv2.IMWRITE_JPEG_QUALITY, 75])
        cv2.imwrite(str(maps / f"{stem}_fixMap.jpg"), cv2.GaussianBlur(points, (0, 0), 3))
        for observer, stops in observers.items():
            samples = recording(stops)
            content = {"DATA": {"eyeData": np.c_[samples, np.zeros(len(samples))]}, "imgName": f"{stem}.jpeg"}
            save(directory, observer, stem, {f"x{stem}"[:63]: content})
    write_image(directory / "ALLSTIMULI" / "istatic_field.jpeg", [], SIZE)
    cv2.imwrite(str(maps / "istatic_field_fixPts.jpg"), np.zeros(SIZE, "uint8"))
    cv2.imwrite(str(maps / STRAY), np.zeros(SIZE, "uint8"))
    save(directory, "CNG", "shuff_stimnames", {"shuff": np.eye(2)})
    save(directory, "ajs", "CalibrationData", {"a": 1, "b": 2})
    (directory / "DATA" / "ajs" / "._unseen.mat").write_bytes(b"macOS")


def save(directory, observer, stem, content):
    folder = directory / "DATA" / observer
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / f"{stem}.mat", content, long_field_names=True)


def spoil(content):
    return lambda directory: save(directory, "ajs", "unseen", content)


FAULTS = {
    "a matrix": (spoil({"unseen": np.eye(3)}), r"ajs/unseen.mat has not .* DATA\(1\).eyeData is a matrix"),
    "two variables": (spoil({"a": np.eye(3), "b": 1}), "ajs/unseen.mat has not .* one variable, and it holds a, b"),
    "one column": (spoil({"a": {"DATA": {"eyeData": np.ones((9, 1))}}}), "ajs/unseen.mat has not .*eyeData"),
    "no samples": (lambda directory: (directory / "DATA").rename(directory / "D"), "DATA is missing. Unpack DATA.zip"),
    "no images": (lambda directory: (directory / "ALLSTIMULI").rename(directory / "A"), "Unpack ALLSTIMULI.zip"),
    "no image": (lambda directory: (directory / "ALLSTIMULI/2_digits_first.jpeg").unlink(), "images of DATA .*2_dig"),
}
