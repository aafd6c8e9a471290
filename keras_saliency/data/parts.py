"""Parts of files: where in a shard the bytes of an image lie."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Part:
    """Some bytes of a file.

    Attributes:
        file: The file.
        offset: The position of the first byte.
        length: How many there are.
        shape: Of the array of float32, the lowest byte first, that they are; None if they are an image file.
    """

    file: Path
    offset: int
    length: int
    shape: tuple[int, ...] | None = None

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it ends before they do.
        """
        with self.file.open("rb", buffering=0) as file:
            file.seek(self.offset)
            data = file.read(self.length)
        if len(data) < self.length:
            raise ValueError(
                f"{self.file} ends before byte {self.offset + self.length}: it is not whole. Write it again."
            )
        return data
