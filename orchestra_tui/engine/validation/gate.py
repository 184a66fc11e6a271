"""The gate before every apply: the validator, off the event loop and behind a deadline.

The rule a reader must not break: a grammar that hangs or crashes costs one worker process and
never the answer; the text is then judged without its grammar, and the report says so.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import orchestra_tui
from orchestra_tui.engine.validation.languages import language_of
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report, ReportState, finding
from orchestra_tui.engine.validation.validator import validate
from orchestra_tui.engine.validation.worker import LENGTH_BYTES, Question, frame

SMALL = 64 * 1024
"""Texts below this many characters in a proven grammar are judged in a thread."""

DEADLINE = 5.0
"""Seconds for an ordinary text; a large one gets as many again for each `LARGE` characters."""

LARGE = 256 * 1024
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from orchestra_tui.engine.validation.worker import main; main()"
)


class WorkerLost(Exception):
    """The worker died or did not answer in time."""


class Gate:
    """Judges texts without blocking the loop; use as `async with Gate() as gate`.

    `command` replaces the worker's command line (for tests of a worker that hangs or dies).
    """

    def __init__(self, *, deadline: float = DEADLINE, command: Sequence[str] | None = None) -> None:
        self._deadline = deadline
        self._command = tuple(command) if command else worker_command()
        self._worker: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def check(
        self, path: str, new: str, old: str | None = None, *, plan_hint: PlanHint | None = None
    ) -> Report:
        """Judge `new` as `validate` does; never raises for any text."""
        if _is_small_and_proven(path, new, old):
            return await asyncio.to_thread(validate, path, new, old, plan_hint=plan_hint)
        question = Question(path=path, new=new, old=old, plan_hint=plan_hint)
        async with self._turn:
            try:
                return await self._ask(question)
            except WorkerLost as lost:
                await self._stop()
                reason = str(lost)
        report = await asyncio.to_thread(
            validate, path, new, old, plan_hint=plan_hint, with_grammar=False
        )
        return _with_note(report, reason)

    async def close(self) -> None:
        """End the worker process, if there is one."""
        async with self._turn:
            await self._stop()

    async def _ask(self, question: Question) -> Report:
        size = len(question.new) + len(question.old or "")
        deadline = self._deadline * (1 + size / LARGE)
        question = question.model_copy(update={"deadline": deadline})
        try:
            async with asyncio.timeout(deadline):
                payload = await self._exchange(question.model_dump_json().encode())
        except TimeoutError:
            raise WorkerLost(f"the grammar gave no answer in {deadline:.1f} s") from None
        except (OSError, asyncio.IncompleteReadError):
            raise WorkerLost("the grammar ended its process") from None
        except asyncio.CancelledError:
            # An answer to a question nobody waits for would be read as the next one's.
            await self._stop()
            raise
        return Report.model_validate_json(payload)

    async def _exchange(self, payload: bytes) -> bytes:
        worker = await self._running()
        if worker.stdin is None or worker.stdout is None:
            raise OSError("the worker has no pipes")
        worker.stdin.write(frame(payload))
        await worker.stdin.drain()
        size = int.from_bytes(await worker.stdout.readexactly(LENGTH_BYTES), "big")
        return await worker.stdout.readexactly(size)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._worker is None or self._worker.returncode is not None:
            self._worker = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=os.name == "posix",
            )
        return self._worker

    async def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.returncode is None:
            worker.kill()
        if worker.stdin is not None:
            worker.stdin.close()
        await worker.wait()


def worker_command() -> tuple[str, ...]:
    """The worker's command line: isolated, so that no module of the user's project is loaded."""
    root = Path(orchestra_tui.__file__).resolve().parent.parent
    return (sys.executable, "-I", "-c", _BOOT, str(root))


def _is_small_and_proven(path: str, new: str, old: str | None) -> bool:
    if max(len(new), len(old or "")) >= SMALL:
        return False
    language = language_of(path, new)
    return language.is_proven or not language.has_grammar


def _with_note(report: Report, reason: str) -> Report:
    note = finding(ReportState.SUSPECT, "not-checked", f"{reason}: judged without its grammar")
    state = report.state if report.state is not ReportState.FINE else ReportState.SUSPECT
    return report.model_copy(
        update={"state": state, "diagnostics": (*report.diagnostics, note.diagnostic)}
    )
