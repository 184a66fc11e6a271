"""The gate before every apply: the validator, off the event loop and behind a deadline.

The rule a reader must not break: a grammar that hangs or crashes costs one worker process and
never the answer; the text is then judged without its grammar, and the report says so.

What is judged where, by size in characters (the larger of the two texts):
a grammar of the allow-list below `SMALL`: in a thread of this process, unless the text repeats
itself; everything else up to `MAX_TEXT`: in a worker process, whose memory goes back after a
text above `LARGE`; more than `MAX_TEXT`: not at all, and the report says so. Grammars read no
more than `tree.MAX_BYTES`.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError

from orchestra_tui.engine.validation.languages import language_of
from orchestra_tui.engine.validation.lines import repeats_itself
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report, ReportState, finding
from orchestra_tui.engine.validation.worker import Question
from orchestra_tui.engine.validation.worker_process import (
    WorkerLost,
    WorkerProcess,
    worker_command,
)

SMALL = 64 * 1024
LARGE = 1024 * 1024
MAX_TEXT = 32 * 1024 * 1024

DEADLINE = 5.0
"""Seconds of the processor for an ordinary text; a large one gets as many again for each `LARGE`
characters."""

TRUST = 2
"""How many lost workers a language may cost before its grammar is left out at once."""


class Gate:
    """Judges texts without blocking the loop; use as `async with Gate() as gate`.

    `workers` bounds the processes; `in_process=False` gives them the small texts too, which is
    faster for many files on several cores. `command` replaces the worker's command line (for
    tests of a worker that hangs or dies).
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        workers: int = 1,
        in_process: bool = True,
        command: Sequence[str] | None = None,
    ) -> None:
        self._deadline = deadline
        self._in_process = in_process
        self._lost: Counter[str] = Counter()
        self._count = workers
        # Last in, first out: one process serves as long as one is enough.
        self._free: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        for _ in range(workers):
            self._free.put_nowait(WorkerProcess(command or worker_command()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def check(
        self,
        path: str,
        new: str,
        old: str | None = None,
        *,
        plan_hint: PlanHint | None = None,
        find_gone: bool = False,
    ) -> Report:
        """Judge `new` as `validate` does; never raises for any text.

        `find_gone` also lists the top-level names that `new` lost.
        """
        question = Question(path=path, new=new, old=old, plan_hint=plan_hint, find_gone=find_gone)
        if _size(question) > MAX_TEXT:
            reason = f"longer than {MAX_TEXT // 2**20} million characters"
            return _with_note(Report(path=path), f"{reason}: not checked")
        if self._in_process and _is_small_and_proven(question):
            return await _in_thread(question)
        worker = await self._free.get()
        try:
            return await self._judged(worker, question)
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        """End the worker processes, once each has answered its question."""
        workers = [await self._free.get() for _ in range(self._count)]
        for worker in workers:
            await worker.stop()
            self._free.put_nowait(worker)

    async def _judged(self, worker: WorkerProcess, question: Question) -> Report:
        language = language_of(question.path, question.new).name
        reason = f"the {language} grammar failed {TRUST} times"
        if self._lost[language] < TRUST:
            try:
                return await self._ask(worker, question)
            except WorkerLost as lost:
                self._lost[language] += 1
                reason = str(lost)
        question = question.model_copy(update={"with_grammar": False})
        try:
            report = await self._ask(worker, question)
        except WorkerLost:
            # No process can be had, or it is the text and not the grammar.
            if _size(question) > LARGE:
                return _with_note(Report(path=question.path), f"{reason}: not checked")
            report = await _in_thread(question)
        return _with_note(report, f"{reason}: judged without its grammar")

    async def _ask(self, worker: WorkerProcess, question: Question) -> Report:
        size = _size(question)
        deadline = self._deadline * (1 + size / LARGE)
        payload = await asyncio.to_thread(_payload, question, deadline)
        answer = await worker.ask(payload, deadline=deadline)
        if size > LARGE:
            await worker.stop()
        try:
            return Report.model_validate_json(answer)
        except ValidationError:
            await worker.stop()
            raise WorkerLost("the grammar's process gave no report") from None


def _payload(question: Question, deadline: float) -> bytes:
    """The question as JSON; half a character, which JSON cannot hold, goes as a question mark."""
    texts = {
        name: text.encode("utf-8", "replace").decode()
        for name in ("path", "new", "old")
        if (text := getattr(question, name)) is not None
    }
    return question.model_copy(update={"deadline": deadline, **texts}).model_dump_json().encode()


def _size(question: Question) -> int:
    return max(len(question.new), len(question.old or ""))


def _is_small_and_proven(question: Question) -> bool:
    if (
        _size(question) >= SMALL
        or repeats_itself(question.new)
        or repeats_itself(question.old or "")
    ):
        return False
    language = language_of(question.path, question.new)
    return language.is_proven or not language.has_grammar


async def _in_thread(question: Question) -> Report:
    return await asyncio.to_thread(question.answer)


def _with_note(report: Report, reason: str) -> Report:
    note = finding(ReportState.SUSPECT, "not-checked", reason)
    state = report.state if report.state is not ReportState.FINE else ReportState.SUSPECT
    return report.model_copy(
        update={"state": state, "diagnostics": (*report.diagnostics, note.diagnostic)}
    )
