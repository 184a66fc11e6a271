"""Process groups that leave nothing behind: start, stop politely, kill, sweep.

The rule a reader must not break: a group is always swept, also when its leader ended well; a
test that left a server running must not be found by the next run.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestra_tui.engine.checks import leash

GRACE = 2.0
"""Seconds between the polite signal and the kill."""

_LOOK = 0.1


async def start_group(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start `argv` in a new group, without a terminal or standard input, on a leash (POSIX).

    Raises:
        FileNotFoundError: the program is not there.
        OSError: it cannot be started.
    """
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        raise FileNotFoundError(argv[0])
    if os.name == "posix":
        argv = (sys.executable, "-I", "-S", leash.__file__, env[leash.RUN_MARK], *argv)
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(env),
        # The pipe is the leash: it ends when this process does. The program gets no input.
        stdin=asyncio.subprocess.PIPE if os.name == "posix" else asyncio.subprocess.DEVNULL,
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
        await asyncio.shield(asyncio.to_thread(leash.sweep, mark, process.pid))
    await exited(process)
    if process.stdin is not None:
        process.stdin.close()


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
