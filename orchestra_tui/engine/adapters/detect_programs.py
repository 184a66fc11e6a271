"""Agent command lines on this machine: which are there, and does each start.

The rule a reader must not break: a probe ends in five seconds with everything it started. Killing
only the program left a grandchild holding the pipe for a minute (measured), so it runs in a
process group of its own. Relative entries of PATH are skipped: a repository must not bring the
program that is started here.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress

from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.process.environment import client_environment, find_program

KINDS = {
    "codex": "codex",
    "claude": "claude",
    "gemini": "gemini_cli",
    "opencode": "opencode",
    "vibe": "vibe",
}
"""The kind of adapter that drives each program."""
OFFERED = {"gemini": "gemini-cli"}
"""What an adapter of the program is called where its own name means the vendor's service."""
PROGRAMS = tuple(KINDS)
VERSION_TIMEOUT = 5.0
POLL = 0.05
MAX_OUTPUT = 4096
MAX_WORDS = 60
NOT_TRIED = "its login is not tried"


async def look_for_program(
    name: str, environ: Mapping[str, str], *, seconds: float = VERSION_TIMEOUT
) -> DoctorLine:
    """Whether `name` is on PATH and what `--version` says."""
    label = f"{name} CLI"
    path = await asyncio.to_thread(find_program, name, environ)
    if path is None:
        return DoctorLine(name=label, state="missing", detail="not on PATH")
    try:
        code, said = await _version(path, environ, seconds)
    except TimeoutError:
        detail = f"`{name} --version` gave no answer within {seconds:g} s"
        return DoctorLine(name=label, state="silent", detail=detail)
    except OSError as error:
        return DoctorLine(name=label, state="broken", detail=f"it cannot be started: {error}")
    words = clean_line(said.strip().partition("\n")[0])[:MAX_WORDS]
    if code:
        return DoctorLine(name=label, state="broken", detail=f"exit status {code}: {words}")
    kind = KINDS.get(name)
    offer = Offer(name=OFFERED.get(name, name), fields={"kind": kind}) if kind else None
    return DoctorLine(name=label, state="found", detail=f"{words}; {NOT_TRIED}", offer=offer)


async def _version(path: str, environ: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """Exit status and output. Raises TimeoutError and OSError."""
    process = await asyncio.create_subprocess_exec(
        path,
        "--version",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # Whatever is on PATH under this name: it gets no key of the user.
        env=client_environment(environ, ()),
        # Not the project: some programs read settings from the folder they are started in.
        cwd=tempfile.gettempdir(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            said = await process.stdout.read(MAX_OUTPUT) if process.stdout else b""
            code = await _exit_status(process)
    finally:
        _end_group(process)
        await process.wait()
    return code, said.decode("utf-8", "replace")


async def _exit_status(process: asyncio.subprocess.Process) -> int:
    """The status as soon as the program is gone, even if a child of it still holds the pipe."""
    while process.returncode is None:
        with suppress(TimeoutError):
            # In some Pythons `wait` also waits for the pipe; the status is known before.
            await asyncio.wait_for(process.wait(), POLL)
    return process.returncode


def _end_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
