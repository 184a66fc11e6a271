"""What becomes of a step: tried again, fixed, accepted, given back or blocked. Pure rules.

The audit loop ends when nothing reaches the severity floor, when `max_iterations` fixes were
written, or when the issues no longer shrink. A file that then still has an issue of severity
`error` or worse goes into recovery (`domain.recovery_rules`), as does one whose reply or text could
not be used; a milder one is accepted with its issues shown.
"""

from datetime import datetime

from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.events import ActivityFailed
from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    Damage,
    RecoveryApproach,
    RecoveryAttempt,
    RecoveryCause,
    RecoveryOutcome,
)
from orchestra_tui.domain.recovery_rules import (
    after_attempt,
    ended,
    enter,
    found_wanting,
    issue_damage,
    retreat,
)
from orchestra_tui.domain.review import Issue, Severity, at_or_above
from orchestra_tui.domain.state import RunState, StepState, StepStatus

MAX_TIMELINE = 60
MAX_REFUSALS = 3
_READY = {
    ActivityKind.EXECUTE: StepStatus.WAITING,
    ActivityKind.AUDIT: StepStatus.WRITTEN,
    ActivityKind.FIX: StepStatus.NEEDS_FIX,
    ActivityKind.RECOVER: StepStatus.NEEDS_RECOVERY,
    ActivityKind.MANUAL: StepStatus.TAKEN_OVER,
    ActivityKind.REVERT: StepStatus.NEEDS_REVERT,
}
_BLOCKING = {StepStatus.REVERTED, StepStatus.FAILED, StepStatus.BLOCKED, StepStatus.SKIPPED}
UNAVAILABLE_KINDS = frozenset(
    {
        "rate_limited",
        "quota_exhausted",
        "overloaded",
        "connection_failed",
        "first_byte_timeout",
        "chain_exhausted",
    }
)
"""Error kinds that mean the adapter itself is unavailable, not that this piece of work failed."""
CONFIGURATION_KINDS = frozenset({"authentication_failed", "model_not_found", "not_configured"})
"""Error kinds that only a change of configuration can cure."""
HALTING_KINDS = UNAVAILABLE_KINDS | CONFIGURATION_KINDS
"""Error kinds that stop the whole run; no step and no attempt is to blame."""
OWN_CHAIN_REFUSED = "own_chain_refused"
"""The adapters that were named for this step alone cannot be asked as they are configured: the step
fails at once, and the run goes on. One that is only unavailable for now stops the run like any
other: then nothing is given up, and all of it can be resumed."""


def back_to_ready(step: StepState, kind: ActivityKind) -> StepState:
    """The step as it was before an activity of this kind began."""
    return step.model_copy(update={"status": _READY[kind]})


def cut_off(step: StepState, activity: Activity) -> StepState:
    """The step ready to take up the same activity again, under its number."""
    known = step.cut_off | {activity.kind: activity.attempt}
    return back_to_ready(step.model_copy(update={"cut_off": known}), activity.kind)


def begun_anew(step: StepState) -> StepState:
    """The step after the user decided: what was cut off before is not taken up again. Its answers
    belong to questions that nobody asks any more, and its writes may have been taken back. Nor is
    a text of his written that he gave before."""
    numbers = {
        kind: max(number, step.attempts.get(kind, 0)) for kind, number in step.cut_off.items()
    }
    return step.model_copy(
        update={"attempts": step.attempts | numbers, "cut_off": {}, "manual": None}
    )


def after_failure(
    step: StepState, activity: Activity, event: ActivityFailed, run: RunState, at: datetime
) -> StepState:
    """The step after a failed try: ready to be tried again, in recovery, or given up."""
    failures = step.failures + 1
    update: dict[str, object] = {
        "failures": failures,
        "last_error": event.message,
        "diagnostics": event.diagnostics,
    }
    if event.kind == "refused":
        update["refusals"] = (*step.refusals, event.message)[-MAX_REFUSALS:]
    failed = step.model_copy(update=update)
    if event.kind in HALTING_KINDS:
        # Not the step's fault: it stays ready, and the run as a whole stops.
        return back_to_ready(failed.model_copy(update={"failures": step.failures}), activity.kind)
    if event.kind == OWN_CHAIN_REFUSED:
        return retreat(run, failed)
    if activity.kind is ActivityKind.REVERT:
        return failed.model_copy(update={"status": StepStatus.FAILED})
    if activity.kind is ActivityKind.RECOVER:
        return after_attempt(run, failed, _attempt(activity, event, at), None)
    if activity.kind is ActivityKind.MANUAL:
        return retreat(run, failed.model_copy(update={"manual": None}))
    if event.kind == "refused" and activity.kind in {ActivityKind.EXECUTE, ActivityKind.FIX}:
        return enter(run, failed, step.damage or _damage(event), at)
    if failures < run.settings.max_attempts:
        return back_to_ready(failed, activity.kind)
    return retreat(run, failed)


def _attempt(activity: Activity, event: ActivityFailed, at: datetime) -> RecoveryAttempt:
    return RecoveryAttempt(
        activity=activity.key,
        approach=activity.approach or RecoveryApproach.CONSULT,
        at=at,
        outcome=AttemptOutcome.FAILED,
        message=event.message,
        mark=f"failed:{event.message}",
    )


def _damage(event: ActivityFailed) -> Damage:
    """Of a log that does not hold the refused reply."""
    cause = RecoveryCause.REFUSED
    return Damage(cause=cause, message=event.message, diagnostics=event.diagnostics)


def after_issues(
    run: RunState, step: StepState, issues: tuple[Issue, ...], at: datetime
) -> StepState:
    """The step after an audit found something at or above the floor."""
    settings = run.settings
    count = len(at_or_above(issues, settings.severity_floor))
    is_shrinking = not step.issue_counts or count < step.issue_counts[-1]
    update: dict[str, object] = {
        "issues": issues,
        "issue_counts": (*step.issue_counts, count),
        "failures": 0,
        "refusals": (),
    }
    step = step.model_copy(update=update)
    is_bad = bool(at_or_above(issues, Severity.ERROR))
    if step.recovery is not None:
        if not is_bad:
            return accepted(step, at)
        damage = issue_damage(run, step, issues)
        return found_wanting(run, step, AttemptOutcome.ISSUES, damage, at)
    if is_shrinking and step.fixes < settings.max_iterations:
        update = {"status": StepStatus.NEEDS_FIX, "fix_reason": FixReason.AUDIT}
        return step.model_copy(update=update)
    return enter(run, step, issue_damage(run, step, issues), at) if is_bad else accepted(step, at)


def accepted(step: StepState, at: datetime) -> StepState:
    """The step with its files as they are for good; that is the last good text from now on."""
    recovery = step.recovery
    if recovery is not None and recovery.cause is not RecoveryCause.CHECKS:
        step = ended(step, RecoveryOutcome.RECOVERED, at)
    update: dict[str, object] = {
        "status": StepStatus.ACCEPTED,
        "good": dict(step.files),
        "goes_back_to_good": False,
        "damage": None,
        "failures": 0,
        "refusals": (),
    }
    return step.model_copy(update=update)


def with_blocked(run: RunState) -> RunState:
    """The run with every waiting step blocked that waits for one which will not come, and freed
    again when it may."""
    if run.plan is None:
        return run
    steps = dict(run.steps)
    is_changing = True
    while is_changing:
        is_changing = False
        for plan_step in run.plan.enabled_steps:
            step = steps[plan_step.id]
            if step.status not in {StepStatus.WAITING, StepStatus.BLOCKED}:
                continue
            blockers = [
                dep for dep in plan_step.depends_on if dep in steps and _blocks(steps[dep].status)
            ]
            status = StepStatus.BLOCKED if blockers else StepStatus.WAITING
            if status is not step.status:
                message = f"step {blockers[0]} did not succeed" if blockers else ""
                update = {"status": status, "last_error": message}
                steps[plan_step.id] = step.model_copy(update=update)
                is_changing = True
    return run.model_copy(update={"steps": steps})


def _blocks(status: StepStatus) -> bool:
    return status in _BLOCKING
