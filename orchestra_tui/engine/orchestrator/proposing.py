"""From a proposed text to the file on disk: the gate, the apply function, the step's event.

The rule a reader must not break: an agent's text reaches the disk only through `propose`, that is
after its reply parsed whole, the gate found nothing hard, and the base was still the one asked
about. Through `put_in_place` alone goes a text that was judged already, because it was repaired
without a model, and one that the user gave himself.
"""

import asyncio

from orchestra_tui.domain.events import (
    CheckpointTaken,
    ConflictFound,
    Event,
    StepExecuted,
    WriteReason,
)
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.recovery import RecoveryCause
from orchestra_tui.domain.recovery_rules import last_good
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.agents.jobs import Proposal
from orchestra_tui.engine.orchestrator.calls import Answer
from orchestra_tui.engine.orchestrator.judging import judge
from orchestra_tui.engine.orchestrator.one_step import Work, text_of
from orchestra_tui.engine.orchestrator.refusal import RefusedAnswer
from orchestra_tui.engine.validation.report import Report
from orchestra_tui.engine.workspace.text import fit_to_base


async def propose(
    work: Work,
    answer: Answer,
    proposal: Proposal,
    base: bytes | None,
    *,
    why: WriteReason,
    before_end: tuple[Event, ...] = (),
) -> None:
    """Judge the text, write it, end the activity; `before_end` goes with its last event.

    Raises RefusedAnswer for a text that is damaged.
    """
    report = await judged(work, proposal.text)
    if report.is_hard:
        data = proposal.text.encode("utf-8", "replace")
        damaged = await asyncio.to_thread(work.tools.blobs.put, data)
        raise RefusedAnswer(
            answer.call,
            report.summary,
            cause=RecoveryCause(report.state.value),
            diagnostics=report.diagnostics,
            text=damaged,
        )
    try:
        new = fit_to_base(proposal.text, base)
    except UnicodeEncodeError:
        raise RefusedAnswer(answer.call, "the text holds half a character (surrogate)") from None
    if await put_in_place(work, new, why=why):
        await executed(work, *before_end)


async def judged(work: Work, text: str) -> Report:
    """The gate's report on a text for the step's file, against its last good text.

    What is on disk may be a text of an agent that was found wanting: it excuses nothing. What
    the user himself had broken is in the last good text, and is not blamed on an agent.
    """
    blob = last_good(work.run, work.step)
    old = text_of(work, await asyncio.to_thread(work.tools.blob, blob))
    return await judge(work.tools, work.plan, work.path, text, old)


async def put_in_place(work: Work, new: bytes, *, why: WriteReason) -> bool:
    """Write the step's file, and remove its old name; False if a conflict stood there."""
    mode = await _mode_of_source(work)
    if work.step.writers.get(work.path) != work.activity.key:
        outcome = await work.tools.applier.apply(
            work.activity,
            path=work.path,
            new=new,
            base=work.expected(work.path),
            why=why,
            mode=mode,
        )
        if isinstance(outcome, ConflictFound):
            return False
    if work.source == work.path:
        return True
    outcome = await work.tools.applier.apply(
        work.activity, path=work.source, new=None, base=work.expected(work.source), why=why
    )
    return not isinstance(outcome, ConflictFound)


async def delete(work: Work) -> None:
    """Remove the step's file, and end the activity."""
    outcome = await work.tools.applier.apply(
        work.activity,
        path=work.path,
        new=None,
        base=work.expected(work.path),
        why=WriteReason.EXECUTE,
    )
    if not isinstance(outcome, ConflictFound):
        await executed(work)


async def executed(work: Work, *before_end: Event) -> None:
    """Say that the step's file is as the activity wants it."""
    event = StepExecuted(run=work.run.id, activity=work.activity.key, step=work.step.id)
    run = work.tools.run(work.run.id)
    is_last_word = work.step.manual is not None or work.plan_step.change is ChangeKind.DELETE
    if not is_last_word:
        await work.tools.journal.append(*before_end, event)
        return
    done = "deleted" if work.step.manual is None else "written by you"
    await work.tools.journal.append(event, checkpoint(run, f"{work.path} {done}"))


def checkpoint(run: RunState, label: str) -> CheckpointTaken:
    """The content of the run's files as the state has it now."""
    files = dict(run.base or {})
    for step in run.steps.values():
        files |= step.files
    return CheckpointTaken(run=run.id, label=label, files=files)


async def _mode_of_source(work: Work) -> int | None:
    """A moved file keeps its permission bits; a changed one keeps them without being told."""
    if work.source == work.path:
        return None
    content = await asyncio.to_thread(work.tools.tree.read, work.source)
    return content.mode if content else None
