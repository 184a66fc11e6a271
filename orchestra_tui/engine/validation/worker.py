"""The worker process of the gate: answers validation requests over its standard pipes.

The rule a reader must not break: nothing but frames is ever written to standard output. A frame
is 4 bytes of length (big-endian) and that many bytes of JSON: a `Question` in, a `Report` out.
"""

import contextlib
import importlib
import signal
import sys
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict

from orchestra_tui.engine.validation.definitions import gone_names
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report
from orchestra_tui.engine.validation.validator import validate

LENGTH_BYTES = 4
MAX_MEMORY = 3 * 2**30
"""Bytes of address space: a text that needs more costs this process, not the machine."""
PATIENCE = 4
"""How many times the deadline, which is in seconds of the processor, is waited on the clock."""


class Question(BaseModel):
    """One text to judge; `deadline` is in seconds of the processor.

    `find_gone` also asks which top-level names of `old` are gone, if nothing hard was found.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    new: str
    old: str | None = None
    plan_hint: PlanHint | None = None
    with_grammar: bool = True
    find_gone: bool = False
    deadline: float = 5.0

    def answer(self) -> Report:
        """The validator's report; takes as long as it takes."""
        report = validate(
            self.path,
            self.new,
            self.old,
            plan_hint=self.plan_hint,
            with_grammar=self.with_grammar,
        )
        if not self.find_gone or not self.with_grammar or self.old is None or report.is_hard:
            return report
        return report.model_copy(update={"gone": gone_names(self.path, self.new, self.old)})


def frame(payload: bytes) -> bytes:
    """`payload` with its length in front."""
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def main() -> None:
    """Answer until standard input ends."""
    _bound()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (payload := _read_frame(source)) is not None:
        question = Question.model_validate_json(payload)
        _arm(question.deadline)
        report = question.answer()
        _arm(0)
        sink.write(frame(report.model_dump_json().encode()))
        sink.flush()


def _bound() -> None:
    """Limit the memory and leave no core file of the user's code, where there are such limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        resource: Any = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def _arm(seconds: float) -> None:
    """Let the kernel end this process after the deadline, even inside a grammar that hangs.

    The time is the processor's: on a machine that is busy with other work an answer comes later
    and is still one. The parent ends a worker that only sleeps; the second clock holds when the
    parent is gone.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * (PATIENCE + 1))


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    payload = source.read(size)
    return payload if len(payload) == size else None


if __name__ == "__main__":
    main()
