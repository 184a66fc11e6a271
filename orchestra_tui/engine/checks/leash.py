"""The leash: a small program between Orchestra and a check, so that neither outlives the other.

The rule a reader must not break: this file is run on its own (`python -I -S leash.py MARK
PROGRAM...`) and imports the standard library only. It holds Orchestra's end of a pipe as its
standard input: when Orchestra is gone, however it went, the pipe ends and the whole run with it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

RUN_MARK = "ORCHESTRA_CHECK_RUN"
"""Every process of a run carries this variable; what escaped its group is found by it."""

_SWEEPS = 20
_DYING = 0.2
"""Seconds to wait for one killed process before looking again."""


def sweep(mark: str, group: int | None = None) -> None:
    """Kill every other process of the run and see it end (Linux; elsewhere none).

    Its processes carry `mark` in their environment, also one that made a session of its own; one
    that is ending has no environment any more and is known by its `group`. Looked up again until
    none is left: one may have forked while we looked.
    """
    for _ in range(_SWEEPS):
        left = [pid for pid in _of_run(mark, group) if pid != os.getpid()]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            _await_end(pid)


def main(arguments: Sequence[str]) -> int:
    """Run the program in this process's group; returns its exit code (negative: a signal)."""
    mark, *argv = arguments
    # A handler, not SIG_IGN: an ignored signal would stay ignored in the program.
    signal.signal(signal.SIGTERM, _stay)
    threading.Thread(target=_watch, args=(mark,), daemon=True).start()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as program:  # noqa: S603 - our argv
        return program.wait()


def end_as(code: int) -> None:
    """End this process the way the program ended: the same exit code or the same signal."""
    if code < 0:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # KILL cannot and need not be reset.
        with contextlib.suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _stay(_signal: int, _frame: FrameType | None) -> None:
    """Wait for the program, which got the same signal."""


def _watch(mark: str) -> None:
    """End the run when Orchestra's end of the pipe is closed."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    sweep(mark)
    os.killpg(0, signal.SIGKILL)


def _await_end(pid: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):
        ending = os.pidfd_open(pid)
        try:
            select.select([ending], [], [], _DYING)
        finally:
            os.close(ending)


def _of_run(mark: str, group: int | None) -> Iterator[int]:
    if not sys.platform.startswith("linux"):
        return
    wanted = f"{RUN_MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            is_marked = wanted in (entry / "environ").read_bytes().split(b"\0")
            if is_marked or _is_alive_in(group, entry):
                yield int(entry.name)


def _is_alive_in(group: int | None, entry: Path) -> bool:
    """True for a member of the group that has not ended; the name may hold any character."""
    state, _, its_group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
    return int(its_group) == group and state not in {"Z", "X"}


if __name__ == "__main__":
    end_as(main(sys.argv[1:]))
