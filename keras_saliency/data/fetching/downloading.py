"""One file by HTTP: it goes on where it was interrupted, and is there whole or not at all."""

import functools
import hashlib
import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path

import requests
from requests import exceptions

from keras_saliency.data.facts import size_text
from keras_saliency.data.fetching.part import Part, total_of
from keras_saliency.writing.files import naming_full_disk, require_room

TRIES = 4  # in a row that brought less than a block
PAUSE = 1.0  # seconds before the second, and twice as long before each further one
SECONDS = (15.0, 60.0)  # to connect, and between two pieces
BLOCK = 1 << 18
BUSY = (408, 425, 429, 500, 502, 503, 504)
PAGE = re.compile(rb"<(!doctype html|html|head|body|script)\b", re.I)
# What is said of the errors of requests, which tell more than anybody wants to know.
SAID = {
    exceptions.SSLError: "no safe connection to the server can be made, its certificate may be out of date",
    exceptions.ChunkedEncodingError: "the connection broke",
    exceptions.ConnectionError: "the server cannot be reached, or does not answer",
    exceptions.Timeout: "the server does not answer",
    exceptions.TooManyRedirects: "the server sends from address to address",
}


class _InterruptedError(Exception):
    """Another try may bring the rest."""


class _RefusedError(Exception):
    """The server answers, and not with the file."""


_AGAIN = (_InterruptedError, exceptions.ChunkedEncodingError, exceptions.ConnectionError, exceptions.Timeout)


def download(
    address: str,
    file: Path,
    most: float,
    md5: str | None = None,
    tell: Callable[[int, int | None], object] = lambda done, total: None,
) -> str:
    """Fetches a file.

    What arrives is kept in a `Part` beside it, also after an error, and the next call goes on from there.

    Args:
        address: Its URL.
        file: Where to put it; nothing must be there.
        most: More bytes than these are an error.
        md5: The checksum that it must have; None where that is not known.
        tell: Called with the bytes that are there, and those of the whole or None.

    Returns:
        The checksum that it has.

    Raises:
        ValueError: If there is no such file, or the server sends a page of a website, more than `most`, or a file with
            another checksum.
        OSError: If it cannot be reached, the connection breaks again and again, or the disk is full.
    """
    part, failures = Part.of(file), 0
    with requests.Session() as session:
        while not part.is_whole():
            before = part.size
            try:
                _receive(session, address, part, most, tell)
                break
            except (*_AGAIN, exceptions.RequestException, _RefusedError) as error:
                failures = failures + 1 if part.size - before < BLOCK else 1
                if failures == TRIES or not isinstance(error, _AGAIN) or isinstance(error, exceptions.SSLError):
                    raise _final(address, file, part, error) from error
                time.sleep(PAUSE * 2 ** (failures - 1))
    found = md5_of(part.path)
    if md5 not in (None, found):
        part.delete()
        raise ValueError(
            f"{address} is damaged, or another edition: its md5 is {found}, and {md5} is published. It is deleted; "
            "try again."
        )
    part.path.rename(file)
    part.delete()
    return found


def length(address: str, file: Path) -> int | None:
    """The bytes of a file as its server tells them before it sends any; None if it does not tell.

    Args:
        address: Its URL.
        file: Where it is to be put.

    Raises:
        ValueError: If there is no such file.
        OSError: If it cannot be reached.
    """
    try:
        with requests.Session() as session, _ask(session, address, {}) as response:
            _require_file(response)
            return total_of(response)
    except (exceptions.RequestException, _InterruptedError, _RefusedError) as error:
        raise _final(address, file, Part.of(file), error) from error


def md5_of(file: Path) -> str:
    """The checksum of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _final(address, file, part, error):
    said = next((text for kind, text in SAID.items() if isinstance(error, kind)), str(error))
    resume = f" {size_text(part.size / 1e6)} are there, and the same command goes on from them." if part.size else ""
    text = f"{address} cannot be fetched: {said}.{resume} Or fetch it by hand, put it at {file}, and try again."
    return ValueError(text) if isinstance(error, _RefusedError) else OSError(text)


def _ask(session, address, headers):
    headers = {"Accept-Encoding": "identity", **headers}
    response = session.get(address, headers=headers, stream=True, timeout=SECONDS)
    # Servers call a .tar.gz compressed for the way, which it is not: it is taken as it lies there.
    response.raw.headers.pop("Content-Encoding", None)
    return response


def _require_file(response):
    if not response.ok:
        kind = _InterruptedError if response.status_code in BUSY else _RefusedError
        raise kind(f"the server answers {response.status_code} {response.reason}")


def _receive(session, address, part, most, tell):
    """Appends what is missing, or begins anew where the server does not go on."""
    with _ask(session, address, part.asking()) as response:
        if response.status_code == 416 or (response.status_code == 206 and not part.goes_on_with(response)):
            part.delete()
            raise _InterruptedError("the server has another file now")
        _require_file(response)
        total = total_of(response)
        if total is not None and total > most:
            raise _RefusedError(f"it has {size_text(total / 1e6)}, and at most {size_text(most / 1e6)} were expected")
        done = part.size if response.status_code == 206 else 0
        blocks = response.iter_content(BLOCK)
        first = next(blocks, b"")
        if not done and _is_page(response, first):
            raise _RefusedError(f"the server sent a page, not the file. Open {address} in a browser")
        require_room(part.path.parent, (total or done) - done)
        with naming_full_disk(part.path):
            if not done:
                part.begin(response, total)
            with part.path.open("ab") as out:
                for block in itertools.chain([first], blocks):
                    done += len(block)
                    if done > most:
                        break
                    out.write(block)
                    tell(done, total)
        if done > most:
            part.delete()
            raise _RefusedError(f"it has more than {size_text(most / 1e6)}, which were expected at most")
        if not done or (total is not None and done < total):
            raise _InterruptedError(f"the connection ended after {done} of {total or 'unknown'} bytes")


def _is_page(response, first):
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")
    html = response.headers.get("Content-Type", "").lower().startswith("text/html")
    return bool(PAGE.match(start)) or (html and start.startswith(b"<"))
