"""How events of the run as a whole (plan, approval, pause, end) change its state."""

from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.ids import ActivityKey, CallKey, StepId
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.state import CallState, CallStatus, RunState, StepState


def apply_run_event(run: RunState, event: ev.RunEvent, record: ev.Record) -> RunState:
    """The run after an event of its own."""
    match event:
        case ev.RunStarted() | ev.ChainsChanged():
            return run
        case ev.ChecksDetected():
            checks = run.checks.model_copy(update={"detected": event.names, "why": event.why})
            return run.model_copy(update={"checks": checks})
        case ev.PlanProposed() | ev.PlanEdited():
            return _propose(run, event)
        case ev.PlanRejected():
            feedback = (*run.feedback, event.feedback)
            return run.model_copy(
                update={
                    "plan": None,
                    "previous_plan": run.plan,
                    "steps": {},
                    "feedback": feedback,
                    "refusals": (),
                }
            )
        case ev.PlanApproved():
            return run.model_copy(
                update={
                    "plan": event.plan,
                    "steps": _steps(event.plan),
                    "note": event.note,
                    "settings": event.settings,
                    "budget_stops": {},
                    "is_approved": True,
                }
            )
        case ev.LimitsChanged():
            return run.model_copy(update={"settings": event.settings})
        case ev.BudgetRaised():
            settings = run.settings.model_copy(update={"budget": event.budget})
            return run.model_copy(update={"settings": settings, "budget_stops": {}})
        case ev.RunPaused():
            return run.model_copy(update={"is_paused": True})
        case ev.RunContinued():
            return run.model_copy(
                update={
                    "is_paused": False,
                    "is_cancelling": False,
                    "outcome": None,
                    "reason": "",
                    "plan_failures": 0,
                    "run_failures": 0,
                    "halted": "",
                }
            )
        case ev.CancelRequested():
            return run.model_copy(update={"is_cancelling": True})
        case ev.RunFinished():
            return _finish(run, event)
        case ev.RunCrashed():
            return run.model_copy(update={"last_error": event.message})
    assert_never(event)


def _propose(run: RunState, event: ev.PlanProposed | ev.PlanEdited) -> RunState:
    update: dict[str, object] = {"plan": event.plan, "steps": _steps(event.plan)}
    if isinstance(event, ev.PlanProposed) and event.activity is not None:
        activity = run.running.get(event.activity)
        attempt = activity.attempt if activity else run.plan_attempt
        running = {key: value for key, value in run.running.items() if key != event.activity}
        update |= {
            "running": running,
            "plan_attempt": attempt,
            "plan_failures": 0,
            "ended": run.ended | {ActivityKind.DRAFT_PLAN: attempt},
            "refusals": (),
            "last_error": "",
        }
    return run.model_copy(update=update)


def _finish(run: RunState, event: ev.RunFinished) -> RunState:
    return run.model_copy(
        update={
            "outcome": event.outcome,
            "reason": event.reason,
            "running": {},
            "calls": abandon_calls(run.calls),
            "waits": {},
            "commit": event.commit or run.commit,
            "commit_request": None,
            "is_cancelling": False,
        }
    )


def abandon_calls(
    calls: dict[CallKey, CallState], activity: ActivityKey | None = None
) -> dict[CallKey, CallState]:
    """`calls` with those that run (of one activity, or all) marked as abandoned."""
    return {
        key: call.model_copy(update={"status": CallStatus.ABANDONED})
        if call.status is CallStatus.RUNNING and activity in {None, call.activity}
        else call
        for key, call in calls.items()
    }


def without_wait(run: RunState, key: ActivityKey) -> RunState:
    """The run with nothing that this activity waits for."""
    if key not in run.waits:
        return run
    waits = {known: wait for known, wait in run.waits.items() if known != key}
    return run.model_copy(update={"waits": waits})


def _steps(plan: Plan) -> dict[StepId, StepState]:
    return {step.id: StepState(id=step.id) for step in plan.steps}
