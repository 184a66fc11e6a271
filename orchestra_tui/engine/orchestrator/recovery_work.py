"""One attempt to recover a file, and a text that the user gave himself.

The rule a reader must not break: what an attempt does follows from the state and the content
store alone, so that an attempt that a crash cut off does the same again and pays nothing twice.
"""

import asyncio
import json

from orchestra_tui.domain.activities import Activity, FixReason
from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.events import ConflictFound, RecoveryAttempted, WriteReason
from orchestra_tui.domain.ids import BlobHash, Role, call_key
from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    Damage,
    Recovery,
    RecoveryApproach,
    RecoveryCause,
)
from orchestra_tui.domain.recovery_rules import last_good
from orchestra_tui.domain.state import CallState, RunState
from orchestra_tui.engine.adapters.base import Message
from orchestra_tui.engine.adapters.fallback_joint import anchor_of, continuation, joined
from orchestra_tui.engine.agents.file_agents import proposal
from orchestra_tui.engine.agents.file_replies import begun_file
from orchestra_tui.engine.agents.jobs import FixJob, Proposal
from orchestra_tui.engine.agents.mending import closed, unwrapped_reply
from orchestra_tui.engine.agents.parsing import ReplyRefused
from orchestra_tui.engine.agents.related import missing_definitions
from orchestra_tui.engine.orchestrator.calls import Answer, Question
from orchestra_tui.engine.orchestrator.offered_text import binary_problem
from orchestra_tui.engine.orchestrator.one_step import (
    Work,
    answered,
    begin,
    check_output,
    content,
    is_written_by,
    refuse_replacing,
    refuse_unwritable,
    refused_reply,
    text_of,
)
from orchestra_tui.engine.orchestrator.proposing import executed, judged, propose, put_in_place
from orchestra_tui.engine.orchestrator.refusal import NotWritable, RefusedAnswer
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.validation.report import ReportState
from orchestra_tui.engine.workspace.text import fit_to_base


class Impossible(Exception):
    """There is nothing to try the approach with; nobody was asked."""


async def recover(tools: Tools, activity: Activity) -> None:
    """Try once to recover the step's file.

    Raises RefusedAnswer, AdapterError or an OrchestraError; the runner makes the attempt's event
    of them with `attempted`.
    """
    work = begin(tools, activity)
    if is_written_by(work):
        return await executed(work, attempted(work.run, activity, AttemptOutcome.WRITTEN))
    refuse_replacing(work)
    await refuse_unwritable(work)
    found = await content(work, work.source)
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    recovery = work.step.recovery
    if recovery is None:
        raise KeyError(activity.key)
    try:
        await _try(work, recovery, found)
    except Impossible as reason:
        event = attempted(work.run, activity, AttemptOutcome.IMPOSSIBLE, str(reason))
        await tools.journal.append(event)
    return None


async def write_given(tools: Tools, activity: Activity) -> None:
    """Write the text that the user gave. Raises NotWritable if it is damaged all the same, or
    what it would replace is no text."""
    work = begin(tools, activity)
    if is_written_by(work):
        return await executed(work)
    await refuse_unwritable(work)
    found = await content(work, work.source)
    given = work.step.manual
    if isinstance(found, ConflictFound):
        await tools.journal.append(found)
        return None
    if given is None:
        raise KeyError(activity.key)
    if found is not None and (problem := binary_problem(work.path, found)):
        raise NotWritable(problem)
    text = await _text(work, given.text)
    if not given.is_anyway and (report := await judged(work, text)).is_hard:
        raise NotWritable(f"your text is damaged: {report.summary}")
    if await put_in_place(work, fit_to_base(text, found), why=WriteReason.MANUAL):
        await executed(work)
    return None


def attempted(
    run: RunState, activity: Activity, outcome: AttemptOutcome, message: str = ""
) -> RecoveryAttempted:
    """The event that tells how the attempt ended. Raises KeyError if it is none."""
    if run.plan is None or activity.step is None or activity.approach is None:
        raise KeyError(activity.key)
    step = run.steps[activity.step]
    recovery = step.recovery
    calls = [call for call in run.calls.values() if call.activity == activity.key]
    return RecoveryAttempted(
        run=run.id,
        activity=activity.key,
        step=activity.step,
        path=run.plan.step(activity.step).path,
        approach=activity.approach,
        cause=recovery.damage.cause if recovery is not None else RecoveryCause.REFUSED,
        outcome=outcome,
        asked=calls[-1].adapter.name if calls else "",
        message=message,
    )


async def _try(work: Work, recovery: Recovery, found: bytes | None) -> None:
    match work.activity.approach:
        case RecoveryApproach.CONTINUE:
            answer, text = await _continue(work, recovery.damage, text_of(work, found))
        case RecoveryApproach.REPAIR:
            await _repair(work, recovery.damage, found)
            return
        case RecoveryApproach.OTHER_ADAPTER:
            job = await _job(work, recovery, text_of(work, found))
            consultant = work.tools.agents.consultant
            answer, text = await answered(work, consultant, job, chain=_others(work, recovery))
        case RecoveryApproach.PIECES:
            job = await _job_in_pieces(work, recovery, text_of(work, found))
            answer, text = await _consulted(work, recovery, job)
        case _:
            job = await _job(work, recovery, text_of(work, found))
            answer, text = await _consulted(work, recovery, job)
    run = work.tools.run(work.run.id)
    written = attempted(run, work.activity, AttemptOutcome.WRITTEN)
    await propose(work, answer, text, found, why=WriteReason.RECOVER, before_end=(written,))


async def _consulted(work: Work, recovery: Recovery, job: FixJob) -> tuple[Answer, Proposal]:
    chain = recovery.agents or None
    return await answered(work, work.tools.agents.consultant, job, chain=chain)


# --- continue from the cut ----------------------------------------------------------------------


async def _continue(work: Work, damage: Damage, base: str | None) -> tuple[Answer, Proposal]:
    """The rest of a reply that broke off, from the adapter that began it, joined to it."""
    call = work.run.calls.get(damage.call) if damage.call else None
    head = await _text(work, damage.text)
    anchor = anchor_of(head)
    if call is None or anchor is None:
        raise Impossible("the cut reply holds no words that name its cut")
    messages = continuation(await _messages(work, call), head, anchor)
    question = Question(
        # Whoever began it: every attempt at recovery is on the Consultant's account.
        role=Role.CONSULTANT,
        path=work.path,
        task=work.run.task,
        messages=messages,
        context=call.context,
        chain=(call.adapter.name,),
    )
    answer = await work.tools.caller.ask(work.activity, question)
    whole = joined(head, anchor, answer.text)
    if whole is None:
        raise RefusedAnswer(
            answer.call,
            "the continuation of the cut reply does not fit its cut",
            cause=RecoveryCause.CUT,
            is_reply=True,
            text=damage.text,
        )
    return answer, await _read(work, answer, whole, answer.finish, base)


async def _messages(work: Work, call: CallState) -> tuple[Message, ...]:
    """What was asked first: later calls of the same activity only continue its answer."""
    first = work.run.calls.get(call_key(call.activity, 1), call)
    request = json.loads(await _text(work, first.request))
    return tuple(Message(each["role"], each["content"]) for each in request["messages"])


async def _read(
    work: Work, answer: Answer, text: str, finish: FinishReason, base: str | None
) -> Proposal:
    try:
        return proposal(text, finish, plan=work.plan, step=work.plan_step, base=base)
    except ReplyRefused as refusal:
        whole = Answer(answer.call, text, finish)
        raise await refused_reply(work.tools, whole, refusal) from None


# --- repair what is certain ---------------------------------------------------------------------


async def _repair(work: Work, damage: Damage, found: bytes | None) -> None:
    """Write the text that is certain to be meant. Raises Impossible if there is none."""
    text = await _mended(work, damage, text_of(work, found))
    if text is None:
        raise Impossible("nothing about the damage is so certain that no model is needed")
    event = attempted(work.run, work.activity, AttemptOutcome.WRITTEN)
    if await put_in_place(work, fit_to_base(text, found), why=WriteReason.RECOVER):
        await executed(work, event)


async def _mended(work: Work, damage: Damage, base: str | None) -> str | None:
    """The damaged text without its wrapping, or with its one missing closer."""
    text = await _text(work, damage.text)
    if damage.is_reply:
        return await _unwrapped(work, text, base)
    report = await judged(work, text)
    if report.unwrapped is not None:
        inner = await judged(work, report.unwrapped)
        return None if inner.is_hard else report.unwrapped
    for candidate in closed(text):
        if (await judged(work, candidate)).state is ReportState.FINE:
            return candidate
    return None


async def _unwrapped(work: Work, reply: str, base: str | None) -> str | None:
    """The file of a reply whose marker lines are whole, with words or fences around them."""
    inner = unwrapped_reply(reply, work.path)
    if inner is None:
        return None
    try:
        read = proposal(inner, FinishReason.STOP, plan=work.plan, step=work.plan_step, base=base)
    except ReplyRefused:
        return None
    return None if (await judged(work, read.text)).is_hard else read.text


# --- ask the Consultant -------------------------------------------------------------------------


async def _job(work: Work, recovery: Recovery, on_disk: str | None) -> FixJob:
    damage = recovery.damage
    before = await _blob_text(work, (work.run.base or {}).get(work.source))
    good = await _blob_text(work, last_good(work.run, work.step))
    is_damage = damage.cause.is_damage and damage.text is not None
    reason = _reason(work, recovery)
    return FixJob(
        plan=work.plan,
        step=work.plan_step,
        text=on_disk,
        reason=reason,
        old=before,
        last_good=good if good not in {on_disk, before} else None,
        issues=work.step.issues if reason is FixReason.AUDIT else (),
        diagnostics=damage.diagnostics,
        check_output=await check_output(work) if reason is FixReason.CHECKS else "",
        damaged=await _text(work, damage.text) if is_damage else None,
        task=work.run.task,
        note=work.note,
        refusals=(damage.message,) if damage.cause.is_damage else (),
    )


async def _job_in_pieces(work: Work, recovery: Recovery, on_disk: str | None) -> FixJob:
    """Edits to what is there: the file on disk, or what can be read of the damaged attempt."""
    job = await _job(work, recovery, on_disk)
    begun = await _begun(work, recovery.damage)
    if on_disk is None and begun is None:
        raise Impossible("there is no text that could be completed piece by piece")
    wanted = job.last_good or job.old or on_disk or ""
    lost = missing_definitions(wanted, begun) if begun is not None else ()
    if on_disk is not None:
        return job.but(in_pieces=True, lost=lost)
    return job.but(in_pieces=True, lost=lost, text=begun, damaged=None)


async def _begun(work: Work, damage: Damage) -> str | None:
    """The text of the damaged attempt as far as it can be read."""
    if damage.text is None or not damage.cause.is_damage:
        return None
    text = await _text(work, damage.text)
    return begun_file(text, work.path) if damage.is_reply else text


def _reason(work: Work, recovery: Recovery) -> FixReason:
    """What the file needs beside being whole: a fix that was damaged is still to be made."""
    match recovery.cause:
        case RecoveryCause.AUDIT:
            return FixReason.AUDIT
        case RecoveryCause.CHECKS:
            return FixReason.CHECKS
        case _:
            fix = work.step.fix_reason if work.step.is_written else None
            return fix or FixReason.RECOVERY


def _others(work: Work, recovery: Recovery) -> tuple[str, ...]:
    """Adapters that had no part in the damage: of the user's choice, else of the chains of
    Consultant and Executor, in their order. Raises Impossible if there is none."""
    chains = work.tools.caller.chains
    names = recovery.agents or (
        *chains.names(Role.CONSULTANT),
        *(work.plan_step.agents or chains.names(Role.EXECUTOR)),
    )
    had = _involved(work, recovery)
    left = tuple(name for name in dict.fromkeys(names) if name not in had)
    if not left:
        raise Impossible("no other adapter is configured for this file")
    return left


def _involved(work: Work, recovery: Recovery) -> set[str]:
    """Who gave a reply for this step that was refused, was asked to recover it, or wrote what
    was found wanting."""
    begins = f"{work.run.id}/{work.step.id}/"
    calls = [c for c in work.run.calls.values() if c.activity.startswith(begins)]
    found = {call.adapter.name for call in calls if call.refused}
    found |= {attempt.asked for attempt in recovery.attempts} | {recovery.damage.adapter}
    if not recovery.cause.is_damage:
        writer = work.step.writers.get(work.path)
        found |= {call.adapter.name for call in calls if call.activity == writer}
    return found


async def _blob_text(work: Work, blob: BlobHash | None) -> str | None:
    return text_of(work, await asyncio.to_thread(work.tools.blob, blob))


async def _text(work: Work, blob: BlobHash | None) -> str:
    data = await asyncio.to_thread(work.tools.blob, blob)
    return (data or b"").decode("utf-8", "replace")
