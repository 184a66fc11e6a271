"""Runs one check: the project's own test command in a process group of its own.

The rule a reader must not break: however a run ends (done, timed out, cancelled), no process of
it is left and no more than a bounded end of its output is kept.
"""

import asyncio
import codecs
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestra_tui.domain.events import CheckState
from orchestra_tui.engine.checks.environment import check_environment
from orchestra_tui.engine.checks.model import Check, CheckResult
from orchestra_tui.engine.checks.processes import end_group, exited, start_group
from orchestra_tui.engine.checks.verdict import judge

OnOutput = Callable[[str], None]

TIMEOUT = 600.0
TAIL = 64 * 1024
"""Characters of output that are kept."""

STREAMED = 4 * 1024 * 1024
"""Characters of output that are shown; a run that prints more goes on unseen."""

CUT_NOTE = "\n[more output follows and is not shown]\n"
_CHUNK = 64 * 1024
_DRAIN = 0.5
"""Seconds to read what a process left in the pipe; a grandchild may hold it open for ever."""


async def run_check(
    check: Check,
    on_output: OnOutput,
    *,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - part of the verdict, not only a deadline
    env: Mapping[str, str] | None = None,
) -> CheckResult:
    """Run `check` and say how it ended; output is streamed to `on_output` as it comes.

    `timeout` is in seconds. `env` is the environment to start from (default: this process's
    own); secrets are dropped from it. Cancelling stops the whole group before it returns.
    Nothing is raised for a program that is missing: that is an outcome.
    """
    output = _Output(on_output)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orchestra-check-", ignore_cleanup_errors=True) as tmp:
        mark = secrets.token_hex(16)
        variables = check_environment(
            os.environ if env is None else env, check.env, folder=Path(tmp), mark=mark
        )
        try:
            process = await start_group(check.argv, cwd=check.cwd, env=variables)
        except OSError as error:
            return _not_started(check, error)
        is_late = False
        try:
            async with asyncio.timeout(timeout):
                await _follow(process, output)
        except TimeoutError:
            is_late = True
        finally:
            await end_group(process, mark)
    output.close()
    seconds = time.monotonic() - started
    if is_late:
        return CheckResult(
            name=check.name,
            outcome=CheckState.TIMED_OUT,
            message=f"stopped after {timeout:g} s without an end",
            seconds=seconds,
            tail=output.tail,
        )
    return judge(check, process.returncode or 0, output.tail, seconds=seconds)


async def _follow(process: asyncio.subprocess.Process, output: "_Output") -> None:
    """Read until the process has ended and its output is read."""
    reading = asyncio.create_task(_read(process, output))
    try:
        await exited(process)
        await asyncio.wait({reading}, timeout=_DRAIN)
    finally:
        reading.cancel()
        # Nothing is suppressed: what could come out of here is a cancel of our own.
        await asyncio.wait({reading})
    if not reading.cancelled():
        reading.result()


async def _read(process: asyncio.subprocess.Process, output: "_Output") -> None:
    if process.stdout is None:
        return
    while data := await process.stdout.read(_CHUNK):
        output.add(data)


def _not_started(check: Check, error: OSError) -> CheckResult:
    is_missing = isinstance(error, FileNotFoundError)
    reason = "is not installed" if is_missing else f"cannot be started ({error.strerror})"
    return CheckResult(
        name=check.name,
        outcome=CheckState.NOT_FOUND,
        message=f"{check.argv[0]} {reason}",
    )


class _Output:
    """Decodes the bytes as they come, shows a bounded part and keeps a bounded end."""

    def __init__(self, on_output: OnOutput) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._on_output = on_output
        self._shown = 0
        self.tail = ""

    def add(self, data: bytes) -> None:
        self._take(self._decoder.decode(data))

    def close(self) -> None:
        self._take(self._decoder.decode(b"", final=True))

    def _take(self, text: str) -> None:
        if not text:
            return
        self.tail = (self.tail + text)[-TAIL:]
        if self._shown >= STREAMED:
            return
        self._shown += len(text)
        self._on_output(text if self._shown < STREAMED else text + CUT_NOTE)
