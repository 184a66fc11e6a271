"""The warden: a small program between Orchestra and one client, which leaves nothing behind.

The rule a reader must not break: this file is run on its own (`python -I -S warden.py FD SIGNAL
GRACE PROGRAM...`) and imports the standard library only. FD is the read end of a pipe that
Orchestra holds: when it ends, because the call is over or because Orchestra is gone however it
went, the client is asked to stop, killed after GRACE seconds, and everything it started with it.

The shells of gemini, opencode and claude run in groups of their own, so that killing the client's
group misses them (measured). On Linux the warden is their subreaper: whatever loses its parent
becomes the warden's child and is found below it in /proc. Elsewhere `ps` is asked who descends
from the client for as long as it lives.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
POLL = 0.02
SWEEP_SECONDS = 3.0
IS_LINUX: bool = sys.platform.startswith("linux")
MAX_EXIT = 255


def descendants(root: int) -> set[int]:
    """Every process below `root` now, without `root`."""
    below: dict[int, list[int]] = {}
    for pid, parent in _processes():
        below.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        children = [pid for pid in below.get(waiting.pop(), ()) if pid not in found]
        found.update(children)
        waiting.extend(children)
    return found


def kill_all(pids: Iterable[int]) -> None:
    """SIGKILL to each; those that are gone already do not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    """Run the program until it ends or the leash does; its exit code, 128 + n for a signal."""
    leash, stop, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, not SIG_IGN: an ignored signal would stay ignored in the program.
        signal.signal(ignored, lambda *_: None)
    _become_subreaper()
    client = subprocess.Popen(arguments[3:], start_new_session=True)  # noqa: S603 - our argv
    # The client has the prompt and the pipes now; it alone decides when they end.
    with open(os.devnull, "r+b", buffering=0) as nothing:
        for standard in (0, 1, 2):
            os.dup2(nothing.fileno(), standard)
    known: set[int] = set()
    try:
        known = _wait(client, leash)
        if client.poll() is None:
            known = _stop(client, stop, grace)
    finally:
        code = client.poll()
        _sweep(client, known)
    if code is None:
        code = -signal.SIGKILL
    return code & MAX_EXIT if code >= 0 else 128 - code


def _wait(client: "subprocess.Popen[bytes]", leash: int) -> set[int]:
    """Until the client or the leash ends; who was below the client when last looked at."""
    known: set[int] = set()
    looked = 0.0
    while client.poll() is None:
        if select.select([leash], [], [], POLL)[0] and not os.read(leash, 64):
            break
        if not IS_LINUX and time.monotonic() - looked > 1.0:
            known, looked = descendants(client.pid), time.monotonic()
    return known


def _stop(client: "subprocess.Popen[bytes]", stop: int, grace: float) -> set[int]:
    """The polite part: the signal, and time to end. Who was below the client before."""
    known = descendants(client.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(client.pid, stop)
    with contextlib.suppress(subprocess.TimeoutExpired):
        client.wait(grace)
    return known


def _sweep(client: "subprocess.Popen[bytes]", known: set[int]) -> None:
    """Kill the client's group and whatever descends from it, and reap until nothing is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(client.pid, signal.SIGKILL)
    end = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < end:
        left = descendants(os.getpid())
        if not IS_LINUX:
            left |= known
            known = set()
        kill_all(left)
        if _has_no_children():
            return
        time.sleep(POLL / 4)


def _has_no_children() -> bool:
    with contextlib.suppress(InterruptedError):
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return True
    return False


def _become_subreaper() -> None:
    if IS_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _processes() -> list[tuple[int, int]]:
    """Every process of the machine and its parent."""
    if IS_LINUX:
        return [pair for entry in os.listdir("/proc") if (pair := _stat(entry))]
    listing = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=False, timeout=5
    )
    pairs = (line.split() for line in listing.stdout.decode("ascii", "replace").splitlines())
    return [(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2]


def _stat(entry: str) -> tuple[int, int] | None:
    if not entry.isdigit():
        return None
    try:
        stat = Path("/proc", entry, "stat").read_bytes()
    except OSError:
        return None
    # The name may hold blanks and brackets; the fields are those after the last bracket.
    return int(entry), int(stat[stat.rindex(b")") + 2 :].split()[1])


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
