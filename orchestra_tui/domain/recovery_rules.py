"""When a file goes into recovery, what is tried next, and when it is given back. Pure rules.

The rule a reader must not break: `next_approach` decides from the recovery alone. The approaches
come in the order of `RecoveryApproach`. An approach that failed is repeated at once only if it
failed in another way than what came before it, and it is not tried again while its last failure
is the newest one. What is left then, or over the budget, is the last good text.

The last good text is `StepState.good`: the files as they were when the step was last accepted in
this run (gate and audit passed). A step that was never accepted has the files from before the run.
Failing checks alone take no file back: they may have failed before, and they hold the commit.
"""

from collections.abc import Sequence
from datetime import datetime

from orchestra_tui.domain.events import RecoveryAttempted
from orchestra_tui.domain.ids import BlobHash
from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    Damage,
    Recovery,
    RecoveryApproach,
    RecoveryAttempt,
    RecoveryCause,
    RecoveryOutcome,
    RecoveryReport,
)
from orchestra_tui.domain.review import Issue
from orchestra_tui.domain.state import RunState, StepState, StepStatus

_BY_MODEL = (
    RecoveryApproach.CONSULT,
    RecoveryApproach.OTHER_ADAPTER,
    RecoveryApproach.PIECES,
)
_REPAIRABLE = {
    RecoveryCause.REFUSED,
    RecoveryCause.BROKEN,
    RecoveryCause.INCOMPLETE,
    RecoveryCause.WRAPPED,
}


def next_approach(recovery: Recovery) -> RecoveryApproach | None:
    """What to try next; None when nothing is left to try."""
    is_allowed = recovery.asked_count < recovery.budget
    damage = recovery.damage
    tried = {attempt.approach for attempt in recovery.attempts[recovery.renewed_at :]}
    may_continue = damage.can_continue and RecoveryApproach.CONTINUE not in tried
    if is_allowed and may_continue and not recovery.agents:
        return RecoveryApproach.CONTINUE
    is_repairable = damage.text is not None and damage.cause in _REPAIRABLE
    # The same damage again: what was not certain before is not now.
    known = tried if _is_same_again(recovery) else set(recovery.tried_on_damage)
    if is_repairable and RecoveryApproach.REPAIR not in known:
        return RecoveryApproach.REPAIR
    return _by_model(recovery) if is_allowed else None


def _by_model(recovery: Recovery) -> RecoveryApproach | None:
    tried = recovery.attempts[recovery.renewed_at :]
    marks: dict[RecoveryApproach, list[str]] = {approach: [] for approach in _BY_MODEL}
    if not recovery.cause.is_damage and not recovery.renewed_at:
        # The fixes before it were the Consultant's, with the same findings.
        marks[RecoveryApproach.CONSULT].append(recovery.marks[0] if recovery.marks else "")
    for attempt in tried:
        if attempt.approach in marks:
            marks[attempt.approach].append(attempt.mark)
    impossible = {a.approach for a in tried if a.outcome is AttemptOutcome.IMPOSSIBLE}
    newest = recovery.marks[-1] if recovery.marks else ""
    last = next((a.approach for a in reversed(tried) if a.approach in marks), None)
    may_repeat = last is not None and last not in impossible and not _is_same_again(recovery)
    if may_repeat and last is not None and len(marks[last]) < 2:
        return last
    left = [
        approach
        for approach in _BY_MODEL
        if approach is not last
        and approach not in impossible
        and (not marks[approach] or marks[approach][-1] != newest)
    ]
    return min(left, key=lambda approach: len(marks[approach]), default=None)


def _is_same_again(recovery: Recovery) -> bool:
    marks = recovery.marks
    return len(marks) > 1 and marks[-1] == marks[-2]


def with_next(recovery: Recovery) -> Recovery:
    """The recovery with what comes next decided."""
    return recovery.model_copy(update={"next": next_approach(recovery)})


def enter(run: RunState, step: StepState, damage: Damage, at: datetime) -> StepState:
    """The step in recovery from `damage`, or given back if nothing may be tried."""
    recovery = Recovery(
        cause=damage.cause,
        message=damage.message,
        entered_at=at,
        damage=damage,
        budget=run.settings.max_recovery_attempts,
        marks=(damage.mark,),
        agents=step.agents,
    )
    return going_on(run, _put(step, recovery, is_new=True), with_next(recovery), at)


def going_on(run: RunState, step: StepState, recovery: Recovery, at: datetime) -> StepState:
    """The step ready for what comes next of its open recovery, or given back."""
    if recovery.next is None:
        return give_up(run, _put(step, recovery), at)
    update: dict[str, object] = {
        "status": StepStatus.NEEDS_RECOVERY,
        "last_error": recovery.damage.message,
        "diagnostics": recovery.damage.diagnostics,
    }
    return _put(step, recovery).model_copy(update=update)


def after_attempt(
    run: RunState, step: StepState, attempt: RecoveryAttempt, damage: Damage | None
) -> StepState:
    """The step after an attempt that did not help; `damage` is the new one, if it made one."""
    recovery = step.recovery
    if recovery is None:
        return step
    marks = (*recovery.marks, attempt.mark) if attempt.mark else recovery.marks
    recovery = recovery.model_copy(
        update={
            "attempts": (*recovery.attempts, attempt),
            "marks": marks,
            "damage": damage or recovery.damage,
            "tried_on_damage": () if damage else (*recovery.tried_on_damage, attempt.approach),
        }
    )
    return going_on(run, step, with_next(recovery), attempt.at)


def found_wanting(
    run: RunState, step: StepState, outcome: AttemptOutcome, damage: Damage, at: datetime
) -> StepState:
    """The step after its last attempt was written, and Auditor or checks then found `damage`."""
    recovery = step.recovery
    if recovery is None:
        return enter(run, step, damage, at)
    if not recovery.attempts:
        return give_up(run, step, at)
    last = recovery.attempts[-1].model_copy(
        update={
            "outcome": outcome,
            "mark": damage.mark,
            "message": damage.message,
            "diagnostics": damage.diagnostics,
            "text": damage.text,
        }
    )
    recovery = recovery.model_copy(
        update={
            "attempts": (*recovery.attempts[:-1], last),
            "marks": (*recovery.marks, damage.mark),
            "damage": damage,
            "tried_on_damage": (),
        }
    )
    return going_on(run, step, with_next(recovery), at)


def attempt_of(event: RecoveryAttempted, at: datetime, damage: Damage | None) -> RecoveryAttempt:
    """The attempt as the state keeps it; `damage` is what it left behind, if anything."""
    if damage is not None:
        mark = damage.mark
    elif event.outcome is AttemptOutcome.FAILED:
        mark = f"failed:{event.message}"
    else:
        mark = ""
    return RecoveryAttempt(
        activity=event.activity,
        approach=event.approach,
        at=at,
        outcome=event.outcome,
        asked=event.asked,
        message=event.message,
        mark=mark,
        diagnostics=event.diagnostics,
        text=event.text,
    )


def give_up(run: RunState, step: StepState, at: datetime) -> StepState:
    """The step after nothing helped: its file goes back to its last good text."""
    recovery = step.recovery
    outcome = RecoveryOutcome.KEPT if step.good else RecoveryOutcome.REVERTED
    message = recovery.damage.message if recovery is not None else step.last_error
    attempts = recovery.attempts if recovery is not None else ()
    count = sum(attempt.outcome is not AttemptOutcome.IMPOSSIBLE for attempt in attempts)
    if count:
        plural = "attempt" if count == 1 else "attempts"
        message = f"{count} {plural} to recover it failed, the last: {message}"
    step = retreat(run, ended(step, outcome, at))
    return step.model_copy(update={"last_error": message})


def retreat(run: RunState, step: StepState) -> StepState:
    """The step on its way back to its last good text, or there already."""
    if step.good:
        differs = any(step.files.get(path) != blob for path, blob in step.good.items())
        status = StepStatus.NEEDS_REVERT if differs else StepStatus.ACCEPTED
    else:
        status = StepStatus.NEEDS_REVERT if step.is_written else StepStatus.FAILED
    update: dict[str, object] = {
        "status": status,
        "goes_back_to_good": bool(step.good),
        "failures": 0,
        "refusals": (),
    }
    return step.model_copy(update=update)


def ended(step: StepState, outcome: RecoveryOutcome, at: datetime, reason: str = "") -> StepState:
    """The step with its recovery ended so, or its defeat answered; else unchanged."""
    if step.recovery is None and not step.is_defeated:
        return step
    update = {"outcome": outcome, "ended_at": at, "next": None, "reason": reason}
    return _put(step, step.recoveries[-1].model_copy(update=update))


def renewed(recovery: Recovery, **update: object) -> Recovery:
    """The recovery after the user changed what it may do: every approach may be tried again."""
    recovery = recovery.model_copy(
        update={
            "renewed_at": len(recovery.attempts),
            "marks": recovery.marks[-1:],
            "outcome": None,
            "ended_at": None,
            **update,
        }
    )
    return with_next(recovery)


def issue_damage(run: RunState, step: StepState, issues: Sequence[Issue]) -> Damage:
    """What the Auditor found in the text on disk, as damage."""
    plural = "issue" if len(issues) == 1 else "issues"
    message = f"{len(issues)} {plural} left: {issues[0].message}"
    return Damage(cause=RecoveryCause.AUDIT, message=message, text=text_on_disk(run, step))


def text_on_disk(run: RunState, step: StepState) -> BlobHash | None:
    """What we last wrote to the step's own path; None if that was nothing."""
    return step.files.get(run.plan.step(step.id).path) if run.plan is not None else None


def last_good(run: RunState, step: StepState) -> BlobHash | None:
    """The last good text of the step's file; None if there was no file."""
    if run.plan is None:
        return None
    plan_step = run.plan.step(step.id)
    if plan_step.path in step.good:
        return step.good[plan_step.path]
    base = run.base or {}
    return base.get(plan_step.path) or base.get(plan_step.from_path or plan_step.path)


def reports_of(run: RunState) -> tuple[RecoveryReport, ...]:
    """Every recovery of the run, for its report."""
    return tuple(
        RecoveryReport(
            step=step.id,
            path=run.plan.step(step.id).path if run.plan is not None else step.id,
            cause=recovery.cause,
            outcome=recovery.outcome,
            tried=tuple(_told(attempt) for attempt in recovery.attempts),
            message=recovery.message,
        )
        for step in run.ordered_steps
        for recovery in step.recoveries
    )


def _told(attempt: RecoveryAttempt) -> str:
    asked = f" ({attempt.asked})" if attempt.asked else ""
    words = attempt.outcome.value.replace("_", " ")
    return f"{attempt.approach.value.replace('_', ' ')}{asked}: {words}"


def _put(step: StepState, recovery: Recovery, *, is_new: bool = False) -> StepState:
    earlier = step.recoveries if is_new else step.recoveries[:-1]
    return step.model_copy(update={"recoveries": (*earlier, recovery)})
