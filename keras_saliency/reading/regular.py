"""What has an end: a file, and no pipe or device, whose reader might wait for ever."""

from pathlib import Path


def require_regular(path: str | Path) -> None:
    """Lets through what is a file, and what is not there, which its reader will say.

    Raises:
        ValueError: If it is something else; names it.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no regular file, but a folder, pipe or device. Give the file itself.")
