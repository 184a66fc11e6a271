"""The leash: a small program between Orchestra and a check, so that neither outlives the other.

The rule a reader must not break: this file is run on its own (`python -I -S leash.py MARK
PROGRAM...`) and imports the standard library only. It holds Orchestra's end of a pipe as its
standard input: when Orchestra is gone, however it went, the pipe ends and the whole run with it.
"""

import contextlib
import os
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


def sweep(mark: str) -> None:
    """Kill every other process whose environment carries `mark` (Linux; elsewhere none).

    A process that made a session of its own has left the group, but not its environment. Looked
    up again until none is left: one may have forked while we looked.
    """
    for _ in range(_SWEEPS):
        left = [pid for pid in _marked(mark) if pid != os.getpid()]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


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


def _marked(mark: str) -> Iterator[int]:
    if not sys.platform.startswith("linux"):
        return
    wanted = f"{RUN_MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


if __name__ == "__main__":
    end_as(main(sys.argv[1:]))
