"""Work on one step: write its file, audit it, fix it, give it back.

The rule a reader must not break: a text reaches the disk only through `_propose`, that is after
its reply parsed whole, the gate found nothing hard, and the base was still the one asked about.
"""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.events import (
    AuditPassed,
    CheckpointTaken,
    ConflictFound,
    FileReverted,
    IssuesFound,
    StepExecuted,
    WriteReason,
)
from orchestra_tui.domain.ids import BlobHash, Role
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.review import at_or_above
from orchestra_tui.domain.state import RunState, StepState
from orchestra_tui.engine.agents.base import Agent, Prompt
from orchestra_tui.engine.agents.jobs import AuditJob, ExecuteJob, FixJob, Proposal
from orchestra_tui.engine.agents.parsing import ReplyRefused
from orchestra_tui.engine.apply import undos_of
from orchestra_tui.engine.orchestrator.asking import ask
from orchestra_tui.engine.orchestrator.calls import Answer
from orchestra_tui.engine.orchestrator.judging import judge
from orchestra_tui.engine.orchestrator.refusal import NotWritable, RefusedAnswer
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.workspace.text import Binary, decode, fit_to_base

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class _Work:
    """One unit of work with everything it is about, read once at its start."""

    tools: Tools
    activity: Activity
    run: RunState
    plan: Plan
    plan_step: PlanStep
    step: StepState

    @property
    def path(self) -> str:
        return self.plan_step.path

    @property
    def source(self) -> str:
        """The path whose content the step starts from: the old name until it is moved."""
        old = self.plan_step.from_path
        if self.plan_step.change is not ChangeKind.RENAME or not old:
            return self.path
        is_moved = old in self.step.files and self.step.files[old] is None
        return self.path if is_moved else old

    def expected(self, path: str) -> BlobHash | None:
        """What must be on disk: what the step wrote last, else what the plan was made against."""
        return self.step.files.get(path, (self.run.base or {}).get(path))


async def execute(tools: Tools, activity: Activity) -> None:
    """Write the step's file. Raises RefusedAnswer, AdapterError or an OrchestraError."""
    work = _begin(tools, activity)
    if _is_written_by(work):
        return await _executed(work)
    _refuse_replacing(work)
    await _refuse_unwritable(work)
    if work.plan_step.change is ChangeKind.DELETE:
        return await _delete(work)
    found = await _content(work, work.source)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    job = ExecuteJob(
        task=work.run.task,
        plan=work.plan,
        step=work.plan_step,
        base=_text(work, found),
        note="\n".join(filter(None, (work.run.note, work.step.note))),
        refusals=work.step.refusals,
    )
    answer, proposal = await _answered(work, tools.agents.executor, job)
    await _propose(work, answer, proposal, found)
    return None


async def fix(tools: Tools, activity: Activity) -> None:
    """Repair the step's file. Raises as `execute` does."""
    work = _begin(tools, activity)
    if _is_written_by(work):
        return await _executed(work)
    await _refuse_unwritable(work)
    found = await _content(work, work.path)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    base = await asyncio.to_thread(tools.blob, (work.run.base or {}).get(work.source))
    job = FixJob(
        plan=work.plan,
        step=work.plan_step,
        text=_text(work, found),
        reason=activity.reason or FixReason.AUDIT,
        old=_text(work, base),
        issues=work.step.issues if activity.reason is FixReason.AUDIT else (),
        diagnostics=work.step.diagnostics,
        check_output=await _check_output(work),
        damaged=await _damaged(work),
        task=work.run.task,
        note="\n".join(filter(None, (work.run.note, work.step.note))),
        refusals=work.step.refusals,
    )
    answer, proposal = await _answered(work, tools.agents.consultant, job)
    await _propose(work, answer, proposal, found)
    return None


async def audit(tools: Tools, activity: Activity) -> None:
    """Have the step's file judged. Raises RefusedAnswer, AdapterError or an OrchestraError."""
    work = _begin(tools, activity)
    found = await _content(work, work.path)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return
    base = await asyncio.to_thread(tools.blob, (work.run.base or {}).get(_first_path(work)))
    job = AuditJob(
        plan=work.plan,
        step=work.plan_step,
        text=_text(work, found) or "",
        old=_text(work, base),
        task=work.run.task,
        refusals=work.step.refusals,
    )
    _, result = await _answered(work, tools.agents.auditor, job)
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
    """Give the step's files back as they were before the run, while they are still ours."""
    work = _begin(tools, activity)
    undos = undos_of(work.run, work.step.id)
    reason = work.step.last_error or "given up"
    if not undos:
        path = work.path
        after = (work.run.base or {}).get(path)
        await tools.journal.append(
            FileReverted(
                run=work.run.id,
                activity=activity.key,
                step=work.step.id,
                path=path,
                after=after,
                reason=reason,
            )
        )
        return
    await tools.applier.revert(activity, undos, reason=reason, folders=work.run.folders)


def checkpoint(run: RunState, label: str) -> CheckpointTaken:
    """The content of the run's files as the state has it now."""
    files = dict(run.base or {})
    for step in run.steps.values():
        files |= step.files
    return CheckpointTaken(run=run.id, label=label, files=files)


def _begin(tools: Tools, activity: Activity) -> _Work:
    run = tools.run(activity.run)
    if run.plan is None or activity.step is None:
        raise KeyError(activity.key)
    step = run.steps[activity.step]
    return _Work(tools, activity, run, run.plan, run.plan.step(activity.step), step)


def _first_path(work: _Work) -> str:
    return work.plan_step.from_path or work.path


def _is_written_by(work: _Work) -> bool:
    """This very activity changed all it had to before a crash cut it off."""
    writers = work.step.writers
    paths = [work.path]
    if work.plan_step.change is ChangeKind.RENAME and work.activity.kind is ActivityKind.EXECUTE:
        paths.append(work.plan_step.from_path or work.path)
    return all(writers.get(path) == work.activity.key for path in paths)


def _refuse_replacing(work: _Work) -> None:
    """A moved file takes no other file's place: nobody would see that one go.

    Raises NotWritable.
    """
    is_moving = work.plan_step.change is ChangeKind.RENAME and work.source != work.path
    was_there = (work.run.base or {}).get(work.path) is not None
    if is_moving and was_there and work.path not in work.step.files:
        raise NotWritable(
            f"{work.path} is there already: move it away, or give the step another path"
        )


async def _refuse_unwritable(work: _Work) -> None:
    """Ask the tree before a model is paid. Raises NotWritable."""
    for path in {work.path, work.source}:
        if problem := await work.tools.applier.refusal(path):
            raise NotWritable(problem)


async def _content(work: _Work, path: str) -> bytes | ConflictFound | None:
    """The file's bytes as the step must find them, or the conflict that stands there instead.

    Inside a rename that a crash cut in two, the old file may be read from the content store.
    """
    content = await asyncio.to_thread(work.tools.tree.read, path)
    found = content.hash if content else None
    expected = work.expected(path)
    if found != expected:
        if content is not None:
            await asyncio.to_thread(work.tools.blobs.put, content.data)
        return ConflictFound(
            run=work.run.id,
            activity=work.activity.key,
            step=work.step.id,
            path=path,
            expected=expected,
            found=found,
        )
    return content.data if content else None


def _text(work: _Work, data: bytes | None) -> str | None:
    if data is None:
        return None
    decoded = decode(data)
    if isinstance(decoded, Binary):
        raise NotWritable(f"{work.path} is not UTF-8 text: a model never rewrites it")
    return decoded.text


async def _answered(work: _Work, agent: Agent[J, R], job: J) -> tuple[Answer, R]:
    """The agent's reply to `job`, and what it says. Raises RefusedAnswer or AdapterError."""
    answer = await _ask(work, agent.role, await agent.prepare(job))
    try:
        return answer, agent.parse(answer.text, answer.finish, job)
    except ReplyRefused as refusal:
        raise RefusedAnswer(answer.call, refusal.reason) from None


async def _ask(work: _Work, role: Role, prompt: Prompt) -> Answer:
    chain = work.plan_step.agents if role is Role.EXECUTOR else ()
    return await ask(work.tools, work.activity, prompt, role=role, path=work.path, chain=chain)


async def _propose(work: _Work, answer: Answer, proposal: Proposal, base: bytes | None) -> None:
    """The gate, then the apply function, then the step's event."""
    tools = work.tools
    old = _text(work, base)
    report = await judge(tools, work.plan, proposal.path, proposal.text, old)
    if report.is_hard:
        damaged = await asyncio.to_thread(tools.blobs.put, proposal.text.encode("utf-8", "replace"))
        raise RefusedAnswer(
            answer.call, report.summary, diagnostics=report.diagnostics, text=damaged
        )
    try:
        data = fit_to_base(proposal.text, base)
    except UnicodeEncodeError:
        raise RefusedAnswer(answer.call, "the text holds half a character (surrogate)") from None
    why = WriteReason.EXECUTE if work.activity.kind is ActivityKind.EXECUTE else WriteReason.FIX
    mode = await _mode_of_source(work)
    if work.step.writers.get(work.path) != work.activity.key:
        outcome = await tools.applier.apply(
            work.activity,
            path=work.path,
            new=data,
            base=work.expected(work.path),
            why=why,
            mode=mode,
        )
        if isinstance(outcome, ConflictFound):
            return
    if work.source != work.path:
        outcome = await tools.applier.apply(
            work.activity, path=work.source, new=None, base=work.expected(work.source), why=why
        )
        if isinstance(outcome, ConflictFound):
            return
    await _executed(work)


async def _mode_of_source(work: _Work) -> int | None:
    """A moved file keeps its permission bits; a changed one keeps them without being told."""
    if work.source == work.path:
        return None
    content = await asyncio.to_thread(work.tools.tree.read, work.source)
    return content.mode if content else None


async def _delete(work: _Work) -> None:
    outcome = await work.tools.applier.apply(
        work.activity,
        path=work.path,
        new=None,
        base=work.expected(work.path),
        why=WriteReason.EXECUTE,
    )
    if not isinstance(outcome, ConflictFound):
        await _executed(work)


async def _executed(work: _Work) -> None:
    event = StepExecuted(run=work.run.id, activity=work.activity.key, step=work.step.id)
    if work.plan_step.change is not ChangeKind.DELETE:
        await work.tools.journal.append(event)
        return
    run = work.tools.run(work.run.id)
    await work.tools.journal.append(event, checkpoint(run, f"{work.path} deleted"))


async def _check_output(work: _Work) -> str:
    if work.activity.reason is not FixReason.CHECKS:
        return ""
    blobs = [outcome.output for outcome in work.run.checks.outcomes if outcome.output]
    texts = [await asyncio.to_thread(work.tools.blobs.get, blob) for blob in blobs]
    return "\n".join(text.decode("utf-8", "replace") for text in texts)


async def _damaged(work: _Work) -> str | None:
    """The text of the last refused try, when this fix follows one."""
    if not work.step.failures or not work.step.timeline:
        return None
    for note in reversed(work.step.timeline):
        if note.text is not None:
            data = await asyncio.to_thread(work.tools.blobs.get, note.text)
            return data.decode("utf-8", "replace")
        if note.result not in {"refused", "failed"}:
            return None
    return None
