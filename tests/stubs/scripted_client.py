"""A stand-in for an agent command line: it plays what a real client printed, and misbehaves.

Run by a small executable that `install` writes; what it plays is one JSON object (`Play`). It
writes down what it was given (arguments, environment, prompt, folder), so that tests can look.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

RECORDINGS = Path(__file__).parent.parent / "fixtures" / "recordings" / "clients"
LONG = 300


@dataclass(frozen=True)
class Play:
    """What to do. `exit_code` None means: hang after the last line."""

    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    exit_code: int | None = 0
    writes: Mapping[str, str] = field(default_factory=dict)
    """Files written into the working folder before the last line is printed."""
    is_deaf: bool = False
    """SIGINT and SIGTERM are ignored."""
    grandchild: bool = False
    """A process in a session of its own is left behind, which holds the pipes."""
    flood: int = 0
    """Megabytes of one endless line."""
    reads_prompt: bool = True


@dataclass(frozen=True)
class Report:
    """What the client was given, and the processes it was."""

    argv: list[str]
    environ: dict[str, str]
    prompt: str
    folder: str
    files: list[str]
    temporary: str
    pids: list[int]


def recorded(client: str, case: str) -> Play:
    """What a real client printed in this case; see `tests/fixtures/recordings`."""
    data = json.loads((RECORDINGS / f"{client}-{case}.json").read_text(encoding="utf-8"))
    return Play(stdout=data["stdout"], stderr=data["stderr"], exit_code=data["exit_code"])


def install(folder: Path, play: Play) -> Path:
    """An executable in `folder` that plays; its report stands beside it."""
    program = folder / "client"
    plan = folder / "play.json"
    plan.write_text(json.dumps(asdict(play)), encoding="utf-8")
    program.write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -I -S '{__file__}' '{plan}' \"$@\"\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def report(folder: Path) -> Report:
    """What the client in `folder` was given."""
    return Report(**json.loads((folder / "report.json").read_text(encoding="utf-8")))


def main(plan: Path, arguments: list[str]) -> int:
    """Play; the exit code."""
    play = Play(**json.loads(plan.read_text(encoding="utf-8")))
    if "--version" in arguments:
        print("1.2.3 (a stand-in)")
        return 0
    if play.is_deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    pids = [os.getpid()]
    if play.grandchild:
        pids.append(leave_behind())
    prompt = sys.stdin.read() if play.reads_prompt else ""
    write_down(plan.parent, arguments, prompt, pids)
    for line in play.stderr:
        print(line, file=sys.stderr, flush=True)
    for number, line in enumerate(play.stdout):
        if number == len(play.stdout) - 1:
            write_files(play.writes)
        print(line, flush=True)
    while play.flood:
        sys.stdout.write("x" * (1 << 20))
    while play.exit_code is None:
        time.sleep(LONG)
    # Negative: the recorded client was killed by a signal.
    return play.exit_code % 256


def leave_behind() -> int:
    """A shell in a session of its own, as gemini and opencode start them."""
    shell = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"import time; time.sleep({LONG})"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    return shell.pid


def write_down(folder: Path, arguments: list[str], prompt: str, pids: list[int]) -> None:
    here = Path.cwd()
    told = Report(
        argv=arguments,
        environ=dict(os.environ),
        prompt=prompt,
        folder=str(here),
        files=sorted(path.relative_to(here).as_posix() for path in here.rglob("*")),
        temporary=tempfile.gettempdir(),
        pids=pids,
    )
    draft = folder / "report.part"
    draft.write_text(json.dumps(asdict(told)), encoding="utf-8")
    draft.rename(folder / "report.json")


def write_files(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
