"""Errors of readers that tell more than their text: what is concerned."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_saliency.data.samples import Samples


class UnusableError(ValueError):
    """Samples that make no data set, since where people looked is not in their images.

    Attributes:
        splits: The samples of each split.
    """

    def __init__(self, message: str, splits: "Mapping[str, Samples]") -> None:
        super().__init__(message)
        self.splits = splits


class MissingImagesError(FileNotFoundError):
    """Images that are not there.

    Attributes:
        names: What they are called.
        of: How many there should be.
    """

    def __init__(self, message: str, names: Sequence[str], of: int) -> None:
        super().__init__(message)
        self.names, self.of = names, of


class WrappedError(ValueError):
    """Numbers below zero that were stored without their sign.

    Attributes:
        cells: Some of them, with their places.
        count: How many there are.
        of: How many numbers the column has.
    """

    def __init__(self, message: str, cells: Sequence[str], count: int, of: int) -> None:
        super().__init__(message)
        self.cells, self.count, self.of = cells, count, of
