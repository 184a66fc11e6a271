"""Work on one step: write its file, audit it, fix it, give it back.

The rule a reader must not break: every text goes through `proposing.propose`; nothing here writes.
"""

import asyncio

from orchestra_tui.domain.activities import Activity, FixReason
from orchestra_tui.domain.events import (
    AuditPassed,
    ConflictFound,
    FileReverted,
    IssuesFound,
    WriteReason,
)
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.review import at_or_above
from orchestra_tui.engine.agents.jobs import AuditJob, ExecuteJob, FixJob
from orchestra_tui.engine.apply import undos_of
from orchestra_tui.engine.orchestrator.one_step import (
    Work,
    answered,
    begin,
    check_output,
    content,
    is_written_by,
    refuse_replacing,
    refuse_unwritable,
    text_of,
)
from orchestra_tui.engine.orchestrator.proposing import checkpoint, delete, executed, propose
from orchestra_tui.engine.orchestrator.tools import Tools


async def execute(tools: Tools, activity: Activity) -> None:
    """Write the step's file. Raises RefusedAnswer, AdapterError or an OrchestraError."""
    work = begin(tools, activity)
    if is_written_by(work):
        return await executed(work)
    refuse_replacing(work)
    await refuse_unwritable(work)
    if work.plan_step.change is ChangeKind.DELETE:
        return await delete(work)
    found = await content(work, work.source)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    job = ExecuteJob(
        task=work.run.task,
        plan=work.plan,
        step=work.plan_step,
        base=text_of(work, found),
        note=work.note,
        refusals=work.step.refusals,
    )
    answer, proposal = await answered(work, tools.agents.executor, job)
    await propose(work, answer, proposal, found, why=WriteReason.EXECUTE)
    return None


async def fix(tools: Tools, activity: Activity) -> None:
    """Repair the step's file. Raises as `execute` does."""
    work = begin(tools, activity)
    if is_written_by(work):
        return await executed(work)
    await refuse_unwritable(work)
    found = await content(work, work.path)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    base = await asyncio.to_thread(tools.blob, (work.run.base or {}).get(work.source))
    is_for_checks = activity.reason is FixReason.CHECKS
    job = FixJob(
        plan=work.plan,
        step=work.plan_step,
        text=text_of(work, found),
        reason=activity.reason or FixReason.AUDIT,
        old=text_of(work, base),
        issues=work.step.issues if activity.reason is FixReason.AUDIT else (),
        diagnostics=work.step.diagnostics,
        check_output=await check_output(work) if is_for_checks else "",
        task=work.run.task,
        note=work.note,
        refusals=work.step.refusals,
    )
    answer, proposal = await answered(work, tools.agents.consultant, job)
    await propose(work, answer, proposal, found, why=WriteReason.FIX)
    return None


async def audit(tools: Tools, activity: Activity) -> None:
    """Have the step's file judged. Raises RefusedAnswer, AdapterError or an OrchestraError."""
    work = begin(tools, activity)
    found = await content(work, work.path)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return
    base = await asyncio.to_thread(tools.blob, (work.run.base or {}).get(_first_path(work)))
    job = AuditJob(
        plan=work.plan,
        step=work.plan_step,
        text=text_of(work, found) or "",
        old=text_of(work, base),
        task=work.run.task,
        refusals=work.step.refusals,
    )
    _, result = await answered(work, tools.agents.auditor, job)
    run, step = work.run.id, work.step.id
    if at_or_above(result.issues, work.run.settings.severity_floor):
        found_issues = IssuesFound(run=run, activity=activity.key, step=step, issues=result.issues)
        await tools.journal.append(found_issues)
        return
    await tools.journal.append(
        AuditPassed(run=run, activity=activity.key, step=step, issues=result.issues),
        checkpoint(tools.run(activity.run), f"{work.path} accepted"),
    )


async def revert(tools: Tools, activity: Activity) -> None:
    """Give the step's files back, while they are still ours: as they were before the run, or as
    they were when they were last accepted."""
    work = begin(tools, activity)
    is_good = work.step.goes_back_to_good
    undos = undos_of(work.run, work.step.id, to_good=is_good)
    reason = work.step.last_error or "given up"
    if not undos:
        target = (work.run.base or {}) | (work.step.good if is_good else {})
        await tools.journal.append(
            FileReverted(
                run=work.run.id,
                activity=activity.key,
                step=work.step.id,
                path=work.path,
                after=target.get(work.path),
                reason=reason,
                is_good=is_good,
            )
        )
        return
    await tools.applier.revert(
        activity, undos, reason=reason, folders=work.run.folders, is_good=is_good
    )


def _first_path(work: Work) -> str:
    return work.plan_step.from_path or work.path
