"""`ready_activities`: what may start now. Pure: the same state always gives the same answer.

The rule a reader must not break: no mode has a path of its own here; sequential, parallel and
pipeline are values of `Limits`.
"""

from collections.abc import Iterable

from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.plan import PlanStep
from orchestra_tui.domain.settings import Limits
from orchestra_tui.domain.state import RunState, StepState, StepStatus

_NEXT = {
    StepStatus.WRITTEN: ActivityKind.AUDIT,
    StepStatus.NEEDS_FIX: ActivityKind.FIX,
    StepStatus.NEEDS_RECOVERY: ActivityKind.RECOVER,
    StepStatus.TAKEN_OVER: ActivityKind.MANUAL,
    StepStatus.NEEDS_REVERT: ActivityKind.REVERT,
    StepStatus.WAITING: ActivityKind.EXECUTE,
}


def ready_activities(run: RunState, limits: Limits) -> tuple[Activity, ...]:
    """The activities that may start now, most urgent first, within the room that is left.

    Empty when the run waits for the user, is paused or over, or has all hands busy.
    """
    if run.outcome is not None or run.is_paused or run.is_cancelling or run.halted:
        return ()
    room = limits.max_concurrency - len(run.running)
    if room <= 0:
        return ()
    if (alone := _work_of_the_run(run)) is not None:
        return () if run.running else _affordable(run, alone)
    return _affordable(run, _work_of_steps(run, limits))[:room]


def _affordable(run: RunState, activities: Iterable[Activity]) -> tuple[Activity, ...]:
    """Those whose agent may be asked: no limit stands in its way, as far as is known."""
    stops = run.budget_stops
    return tuple(
        activity
        for activity in activities
        if (role := activity.role) is None or not {"", role.value} & stops.keys()
    )


def _work_of_the_run(run: RunState) -> tuple[Activity, ...] | None:
    """Work that excludes all other work; () is waiting for the user; None: work on the steps."""
    if run.plan is None:
        if run.plan_failures >= run.settings.max_attempts:
            return ()
        return (_of_run(run, ActivityKind.DRAFT_PLAN, run.plan_attempt + 1),)
    if not run.is_approved:
        return ()
    if run.base is None:
        if run.has_given_up:
            return ()
        return (_of_run(run, ActivityKind.TAKE_BASE, _next(run, "base")),)
    if not all(step.status.is_settled for step in run.ordered_steps):
        return None
    return _closing_work(run)


def _closing_work(run: RunState) -> tuple[Activity, ...]:
    if run.are_checks_due:
        return (_of_run(run, ActivityKind.RUN_CHECKS, _next(run, "checks")),)
    if run.commit_request is None:
        return ()
    if run.pending_rejections:
        return (_of_run(run, ActivityKind.APPLY_REVIEW, _next(run, "review")),)
    if run.commit_request.message is None or run.commit is not None:
        return ()
    return (_of_run(run, ActivityKind.COMMIT, _next(run, "commit")),)


def _work_of_steps(run: RunState, limits: Limits) -> list[Activity]:
    """Work on the steps, that which is nearest to an end first."""
    writing = [
        _of_step(run, step, ActivityKind.EXECUTE)
        for step in run.ordered_steps
        if step.status is StepStatus.WAITING and _may_begin(run, step)
    ]
    begun = [
        _of_step(run, step, _NEXT[step.status])
        for step in run.ordered_steps
        if step.status in _NEXT and step.status is not StepStatus.WAITING
    ]
    is_writing = bool(writing) or any(
        activity.kind is ActivityKind.EXECUTE for activity in run.running.values()
    )
    if is_writing and not limits.audits_overlap:
        return writing
    return begun + writing


def _may_begin(run: RunState, step: StepState) -> bool:
    plan_step = _plan_step(run, step)
    return all(
        run.steps[dep].status is StepStatus.ACCEPTED
        for dep in plan_step.depends_on
        if dep in run.steps
    )


def _of_step(run: RunState, step: StepState, kind: ActivityKind) -> Activity:
    attempt = step.attempts.get(kind, 0) + 1
    reason = step.fix_reason or FixReason.AUDIT if kind is ActivityKind.FIX else None
    approach = step.recovery.next if kind is ActivityKind.RECOVER and step.recovery else None
    return Activity(
        kind=kind, run=run.id, step=step.id, attempt=attempt, reason=reason, approach=approach
    )


def _of_run(run: RunState, kind: ActivityKind, attempt: int) -> Activity:
    return Activity(kind=kind, run=run.id, attempt=attempt)


def _next(run: RunState, verb: str) -> int:
    return run.ended.get(ActivityKind(verb), 0) + 1


def _plan_step(run: RunState, step: StepState) -> PlanStep:
    if run.plan is None:
        raise KeyError(step.id)
    return run.plan.step(step.id)
