"""The table of faults: what finds each, what is counted, and what to do about it. Causes come before consequences."""

from collections.abc import Callable
from typing import NamedTuple

from keras_saliency.data.doctor import editions, files, images, maps, observers, places
from keras_saliency.data.doctor.finding import Examined, Found


class Fault(NamedTuple):
    """A row of `FAULTS`.

    Attributes:
        find: What finds it.
        counted: What is counted.
        remedy: What to do; names in braces are `Found.words`.
        unless: Faults of which it is a consequence: nothing is said of it where one of them is found.
    """

    find: Callable[[Examined], Found | None]
    counted: str
    remedy: str
    unless: tuple[str, ...] = ()


FRAME = ("x and y swapped", "coordinates of the screen")
LEVELS = ("inverted maps", "lossy maps read above 0")  # where pixels were taken for fixations
FAULTS: dict[str, Fault] = {
    "unmatched names": Fault(
        files.unmatched, "names", "Call map, row and image alike; where two folders have one name, with its folder."
    ),
    "unreadable files": Fault(files.unreadable, "files", "Save them again, or get them again from their source."),
    "maps of another size": Fault(
        maps.wrong_size, "images", "Make fixation maps from the coordinates again; scale density maps to their images."
    ),
    "binary maps saved as JPEG": Fault(
        maps.lossy, "maps", "Save them as PNG or NPY; from these, take what is above 127, and not what is above 0."
    ),
    "inverted maps": Fault(maps.inverted, "maps", "Make bright what was looked at: 255 minus the map."),
    "lossy maps read above 0": Fault(
        maps.ringing, "images", "JPEG leaves something all around each point: take what is above 127, not above 0."
    ),
    "edition of SALICON": Fault(
        editions.other_edition,
        "files",
        "They look like {looks}: say edition={looks}, or unpack those of {said}.",
    ),
    "EXIF orientation": Fault(
        images.turned,
        "images",
        "Images are read upright. Where observers saw them as they are stored, save them without EXIF data.",
    ),
    "duplicate images across splits": Fault(
        images.twice, "images", "Keep one of each pair, or give both one split in the column split."
    ),
    "two widths of screenshots": Fault(
        images.two_widths,
        "images",
        "Widths are {widths}. Was the page the same in both? If not, keep one of them, or cut images and coordinates.",
    ),
    "x and y swapped": Fault(
        places.swapped,
        "fixations",
        'Of a table: --columns x=y --columns y=x, or "columns": {{"x": "y", "y": "x"}} in {file}, with what they are '
        "called in it.",
    ),
    "coordinates of the screen": Fault(
        places.on_screen,
        "fixations",
        "Say how the images were shown: --screen {option} --stimulus centred, fitted or stretched; or in {file} "
        '"screen": {screen}, "stimulus": "centred".',
        ("x and y swapped",),
    ),
    "values that wrapped around": Fault(
        places.wrapped, "fixations", "Subtract {power} from such cells; below zero they are outside, and left out."
    ),
    "fixations outside": Fault(
        places.outside,
        "fixations",
        "They are left out. Look at the picture: are units, origin, screen and stimulus as they were?",
        (*FRAME, "values that wrapped around", "EXIF orientation", "edition of SALICON"),
    ),
    "fixations clipped to the edge": Fault(
        places.clipped,
        "fixations",
        "They were outside. Take the coordinates as they were before that, or delete these rows.",
        (*FRAME, *LEVELS),
    ),
    "one-based coordinates": Fault(
        places.one_based,
        "fixations",
        "Of pixels that are counted from one the centres are 0.5 before: {halves}.",
    ),
    "observers without data": Fault(
        observers.without_data, "observers", "Delete their rows, or find out why nothing of them is inside an image."
    ),
    "an observer twice": Fault(
        observers.twice, "observers", "Keep one of them: a table or an export may have been added twice."
    ),
    "forced first fixation": Fault(
        observers.forced_first,
        "fixations",
        "They are where the cross was, at {at}: delete the first row of each observer and image.",
        (*FRAME, *LEVELS),
    ),
    "fixations after the picture": Fault(
        observers.after_picture,
        "fixations",
        'They are where the next cross is, at {at}: delete rows after the picture; of an export: "phase".',
        (*FRAME, *LEVELS),
    ),
    "refused by the reader": Fault(
        files.refused, "data sets", "Do what it says, and check again: the rest could not be looked at.", FRAME
    ),
}
