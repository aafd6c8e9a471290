"""Synthetic video: motion that pops out, with a known fixation density of every frame, deterministic by seed.

Discs stand still, each somewhere on a circle of its own; in some frame one of them, drawn at random, begins to go
round. From then on it attracts most fixations. As each disc stands at a random place of its circle, the moving one in
every frame, too, a frame by itself holds nothing that tells it, and two in a row tell it exactly. What the best still
model can know is therefore known, and so is what motion adds to it, in bits (`Frame.still`).
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.splits import PARTS
from keras_saliency.data.synthetic import CENTRE_SPREAD, UNIFORM_SHARE, draw
from keras_saliency.formulas.types import Photograph, Plane

SIZE = (80, 112)
SPLITS = {"train": 40, "validation": 10, "test": 20}  # videos
LENGTH, BEGINS = 16, range(3, 9)  # frames of a video, and the positions at which something may begin to move
OBSERVERS, SIGMA = 12, 4.0  # each looks once in a frame
ROWS, COLUMNS = 3, 4  # of the discs
RADIUS, ORBIT, TURN = 3.5, 4.0, 2 * np.pi / 10  # of a disc and of its circle in pixels; how far it goes in a frame
SPREAD, OTHERS = 3.5, 0.1  # of the fixations on a disc; the share of all discs alike, once one moves
# What each disc attracts while each one moves, and, in the last row, while none does.
WEIGHTS = np.vstack([(1 - OTHERS) * np.eye(ROWS * COLUMNS), np.zeros(ROWS * COLUMNS)])
WEIGHTS += (1 - WEIGHTS.sum(1, keepdims=True)) / (ROWS * COLUMNS)
MOVES = np.mean([[i >= begin for i in range(1, LENGTH)] for begin in BEGINS])  # the share of frames with fixations


class Scene(NamedTuple):
    """What a video shows.

    Attributes:
        background: Its grey value.
        colours: The colour of each disc.
        centres: Of its circle, `(y, x)`, `(discs, 2)`.
        angles: Where on it each disc is before one moves, `(discs,)`.
        moving: The number of the disc that will.
        begin: The position of the first frame in which it has moved.
        turn: By how much it turns from one frame to the next.
    """

    background: int
    colours: list[list[int]]
    centres: np.ndarray
    angles: np.ndarray
    moving: int
    begin: int
    turn: float


class Frame(NamedTuple):
    """A frame.

    Attributes:
        image: Its pixels, `(height, width, 3)`, uint8.
        density: The density that its fixations are drawn from.
        still: The density by which who sees this frame alone predicts them best: the mean over all that may be so.
        moving: Where the disc is that moves, `(y, x)`; None as long as none does.
    """

    image: Photograph
    density: Plane
    still: Plane
    moving: tuple[float, float] | None


def read(seed: int = 0, splits: Mapping[str, int] | None = None) -> DataSet:
    """Makes the data set.

    Nobody has looked yet in the first frame of a video, which so has no fixations.

    Args:
        seed: Equal seeds make equal frames and fixations.
        splits: The number of videos in each split; by default `SPLITS`.

    Returns:
        The data set, whose samples are frames in the order of videos and know their `density`.
    """
    splits = splits or SPLITS
    ends = np.cumsum([0, *(splits[part] for part in PARTS)]).tolist()
    train, validation, test = (
        Samples([sample for number in range(*pair) for sample in _samples(number, seed)])
        for pair in itertools.pairwise(ends)
    )
    return DataSet("synthetic-video", train, validation, test)


def scene(number: int, seed: int = 0) -> Scene:
    """The scene of a video.

    Args:
        number: Of the video, from zero; those of the test split come last.
        seed: As in `read`.
    """
    rng = np.random.default_rng([seed, number])
    colours = [_colour(rng) for _ in range(ROWS * COLUMNS)]
    return Scene(
        background=int(rng.integers(90, 160)),
        colours=colours,
        centres=_centres(rng),
        angles=rng.uniform(0, 2 * np.pi, ROWS * COLUMNS),
        moving=int(rng.integers(ROWS * COLUMNS)),
        begin=int(rng.choice(BEGINS)),
        turn=TURN * int(rng.choice([-1, 1])),
    )


def frame(seen: Scene, i: int) -> Frame:
    """What a scene looks like in the frame at position `i`, and where people look then."""
    angles, moves = seen.angles.copy(), i >= seen.begin
    angles[seen.moving] += seen.turn * max(i - seen.begin + 1, 0)
    places = seen.centres + ORBIT * np.stack([np.sin(angles), np.cos(angles)], 1)
    densities = _densities(places)
    still = MOVES * densities[:-1].mean(0) + (1 - MOVES) * densities[-1]
    moving = tuple(places[seen.moving].tolist()) if moves else None
    density = densities[seen.moving if moves else -1].copy()
    return Frame(_picture(seen.background, seen.colours, places), density, still, moving)


def _samples(number, seed):
    rng = np.random.default_rng([seed, number, 1])
    name, shown = f"synthetic-video-{number:04d}", scene(number, seed)
    for i in range(LENGTH):
        image, density, *_ = frame(shown, i)
        ok, png = cv2.imencode(".png", image[..., ::-1])
        assert ok
        fixations = draw(density, rng, OBSERVERS, 1) if i else Fixations.from_rows([])
        yield Sample(f"{name}/{i + 1:04d}", png.tobytes(), SIZE, fixations, SIGMA, density, group=name, frame=i + 1)


def _centres(rng):
    """One in each cell of a grid, so that no two discs meet wherever they stand on their circles."""
    cell = np.divide(SIZE, (ROWS, COLUMNS))
    slack = cell / 2 - ORBIT - RADIUS
    grid = np.stack(np.mgrid[:ROWS, :COLUMNS], -1).reshape(-1, 2)
    return (grid + 0.5) * cell + rng.uniform(-slack, slack, grid.shape)


def _densities(places):
    """The density `(discs + 1, height, width)` while each disc moves, and, the last one, while none does."""
    away = [np.arange(side) + 0.5 - at[:, None] for side, at in zip(SIZE, places.T, strict=True)]
    middle = [((np.arange(side) + 0.5) / side - 0.5) / CENTRE_SPREAD for side in SIZE]
    down, across = (
        np.exp(-(np.square(one / SPREAD) + np.square(other)) / 2) for one, other in zip(away, middle, strict=True)
    )
    spots = down[:, :, None] * across[:, None]
    salience = np.einsum("kd,dhw->khw", WEIGHTS, spots)
    return (1 - UNIFORM_SHARE) * salience / salience.sum((1, 2), keepdims=True) + UNIFORM_SHARE / spots[0].size


def _colour(rng):
    return cv2.cvtColor(np.uint8([[[rng.integers(180), 220, 230]]]), cv2.COLOR_HSV2RGB)[0, 0].tolist()


def _picture(background, colours, places):
    image = np.full((*SIZE, 3), background, "uint8")
    for (y, x), colour in zip(places, colours, strict=True):
        at = round(16 * float(x - 0.5)), round(16 * float(y - 0.5))
        cv2.circle(image, at, round(16 * RADIUS), colour, cv2.FILLED, cv2.LINE_AA, shift=4)
    return image
