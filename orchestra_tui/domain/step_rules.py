"""What becomes of a step: tried again, fixed, accepted, given back or blocked. Pure rules.

The audit loop ends when nothing reaches the severity floor, when `max_iterations` fixes were
written, or when the issues no longer shrink. A file that then still has an issue of severity
`error` or worse is given back to its state before the step; a milder one is accepted with its
issues shown.
"""

from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.events import ActivityFailed
from orchestra_tui.domain.review import Issue, Severity, at_or_above
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState, StepState, StepStatus

MAX_TIMELINE = 60
MAX_REFUSALS = 3
_READY = {
    ActivityKind.EXECUTE: StepStatus.WAITING,
    ActivityKind.AUDIT: StepStatus.WRITTEN,
    ActivityKind.FIX: StepStatus.NEEDS_FIX,
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
CONFIGURATION_KINDS = frozenset({"authentication_failed", "model_not_found"})
"""Error kinds that only a change of configuration can cure."""


def back_to_ready(step: StepState, kind: ActivityKind) -> StepState:
    """The step as it was before an activity of this kind began."""
    return step.model_copy(update={"status": _READY[kind]})


def after_failure(
    step: StepState, activity: Activity, event: ActivityFailed, run: RunState
) -> StepState:
    """The step after a failed try: ready to be tried again, or given up."""
    failures = step.failures + 1
    update: dict[str, object] = {
        "failures": failures,
        "last_error": event.message,
        "diagnostics": event.diagnostics,
    }
    if event.kind == "refused":
        update["refusals"] = (*step.refusals, event.message)[-MAX_REFUSALS:]
    if activity.kind is ActivityKind.REVERT:
        update["status"] = StepStatus.FAILED
    elif event.kind in UNAVAILABLE_KINDS | CONFIGURATION_KINDS:
        # Not the step's fault: it stays ready, and the run as a whole stops.
        update |= {"status": _READY[activity.kind], "failures": step.failures}
    elif failures < run.settings.max_attempts:
        update["status"] = _READY[activity.kind]
    elif activity.reason is FixReason.CHECKS:
        # The file passed its audit; failing checks alone do not take it back.
        update |= {"status": StepStatus.ACCEPTED, "failures": 0}
    else:
        update["status"] = StepStatus.NEEDS_REVERT if step.is_written else StepStatus.FAILED
    return step.model_copy(update=update)


def after_issues(step: StepState, issues: tuple[Issue, ...], settings: RunSettings) -> StepState:
    """The step after an audit found something at or above the floor."""
    count = len(at_or_above(issues, settings.severity_floor))
    is_shrinking = not step.issue_counts or count < step.issue_counts[-1]
    update: dict[str, object] = {
        "issues": issues,
        "issue_counts": (*step.issue_counts, count),
        "failures": 0,
        "refusals": (),
    }
    if is_shrinking and step.fixes < settings.max_iterations:
        update |= {"status": StepStatus.NEEDS_FIX, "fix_reason": FixReason.AUDIT}
    elif at_or_above(issues, Severity.ERROR):
        why = "the issues did not shrink" if not is_shrinking else "no fix was enough"
        update |= {"status": StepStatus.NEEDS_REVERT, "last_error": f"{why}: {issues[0].message}"}
    else:
        update |= {"status": StepStatus.ACCEPTED}
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
