"""Process groups that leave nothing behind: start, stop politely, kill, sweep.

The rule a reader must not break: a group is always swept, also when its leader ended well; a
test that left a server running must not be found by the next run.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from orchestra_tui.engine.checks.environment import RUN_MARK

GRACE = 2.0
"""Seconds between the polite signal and the kill."""

_SWEEPS = 20
_LOOK = 0.1


async def start_group(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start `argv` as the leader of a new group, without a terminal or standard input.

    Raises:
        OSError: the program is not there or cannot be started.
    """
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=os.name == "posix",
        creationflags=flags,
    )


async def end_group(process: asyncio.subprocess.Process, mark: str) -> None:
    """Stop the whole group and everything that carries `mark`; returns when it is gone.

    Cancelling this shortens the polite part; the kill is done in any case.
    """
    try:
        if process.returncode is None:
            _signal_group(process.pid, is_final=False)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await exited(process)
    finally:
        _signal_group(process.pid, is_final=True)
        # Shielded: a second cancel must not leave the walk half done.
        await asyncio.shield(asyncio.to_thread(sweep, mark))
    await exited(process)


async def exited(process: asyncio.subprocess.Process) -> None:
    """Wait for the process itself to end.

    `process.wait()` also waits for its pipes, and a grandchild may hold those open for ever, so
    the exit is looked for beside it.
    """
    waiting = asyncio.ensure_future(process.wait())
    try:
        while process.returncode is None:
            await asyncio.wait({waiting}, timeout=_LOOK)
    finally:
        waiting.cancel()


def sweep(mark: str) -> None:
    """Kill every process whose environment carries `mark` (Linux; elsewhere the group is all).

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


def _marked(mark: str) -> Iterable[int]:
    if not sys.platform.startswith("linux"):
        return
    wanted = f"{RUN_MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def _signal_group(leader: int, *, is_final: bool) -> None:
    if sys.platform == "win32":
        # taskkill walks the tree; without /F only windowed programs would listen.
        subprocess.run(  # noqa: S603 - fixed program, a number as its only input
            ["taskkill", "/T", "/F", "/PID", str(leader)],  # noqa: S607 - in System32
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL if is_final else signal.SIGTERM)
