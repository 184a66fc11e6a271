"""A model server on this machine for real agent programs, with a failure per address.

The rule a reader must not break: it listens on 127.0.0.1 only. The case is part of the URL
(`/s/cut/v1/responses`), so that one server serves every client and case.
"""

import json
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.stubs.client_dialects import (
    WORDED,
    Answer,
    ToolCall,
    dialect_of,
    events,
    has_result,
    is_side_request,
    refusal,
    write_call,
)

SECONDS = 3
ERRORS: dict[str, tuple[int, str, dict[str, str]]] = {
    "429": (429, "fake error 429", {"Retry-After": "1"}),
    "429-date": (429, "fake error 429", {"Retry-After": f"date:{SECONDS}"}),
    "429-ms": (429, "fake error 429", {"Retry-After-Ms": "1500"}),
    "429-text": (429, f"Rate limit reached. Please try again in {WORDED}s.", {}),
    "429-bare": (429, "fake error 429", {}),
    "429-long": (429, "fake error 429", {"Retry-After": "3600"}),
    "429-absurd": (429, "fake error 429", {"Retry-After": "99999999"}),
    "429-quota": (429, "You exceeded your current quota, please check your plan.", {}),
    "500": (500, "fake error 500", {}),
    "401": (401, "fake error 401", {}),
    "400": (400, "fake error 400", {}),
}
"""Status, words and headers; `date:3` becomes the date of three seconds later."""
BROKEN = {"cut", "hang-stream", "malformed"}
SAID = 3
"""Events with text before the stream breaks."""
LONG = 120.0
SLEEP = "sleep 287"
_CASE = re.compile(r"^/s/(?P<case>[\w-]+)/")
_FOLDER = re.compile(r"(?:<cwd>|working directory: |directory: )(?P<folder>/[^\s<\\\",]+)")


@contextmanager
def client_server() -> Iterator[str]:
    """The server, in a thread; its URL without the case."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_GET(self) -> None:
        self._json(200, {"data": [], "models": []})

    def do_POST(self) -> None:
        found = _CASE.match(self.path)
        case = found["case"] if found else "plain"
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        dialect = dialect_of(path)
        if not dialect:
            self._json(200, {"input_tokens": 1, "totalTokens": 1})
        elif is_side_request(dialect, body):
            self._stream("plain", dialect, body)
        elif case in ERRORS:
            status, words, headers = ERRORS[case]
            dated = {name: _dated(value) for name, value in headers.items()}
            self._json(*refusal(dialect, status, words), dated)
        elif case == "hang":
            self._wait()
        else:
            self._stream(case, dialect, body)

    def _stream(self, case: str, dialect: str, body: Mapping[str, object]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        said = 0
        for name, data in events(dialect, body, _answer(case, dialect, body)):
            said += '"delta"' in json.dumps(data) or '"text": "' in json.dumps(data)
            if case in BROKEN and said > SAID:
                break
            line = f"event: {name}\n" if name else ""
            self._chunk(f"{line}data: {json.dumps(data)}\n\n".encode())
        if case == "hang-stream":
            self._wait()
        elif case == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            if case == "malformed":
                self._chunk(b'data: {"half": "of an eve\n\n')
            elif dialect == "chat":
                self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _json(
        self, status: int, data: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _wait(self) -> None:
        """Silence, until the client goes away."""
        self.close_connection = True
        select.select([self.connection], [], [], LONG)


def _dated(value: str) -> str:
    """A header's value; `date:` with seconds as an HTTP date."""
    mark, _, seconds = value.partition(":")
    return formatdate(time.time() + float(seconds), usegmt=True) if mark == "date" else value


def _answer(case: str, dialect: str, body: Mapping[str, object]) -> Answer:
    if case == "empty":
        return Answer(text="")
    if case == "length":
        return Answer(is_cut=True)
    if has_result(body):
        return Answer()
    if case == "edit":
        found = _FOLDER.search(json.dumps(body))
        folder = found["folder"] if found else ""
        return Answer(call=write_call(dialect, body, folder))
    if case == "shell":
        return Answer(call=ToolCall("exec_command", {"cmd": SLEEP}))
    return Answer()
