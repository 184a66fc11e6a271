"""A stand-in for the child that loads a model: the same protocol, an answer without a model.

What it does stands in the "model file" behind its first four bytes, as one JSON object: `say` the
answer; `die` with a signal at the `start` or in the middle of an `answer`; `hang` at the start;
`error` or `garbage` instead of an address; a `status` instead of an answer; `raw` text instead of
its end, or another `finish`. It notes each process and request beside the file.
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LONG = 300


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    path = Path(asked["path"])
    play: dict[str, Any] = json.loads(path.read_bytes()[4:] or b"{}")
    note(path, {"pid": os.getpid(), "asked": asked, "argv": sys.argv, "env": dict(os.environ)})
    if play.get("die") == "start":
        os.kill(os.getpid(), getattr(signal, play["signal"]))
    if play.get("hang"):
        time.sleep(LONG)
    if said := play.get("garbage") or play.get("error"):
        print(said if isinstance(said, str) else json.dumps(said), flush=True)
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(path, play, asked["key"]))
    server.daemon_threads = True
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
    server.serve_forever()


def note(path: Path, data: dict[str, Any]) -> None:
    with path.with_suffix(".notes").open("a") as notes:
        notes.write(f"{json.dumps(data)}\n")


def handler(path: Path, play: dict[str, Any], key: str) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != f"Bearer {key}":
                self.send_error(401)
                return
            note(path, {"body": body})
            if "status" in play:
                self.send_error(play["status"])
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for word in play.get("say", "Hello there").split():
                self._send({"choices": [{"index": 0, "delta": {"content": f"{word} "}}]})
            if play.get("die") == "answer":
                os.kill(os.getpid(), getattr(signal, play["signal"]))
            # Another thread may be the one that the signal meets, a moment later.
            if play.get("stall") or play.get("die"):
                time.sleep(LONG)
            if "raw" in play:
                self.wfile.write(play["raw"].encode())
                return
            finish = play.get("finish", "stop")
            self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
            self._send({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, data: object) -> None:
            self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

    return Answers


if __name__ == "__main__":
    main()
