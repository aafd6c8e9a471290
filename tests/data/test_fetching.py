"""Data sets, and files, from a server that may do anything."""

import contextlib
import dataclasses
import errno
import gzip
import hashlib
import json
import shutil
import sys
import threading
import time
import types

import numpy as np
import pytest
import typer
from conftest import run_command
from served import STATE, Server, names, room_for, send, tarred, zipped

import keras_saliency as ks
from keras_saliency import cli
from keras_saliency.data import facts as facts_module
from keras_saliency.data.facts import FACTS, Archive, Facts
from keras_saliency.data.fetching import downloading
from keras_saliency.writing.locks import lock

BYTES = np.random.default_rng(0).integers(0, 256, 100_000, "uint8").tobytes()
MD5 = hashlib.md5(BYTES).hexdigest()
COMPRESSED = gzip.compress(BYTES, mtime=0)


@pytest.fixture(scope="module")
def running():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(running, monkeypatch):
    running.answers, running.asked, running.state = {"data.bin": BYTES}, [], STATE
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    monkeypatch.setattr(downloading, "BLOCK", 1000)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return running


def get(server, folder, name="data.bin", most=1e9, **options):
    downloading.download(server.address(name), folder / name, most, **options)
    return (folder / name).read_bytes()


# One file.


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server, tmp_path):
    ends = [30_000, 40_000, 50_000, 60_000, 70_000]  # more often than a server may fail
    cuts = iter([*ends, None])
    server.answers["data.bin"] = lambda request: send(request, BYTES, next(cuts))
    told = []
    assert get(server, tmp_path, md5=MD5, tell=lambda *counts: told.append(counts)) == BYTES
    assert [asked for _, asked in server.asked] == [None, *(f"bytes={end}-" for end in ends)]
    assert told[-1] == (len(BYTES), len(BYTES)) and names(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("state", [STATE, 'W/"weak"', None])
def test_a_call_goes_on_from_what_an_earlier_one_has_left(state, server, tmp_path):
    server.state = state
    server.answers["data.bin"] = lambda request: send(request, BYTES, 40_000)
    with pytest.raises(OSError, match=r"connection .* 0.04 MB are there, and the same command goes on from them"):
        get(server, tmp_path)
    assert len(server.asked) == downloading.TRIES and "data.bin" not in names(tmp_path)
    server.answers["data.bin"], server.asked[:] = BYTES, []
    told = []
    assert get(server, tmp_path, tell=lambda done, total: told.append(done)) == BYTES
    assert server.asked == [("data.bin", "bytes=40000-")] and names(tmp_path) == ["data.bin"]
    assert min(told) > 40_000


def leave_part(server, folder):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError):
        patch.setattr(downloading, "TRIES", 1)
        patch.setitem(server.answers, "data.bin", lambda request: send(request, BYTES, 40_000))
        get(server, folder)
    server.asked.clear()


@pytest.mark.parametrize(
    ("state", "answer"),
    {
        "ignores ranges": (STATE, lambda request: send(request, BYTES[::-1], ranges=False)),
        "has another file now": ('"second"', lambda request: send(request, BYTES[::-1])),
        "goes on elsewhere": (
            STATE,
            lambda request: (
                send(request, BYTES[::-1], Content_Range="bytes 7-9/100000")
                if request.headers.get("Range")
                else send(request, BYTES[::-1])
            ),
        ),
        "has no such range": (
            STATE,
            lambda request: request.send_error(416) if request.headers.get("Range") else send(request, BYTES[::-1]),
        ),
    }.values(),
)
def test_a_server_that_does_not_go_on_begins_anew(state, answer, server, tmp_path):
    leave_part(server, tmp_path)
    server.state, server.answers["data.bin"] = state, answer
    assert get(server, tmp_path) == BYTES[::-1]
    assert server.asked[0] == ("data.bin", "bytes=40000-") and names(tmp_path) == ["data.bin"]


def test_a_part_that_is_whole_is_not_asked_for(server, tmp_path):
    leave_part(server, tmp_path)
    (tmp_path / ".part.data.bin").write_bytes(BYTES)
    assert get(server, tmp_path, md5=MD5) == BYTES and server.asked == []


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(ValueError, match=f"its md5 is {MD5}, and 123 is published. It is deleted; try again"):
        get(server, tmp_path, md5="123")
    assert names(tmp_path) == []


def redirect(request):
    request.send_response(302)
    request.send_header("Location", "/data.bin")
    request.end_headers()


def compressed_for_the_way(request):
    send(request, COMPRESSED, Content_Encoding="gzip")


def in_chunks(request):
    request.protocol_version = "HTTP/1.1"
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"186a0\r\n" + BYTES + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (redirect, BYTES),
        (compressed_for_the_way, COMPRESSED),
        (in_chunks, BYTES),
        (lambda request: send(request, BYTES, Content_Length=None), BYTES),
        (lambda request: send(request, BYTES, Content_Length=500), BYTES[:500]),
    ],
)
def test_what_a_server_sends_is_taken_as_it_is(answer, content, server, tmp_path):
    server.answers["file"] = answer
    assert get(server, tmp_path, "file") == content


def endless(request):
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(BYTES)


def silent(request):
    request.send_response(200)
    request.send_header("Content-Length", "10")
    request.end_headers()
    time.sleep(2)


def busy(request):
    request.send_error(503, "Busy")


def round_and_round(request):
    request.send_response(302)
    request.send_header("Location", request.path)
    request.end_headers()


PAGES = [
    lambda request: send(request, b"\n<!DOCTYPE html><title>Sign in</title>"),
    lambda request: send(request, b"<!-- quota --><p>Too many have fetched this.", Content_Type="text/html; charset=x"),
]


@pytest.mark.parametrize(
    ("answer", "error", "message", "tries"),
    [
        (None, ValueError, "the server answers 404 Not Found", 1),
        *((page, ValueError, "sent a page, not the file. Open http://127.*/file in a browser", 1) for page in PAGES),
        (endless, ValueError, "it has more than 1 MB, which were expected", 1),
        (lambda request: send(request, b"", Content_Length=2_000_000), ValueError, "it has 2 MB, and at most 1 MB", 1),
        (busy, OSError, "the server answers 503 Busy", 4),
        (silent, OSError, "does not answer", 4),
        (lambda request: None, OSError, "cannot be reached", 4),
        (lambda request: send(request, BYTES, 0), OSError, "the connection ", 4),
        (lambda request: send(request, b""), OSError, "the connection ended after 0 of unknown bytes", 4),
        (round_and_round, OSError, "from address to address", 31),
    ],
)
def test_what_a_server_does_wrong_is_one_error(answer, error, message, tries, server, tmp_path, monkeypatch):
    if answer == silent:
        monkeypatch.setattr(downloading, "SECONDS", (5.0, 0.25))
    if answer:
        server.answers["file"] = answer
    with pytest.raises(error, match=message) as raised:
        get(server, tmp_path, "file", most=1e6)
    assert f"put it at {tmp_path / 'file'}, and try again" in str(raised.value) and "\n" not in str(raised.value)
    assert len(server.asked) == tries and not (tmp_path / "file").exists()
    assert not any(path.stat().st_size for path in tmp_path.glob(".part.file"))


def test_a_server_that_cannot_be_trusted_is_not_asked_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "PAUSE", "never")
    with pytest.raises(OSError, match="no safe connection to the server can be made"):
        downloading.download(server.address("data.bin").replace("http", "https"), tmp_path / "file", 1e9)


def test_a_page_leaves_what_was_fetched_before(server, tmp_path):
    leave_part(server, tmp_path)
    server.answers["data.bin"] = lambda request: send(request, b"<html>Sign in", ranges=False)
    with pytest.raises(ValueError, match="a page"):
        get(server, tmp_path)
    assert (tmp_path / ".part.data.bin").read_bytes() == BYTES[:40_000]


def test_a_full_disk_is_one_error_and_what_was_fetched_stays(server, tmp_path):
    with room_for(50_000), pytest.raises(OSError, match=r"Make room and try again: '.*data.bin'"):
        get(server, tmp_path)
    assert 0 < (tmp_path / ".part.data.bin").stat().st_size <= 50_000
    assert get(server, tmp_path, md5=MD5) == BYTES and server.asked[1][1] is not None


def test_the_disk_is_asked_for_room_first(server, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=99_999))
    with pytest.raises(OSError, match="0 MB are needed and 0 MB are free. Make room") as raised:
        get(server, tmp_path)
    assert raised.value.errno == errno.ENOSPC and names(tmp_path) == []


# Data sets.


@pytest.fixture
def small(server, monkeypatch):
    """A data set of two archives and a file of which no checksum is known."""
    server.answers |= {"stimuli.zip": zipped(("stimuli/a.jpg", BYTES)), "eye.tgz": tarred(("maps/a.png", b"1"))}
    archives = (
        Archive(server.address("stimuli.zip"), hashlib.md5(server.answers["stimuli.zip"]).hexdigest(), 0.1),
        Archive(server.address("eye.tgz"), hashlib.md5(server.answers["eye.tgz"]).hexdigest(), 0.1, into="eye"),
        Archive(server.address("data.bin"), None, 0.1, into="eye", name="fixations.mat"),
    )
    row = Facts("Small (A. Nobody 2026)", 1, 1, "free viewing", None, "none stated", "https://small", archives)
    monkeypatch.setitem(FACTS, "small", row)
    return row


FILES = [".fetched.json", ".lock", "eye/fixations.mat", "eye/maps/a.png", "stimuli/a.jpg"]


def command(monkeypatch, capsys, *arguments):
    return run_command(monkeypatch, capsys, "data", *arguments)


def test_a_data_set_is_fetched_once(small, server, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "small"
    code, text = command(monkeypatch, capsys, "fetch", "small", folder)
    assert code == 0 and names(folder) == FILES
    assert "Licence: none stated. Its authors: https://small" in text
    assert f"fixations.mat: no checksum is published; md5 {MD5}" in text and "stimuli.zip: no" not in text
    assert f"Go on with: keras-saliency data check small={folder}" in text
    server.asked.clear()
    assert ks.data.fetch("small", folder) == folder and server.asked == []
    assert "small is complete in" in capsys.readouterr().out
    (folder / "eye" / "maps" / "a.png").unlink()
    ks.data.fetch("small", folder, verbose=False)
    assert server.asked == [("eye.tgz", None)] and names(folder) == FILES and capsys.readouterr().out == ""
    replace(monkeypatch, small, md5=MD5)
    with pytest.raises(ValueError, match=f"another edition: its md5 is .*, and {MD5} is published"):
        ks.data.fetch("small", folder)


def test_the_folder_is_where_the_data_set_is_looked_for(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_SALIENCY_DATA", raising=False)
    assert ks.data.fetch("small").resolve() == tmp_path / "small"
    monkeypatch.setenv("KERAS_SALIENCY_DATA", str(tmp_path / "all"))
    assert ks.data.fetch("small") == tmp_path / "all" / "small"
    monkeypatch.setitem(facts_module.WITHIN, "small", "large")
    assert ks.data.fetch("small") == tmp_path / "all" / "large"
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file. Choose another folder for small"):
        ks.data.fetch("small", tmp_path / "file")


def test_what_was_fetched_by_hand_is_taken(small, server, tmp_path):
    (tmp_path / "stimuli.zip").write_bytes(server.answers["stimuli.zip"])
    (tmp_path / "eye.tgz").write_bytes(b"another")
    with pytest.raises(ValueError, match="eye.tgz is there already, and is not what was published: its md5 is"):
        ks.data.fetch("small", tmp_path)
    assert (tmp_path / "eye.tgz").read_bytes() == b"another"
    (tmp_path / "eye.tgz").unlink()
    ks.data.fetch("small", tmp_path)
    assert [name for name, _ in server.asked] == ["eye.tgz", "data.bin"]
    assert names(tmp_path) == [*FILES[:4], "stimuli.zip", FILES[4]]


def test_an_interrupted_data_set_goes_on_with_what_is_missing(small, server, tmp_path):
    good = server.answers["eye.tgz"]
    server.answers["eye.tgz"] = busy
    with pytest.raises(OSError, match="503"):
        ks.data.fetch("small", tmp_path)
    server.answers["eye.tgz"], server.asked[:] = good, []
    ks.data.fetch("small", tmp_path)
    assert [name for name, _ in server.asked] == ["eye.tgz", "data.bin"] and names(tmp_path) == FILES


def test_two_processes_do_not_fetch_into_one_folder(small, server, tmp_path):
    with contextlib.ExitStack() as held:
        lock(tmp_path, held, "")
        with pytest.raises(ValueError, match="Another process fetches into .* Wait for it, or choose another folder"):
            ks.data.fetch("small", tmp_path)
    assert server.asked == []
    ks.data.fetch("small", tmp_path)


def replace(monkeypatch, row, **changes):
    archive = dataclasses.replace(row.archives[0], **changes)
    monkeypatch.setitem(FACTS, "small", dataclasses.replace(row, archives=(archive,)))


def test_an_archive_that_cannot_be_used_is_deleted_unless_it_is_mine(small, server, tmp_path, monkeypatch):
    replace(monkeypatch, small, md5=None)
    server.answers["stimuli.zip"] = server.answers["stimuli.zip"][:-9]
    with pytest.raises(ValueError, match="is damaged, or no ZIP or tar file .* It is deleted: fetch again"):
        ks.data.fetch("small", tmp_path)
    assert names(tmp_path) == [".lock"]
    (tmp_path / "stimuli.zip").write_bytes(b"mine")
    with pytest.raises(ValueError, match="Move it away and fetch again"):
        ks.data.fetch("small", tmp_path)
    assert (tmp_path / "stimuli.zip").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("known", "told", "said"),
    [(1001.0, 0, "1.0 GB"), (None, 2_500_000_000, "2.5 GB"), (None, None, "of unknown size")],
)
def test_more_than_a_gigabyte_is_asked_for(known, told, said, small, server, tmp_path, monkeypatch, capsys):
    replace(monkeypatch, small, megabytes=known)
    content = server.answers["stimuli.zip"]
    if known is None:
        server.answers["stimuli.zip"] = lambda request: send(request, content, Content_Length=told)
    code, text = command(monkeypatch, capsys, "fetch", "small", tmp_path / "a")
    assert code == 1 and f"error: small is {said}, and nobody agreed to fetch it: give --yes" in text
    questions, answers = [], iter([False, True])
    monkeypatch.setattr(typer, "confirm", lambda text: questions.append(text) or next(answers))
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(cli.console, "_force_terminal", True)
    assert command(monkeypatch, capsys, "fetch", "small", tmp_path / "a")[0] == 1
    assert questions == [f"small is {said}. Fetch it?"] and not (tmp_path / "a").exists()
    if told != 2_500_000_000:  # of which the server has a little
        assert command(monkeypatch, capsys, "fetch", "small", tmp_path / "a")[0] == 0
        assert command(monkeypatch, capsys, "fetch", "small", tmp_path / "b", "--yes")[0] == 0
        assert len(questions) == 2


def test_a_file_of_unknown_size_that_is_not_there_is_one_error(small, server, tmp_path, monkeypatch):
    replace(monkeypatch, small, megabytes=None)
    server.answers.clear()
    with pytest.raises(
        ValueError, match=r"404 Not Found\. Or fetch it by hand, put it at .*stimuli.zip, and try again"
    ):
        ks.data.fetch("small", tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_what_cannot_be_fetched_says_where_it_is(small, tmp_path, monkeypatch, capsys):
    for changes, reason in (({"archives": ()}, "no archive of it is known"), ({"form": "Ask them."}, "Ask them")):
        monkeypatch.setitem(FACTS, "small", dataclasses.replace(small, **changes))
        code, text = command(monkeypatch, capsys, "fetch", "small", tmp_path / "small")
        assert code == 1 and f"error: small cannot be fetched: {reason}. Get it by hand from https://small" in text
    code, text = command(monkeypatch, capsys, "fetch", "smal")
    assert code == 1 and "error: Unknown data set 'smal'. Those that are published: cat2000, " in text


def test_a_record_that_cannot_be_read_is_one_error(small, tmp_path):
    for content in ("{", "[1]", json.dumps([{"address": "x"}])):
        (tmp_path / ".fetched.json").write_text(content)
        with pytest.raises(ValueError, match=r".fetched.json cannot be used .* Delete it and fetch again"):
            ks.data.fetch("small", tmp_path)


# The table.


def test_the_files_of_a_data_set_have_names_of_their_own():
    for name, row in FACTS.items():
        files = [archive.file for archive in row.archives]
        assert len(set(files)) == len(files) and all(file and "/" not in file for file in files), name


def test_the_list_shows_what_there_is_room_for(small, monkeypatch, capsys):
    monkeypatch.setitem(FACTS, "other", dataclasses.replace(small, images=None, observers=None))
    code, text = command(monkeypatch, capsys, "list")
    assert code == 0 and "small 1 1 free viewing none stated 0.3 MB https://small" in text and "None" not in text
    assert "osie" in text and "A wider terminal" not in text
    monkeypatch.setattr(cli.console, "_width", 60)
    monkeypatch.setattr(sys, "argv", ["keras-saliency", "data", "list"])
    with contextlib.suppress(SystemExit):
        cli.main()
    narrow = capsys.readouterr().out
    assert (
        "A wider terminal shows" in narrow and "https://small" not in narrow and max(map(len, narrow.split("\n"))) < 90
    )


@pytest.mark.parametrize(
    ("address", "file", "packed"),
    [
        ("http://x/a/ALL%20STIMULI.zip", "ALL STIMULI.zip", True),
        ("https://drive.usercontent.google.com/download?id=1g8j-hT_T&export=download&confirm=t", "1g8j-hT_T", True),
        ("https://osf.io/download/hkvj5/", "hkvj5", True),
        ("https://www.dropbox.com/s/7t2/fixations.json.ZIP?dl=1", "fixations.json.ZIP", True),
        ("https://x/data.tar.gz", "data.tar.gz", True),
        ("https://x/all.mat?raw=True", "all.mat", False),
    ],
)
def test_what_a_file_is_called(address, file, packed):
    assert (Archive(address).file, Archive(address).packed) == (file, packed)
    assert Archive(address, name="eye.mat").file == "eye.mat" and not Archive(address, name="eye.mat").packed


def test_the_size_of_a_download():
    def size(*megabytes, form=None):
        archives = tuple(Archive(f"http://x/{i}", megabytes=size) for i, size in enumerate(megabytes))
        return Facts("X", 1, 1, "", None, "", "", archives, form).download

    sizes = [size(), size(40.0, 2.5), size(999.9), size(4000.0, 100.0), size(40.0, None), size(None)]
    assert sizes == ["", "42.5 MB", "1000 MB", "4.1 GB", "over 40 MB", "unknown"]
    assert size(1.0, form="Ask them.") == "by hand"
