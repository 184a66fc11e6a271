"""`orchestra validate`: the validator over files, for a hook, for CI and for a person.

The rule a reader must not break: neither the engine nor the app is loaded here; a hook runs at
every commit and is waited for.
"""

import asyncio
import json
import os
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.top import DONE, PARTIAL, USAGE
from orchestra_tui.cli.validate_texts import BATCH, Candidate, Texts, candidates, read_texts
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.validation.gate import Gate
from orchestra_tui.engine.validation.report import Report, ReportState

if TYPE_CHECKING:
    from orchestra_tui.engine.git.revisions import Revisions

MAX_WORKERS = 4
FEW = 4
"""So many files are judged in this process where that is safe: starting another takes longer."""

UNREADABLE = "unreadable"


def validate_files(arguments: Arguments) -> int:
    """Judge the files and print what was found; 0 fine or suspect, 1 damaged, 2 unreadable."""
    wanted, revisions = candidates(arguments)
    return asyncio.run(_validate(wanted, revisions, as_json=arguments.json))


async def _validate(
    wanted: Sequence[Candidate], revisions: "Revisions | None", *, as_json: bool
) -> int:
    states: Counter[str] = Counter()
    async for texts, report in _reports(wanted, revisions):
        if report is None and texts.is_passed_over:
            continue
        state = report.state.value if report else UNREADABLE
        states[state] += 1
        if as_json:
            print(_as_json(texts, report))
        else:
            _print_lines(texts, report)
    if not as_json:
        print(_summary(states), file=sys.stderr)
    if states[UNREADABLE]:
        return USAGE
    return PARTIAL if any(states[state.value] for state in ReportState if state.is_hard) else DONE


async def _reports(
    wanted: Sequence[Candidate], revisions: "Revisions | None"
) -> AsyncIterator[tuple[Texts, Report | None]]:
    """Each file's texts and report, in their order; a bounded number is in work at once."""
    workers = max(1, min(MAX_WORKERS, os.cpu_count() or 1, len(wanted)))
    async with Gate(workers=workers, in_process=len(wanted) <= FEW) as gate:
        for start in range(0, len(wanted), BATCH):
            batch = await asyncio.to_thread(read_texts, wanted[start : start + BATCH], revisions)
            running: deque[tuple[Texts, asyncio.Task[Report] | None]] = deque()
            for texts in batch:
                task = None if texts.problem else asyncio.create_task(_judge(gate, texts))
                running.append((texts, task))
                if len(running) > 2 * workers:
                    yield await _first(running)
            while running:
                yield await _first(running)


async def _first(
    running: "deque[tuple[Texts, asyncio.Task[Report] | None]]",
) -> tuple[Texts, Report | None]:
    texts, task = running.popleft()
    return texts, await task if task else None


async def _judge(gate: Gate, texts: Texts) -> Report:
    return await gate.check(texts.shown.replace(os.sep, "/"), texts.new, texts.old)


def _diagnostics(texts: Texts, report: Report | None) -> tuple[Diagnostic, ...]:
    if report is not None:
        return report.diagnostics
    return (Diagnostic(kind=UNREADABLE, message=texts.problem),)


def _as_json(texts: Texts, report: Report | None) -> str:
    # ASCII only: no terminal and no log viewer can be made to obey a file's text.
    return json.dumps(
        {
            "path": texts.shown,
            "state": report.state.value if report else UNREADABLE,
            "diagnostics": [
                one.model_dump(include={"kind", "line", "column", "message"})
                for one in _diagnostics(texts, report)
            ],
        }
    )


def _print_lines(texts: Texts, report: Report | None) -> None:
    state = report.state.value if report else UNREADABLE
    for one in _diagnostics(texts, report):
        place = "".join(f":{number}" for number in (one.line, one.column) if number is not None)
        print(clean_line(f"{texts.shown}{place}: {state}: {one.message}"))


def _summary(states: Counter[str]) -> str:
    total = states.total()
    order = (*(state.value for state in ReportState), UNREADABLE)
    counts = ", ".join(f"{states[state]} {state}" for state in order if states[state])
    return f"{total} {'file' if total == 1 else 'files'}: {counts}" if total else "no file to judge"
