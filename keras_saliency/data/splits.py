"""Which split an image belongs to, where nobody has said so: by the hash of its name, never by its position."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

PARTS = ("train", "validation", "test")
# What splits are called elsewhere.
CALLED = {**{part: part for part in PARTS}, "training": "train", "val": "validation", "valid": "validation"}
SHARES = {"test": 0.15, "validation": 0.15}  # of the images; the rest is for training
HALVES = {"test": 0.5}  # of official validation images, where what was seen of the test images is withheld


def by_folder(names: Sequence[str]) -> list[str]:
    """The split of each image from the outermost folder in its name, where all have one that is called as a split.

    Else it is that of `by_hash`.
    """
    outer = [PurePosixPath(name).parts[0].lower() for name in names]
    return [CALLED[folder] for folder in outer] if {*outer} <= {*CALLED} else by_hash(names)


def place_of(name: str) -> float:
    """Where the hash of a name lies between 0 and 1."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def by_hash(names: Sequence[str], shares: Mapping[str, float] = SHARES, rest: str = "train") -> list[str]:
    """The split of each image: equal names are on one side, and an image stays where it is when others come.

    Each split gets one name at least, the one whose hash is nearest: in small sets none may fall to it.

    Args:
        names: The names of the images, or of what images have in common that must stay together.
        shares: The share of the names that each split gets.
        rest: The split that gets the others.

    Raises:
        ValueError: If there are fewer names than splits.
    """
    place = {name: place_of(name) for name in names}
    order = sorted(place, key=lambda name: place[name])
    if len(order) <= len(shares):
        count = len(shares) + 1
        raise ValueError(
            f"{count} splits need {count} images at least. Received: {len(order)}. Give more, or, of a table, a column "
            "of splits."
        )
    found: dict[str, str] = {}
    start, end = 0, 0.0
    for i, (part, share) in enumerate(shares.items()):
        end += share
        most = len(order) - (len(shares) - i)  # so that one is left for each of the others
        stop = min(max(start + 1, sum(place[name] < end for name in order)), most)
        found |= dict.fromkeys(order[start:stop], part)
        start = stop
    return [found.get(name, rest) for name in names]
