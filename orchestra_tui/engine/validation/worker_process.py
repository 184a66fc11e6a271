"""One worker process of the gate: started with pipes, asked with a deadline, killed when it fails.

The rule a reader must not break: a worker that did not answer its question is never asked again.
Its answer would be read as the next question's, so it is killed, also when the asker goes away.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import orchestra_tui
from orchestra_tui.engine.validation.worker import LENGTH_BYTES, PATIENCE, frame

MAX_ANSWER = 32_000_000
"""Bytes of one answer; more is no report."""

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from orchestra_tui.engine.validation.worker import main; main()"
)
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""All the worker sees of the environment: what an interpreter needs to start, and no secret."""

_CPU_ALARM = int(getattr(signal, "SIGPROF", 0))
"""What ends a worker that used up its time; 0 where there is no such clock."""


class WorkerLost(Exception):
    """The worker died, did not answer in time, or said something that is no answer."""


class WorkerProcess:
    """A process that is started when it is needed. `command` is the whole command line."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, payload: bytes, *, deadline: float) -> bytes:
        """The answer to one question. Raises WorkerLost.

        The worker ends itself after `deadline` seconds of the processor, where the system can
        count them; a machine that is busy elsewhere is waited for `PATIENCE` times as long.
        """
        wait = deadline * (PATIENCE if _CPU_ALARM else 1)
        try:
            async with asyncio.timeout(wait):
                return await self._exchange(payload)
        except TimeoutError:
            reason = f"the grammar gave no answer in {wait:.1f} s"
        except (OSError, asyncio.IncompleteReadError):
            reason = "the grammar ended its process"
        except asyncio.CancelledError:
            await self.stop()
            raise
        if await self.stop() == -_CPU_ALARM != 0:
            reason = f"the grammar gave no answer in {deadline:.1f} s of work"
        raise WorkerLost(reason)

    async def stop(self) -> int | None:
        """End the process and whatever it may have started, and return its exit code, if any.

        The next question starts a new one.
        """
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            _kill(process)
        if process.stdin is not None:
            process.stdin.close()
        return await process.wait()

    async def _exchange(self, payload: bytes) -> bytes:
        process = await self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError("the worker has no pipes")
        process.stdin.write(frame(payload))
        await process.stdin.drain()
        size = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        if size > MAX_ANSWER:
            raise OSError("the worker's answer is no report")
        return await process.stdout.readexactly(size)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            # A session of its own: no terminal, and no key that the user presses reaches it.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=worker_environment(os.environ),
                start_new_session=os.name == "posix",
            )
        return self._process


def worker_command() -> tuple[str, ...]:
    """The worker's command line: isolated, so that no module of the user's project is loaded."""
    root = Path(orchestra_tui.__file__).resolve().parent.parent
    return (sys.executable, "-I", "-c", _BOOT, str(root))


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a worker gets."""
    return {name: environ[name] for name in _KEPT if name in environ}


def _kill(process: asyncio.subprocess.Process) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        process.kill()
