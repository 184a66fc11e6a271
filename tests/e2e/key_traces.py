"""Keys that were made up, servers and programs that give them away, and who looks for traces.

The rule a reader must not break: a search that finds nothing proves something only if it finds a
key where it stands; `Traces.found` is tried on the key file itself.
"""

import base64
import gzip
import json
import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.stubs.openai_server import DONE, EVENTS, JSON, delta

KEYS = {
    "ENV_KEY": 'sk-Env+made/up"0123456789-environment',
    "FILE_KEY": "sk-File+made/up'0123456789-key-file",
    "RING_KEY": "sk-Ring+made/up\\0123456789-keyring",
    "CLIENT_KEY": "sk-Client+made/up%0123456789-program",
    "PLUGIN_KEY": "sk-Plugin+made/up&0123456789-package",
    "GOOD_KEY": "sk-Good+made/up=0123456789-answers",
}
"""Long enough, with the characters that each encoding changes."""


def encodings(key: str) -> dict[str, bytes]:
    """What a key may look like; of base64 the part that is the same at every place it can have."""
    raw = key.encode()
    forms = {
        "plain": raw,
        "url": quote(key, safe="").encode(),
        "url, slashes kept": quote(key).encode(),
        "form": quote_plus(key).encode(),
        "json": json.dumps(key)[1:-1].encode(),
        "json twice": json.dumps(json.dumps(key)[1:-1])[1:-1].encode(),
        "repr": repr(key)[1:-1].encode(),
        "half": raw[: len(raw) // 2 + 4],
    }
    for shift in range(3):
        for name, encode in (("", base64.standard_b64encode), ("url", base64.urlsafe_b64encode)):
            text = encode(b"\0" * shift + raw).rstrip(b"=")
            forms[f"base64{name} {shift}"] = text[4 if shift else 0 : -1]
    return forms


@dataclass
class Traces:
    """Looks for every key in every form; `found` says where one stands."""

    seen: list[str] = field(default_factory=list)

    def found(self, data: bytes, where: str) -> bool:
        hits = [
            f"{where}: {name} ({form})"
            for name, key in KEYS.items()
            for form, encoded in encodings(key).items()
            if encoded in data
        ]
        self.seen += hits
        return bool(hits)

    def look_below(self, folder: Path, *, but: tuple[Path, ...] = ()) -> None:
        """Every name and content below a folder: databases, git objects and archives opened."""
        for path in sorted(folder.rglob("*")):
            self.found(os.fsencode(path.relative_to(folder)), f"name {path}")
            if path in but or not path.is_file() or path.is_symlink():
                continue
            data = path.read_bytes()
            for number, inside in enumerate(_opened(path, data)):
                self.found(inside, f"{path} [{number}]")
        for repository in folder.rglob("objects"):
            self.found(_objects(repository.parent), f"objects of {repository.parent}")

    def look_at_processes(self) -> None:
        """The argument list of every process of this machine."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                self.found(entry.read_bytes(), f"arguments of {entry}")


def _opened(path: Path, data: bytes) -> Iterator[bytes]:
    yield data
    with suppress(zlib.error):
        yield zlib.decompress(data)
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(data)
    if data.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as database:
            yield "\n".join(database.iterdump()).encode("utf-8", "replace")


def _objects(repository: Path) -> bytes:
    """The content of every object of a git repository, packed or not."""
    done = subprocess.run(
        ["git", "--git-dir", repository, "cat-file", "--batch-all-objects", "--batch"],
        capture_output=True,
        check=False,
    )
    return done.stdout


def telling(traces: Traces, got: list[str], how: str) -> App:
    """A server that gives away what it was authorized with: in an error, a page, or an answer."""

    async def app(request: AppRequest, reply: Reply) -> None:
        traces.look_at_processes()
        sent = request.headers.get("authorization", "")
        got.append(sent)
        key = sent.removeprefix("Bearer ")
        said = " ".join(
            (sent, quote(key, safe=""), base64.b64encode(sent.encode()).decode(), repr(key))
        )
        if how == "error":
            await reply.start(401, JSON)
            await reply.send(json.dumps({"error": {"message": f"bad key {said}"}}).encode())
        elif how == "page":
            await reply.start(500, {"content-type": "text/html"})
            await reply.send((f"<p>{key}</p>" * 100 + said).encode())
        else:
            await reply.start(200, EVENTS)
            for at in range(0, len(said), 7):
                await reply.send(delta(said[at : at + 7]))
            await reply.send(delta(None, finish="stop"))
            await reply.send(DONE)

    return app


CLIENT = """\
import json, os, pathlib, sys
sys.stdin.read()
told = json.dumps(dict(os.environ))
pathlib.Path({report!r}).write_text(told)
cmdlines = []
for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        cmdlines.append(entry.read_bytes().decode("utf-8", "replace"))
    except OSError:
        pass
pathlib.Path({processes!r}).write_text("\\n".join(cmdlines))
print(told, file=sys.stderr)
if {fails}:
    sys.exit("fatal: " + told)
def say(event):
    print(json.dumps(event))
for at in range(0, len(told), 50):
    text = {{"type": "text_delta", "text": told[at : at + 50]}}
    say({{"type": "stream_event", "event": {{"type": "content_block_delta", "delta": text}}}})
say({{"type": "result", "is_error": False, "result": told, "stop_reason": "end_turn"}})
"""


def telling_program(folder: Path, name: str, *, fails: bool) -> Path:
    """A client that prints its environment, as its answer or as its last words."""
    script = folder / f"{name}.py"
    report, processes = folder / f"{name}.report", folder / f"{name}.processes"
    script.write_text(CLIENT.format(report=str(report), processes=str(processes), fails=fails))
    program = folder / name
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{script}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


PLUGIN = """
from orchestra_tui.adapter_api import AdapterInfo

class Telling:
    def __init__(self, context):
        self.key = context.api_key.get_secret_value()
    def info(self):
        return AdapterInfo(name="x", model="m", provider="telling")
    async def is_available(self):
        raise RuntimeError(self.key)
    async def close(self):
        raise RuntimeError(f"closing with {self.key}")
    async def execute(self, request, on_delta):
        on_delta(self.key)
        raise RuntimeError(f"a crash with {self.key} and {self.key!r}")

build = Telling
"""


def telling_package(folder: Path) -> Path:
    """A folder for the path with a package whose adapter crashes with the key in its words."""
    info = folder / "telling-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "telling.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: telling\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[orchestra_tui.adapters]\ntelling = telling:build\n")
    return folder


def configuration(urls: Mapping[str, str], programs: Mapping[str, Path]) -> str:
    """Every way a key is given away first, and then somebody who answers."""
    tables = [
        f'[adapters.{name}]\nbase_url = "{url}"\nmodel = "m"\napi_key_env = "{name.upper()}_KEY"\n'
        for name, url in urls.items()
    ]
    clients = [
        f'[adapters.{name}]\nkind = "claude"\ncommand = "{path}"\napi_key_env = "CLIENT_KEY"\n'
        'env = ["ENV_KEY"]\n'
        for name, path in programs.items()
    ]
    package = '[adapters.package]\nkind = "telling"\napi_key_env = "PLUGIN_KEY"\n'
    return "\n".join((*tables[:-1], *clients, package, tables[-1]))
