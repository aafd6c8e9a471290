"""A web server that does what a test tells, archives for it, and disks that are full."""

import contextlib
import http.server
import io
import resource
import tarfile
import zipfile

STATE = '"first"'


class Server(http.server.ThreadingHTTPServer):
    """Answers with `answers[PATH]`, bytes or a function of the request; keeps what was asked in `asked`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked, self.state = {}, [], STATE

    def address(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.removeprefix("/")
        self.server.asked.append((path, self.headers.get("Range")))
        answer = self.server.answers.get(path)
        with contextlib.suppress(ConnectionError):
            if callable(answer):
                answer(self)
            elif answer is None:
                self.send_error(404)
            else:
                send(self, answer)

    def log_message(self, *arguments):
        pass


def send(request, content, upto=None, ranges=True, **headers):
    """Answers as a good server does; or ends the connection after the byte `upto`."""
    wanted, state = request.headers.get("Range"), request.headers.get("If-Range")
    same = state is None or (state == request.server.state and not state.startswith("W/"))
    start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and same and ranges else 0
    request.send_response(206 if start else 200)
    if start:
        headers = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}", **headers}
    if request.server.state:
        headers["ETag"] = request.server.state
    for name, value in {"Content_Length": len(content) - start, **headers}.items():
        if value is not None:
            request.send_header(name.replace("_", "-"), str(value))
    request.end_headers()
    request.wfile.write(content[start:upto])


def zipped(*entries):
    """A ZIP file of names, or `ZipInfo`, and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return buffer.getvalue()


def tarred(*entries, mode="w:gz"):
    """A tar file of names, or `TarInfo`, and contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, content in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@contextlib.contextmanager
def room_for(count):
    """Files can have no more bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
