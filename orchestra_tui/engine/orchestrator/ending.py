"""When a run is over, and how it ended. Pure, like the scheduling beside it."""

from orchestra_tui.domain.events import Outcome, RunFinished
from orchestra_tui.domain.recovery_rules import reports_of
from orchestra_tui.domain.spending import money_of_run
from orchestra_tui.domain.state import RunState, StepStatus
from orchestra_tui.domain.step_rules import CONFIGURATION_KINDS
from orchestra_tui.engine.orchestrator.scheduling import ready_activities


def ending(run: RunState) -> RunFinished | None:
    """The event that ends the run now; None while it works or waits for the user."""
    if run.outcome is not None or run.running:
        return None
    if run.is_cancelling:
        return finish_event(run, Outcome.CANCELLED, "")
    if run.halted:
        is_configuration = run.halted in CONFIGURATION_KINDS
        outcome = Outcome.MISCONFIGURED if is_configuration else Outcome.UNAVAILABLE
        return finish_event(run, outcome, run.last_error)
    if run.is_paused:
        return None
    if run.plan is None:
        gave_up = run.plan_failures >= run.settings.max_attempts
        reason = f"no usable plan: {run.last_error}"
        return finish_event(run, Outcome.FAILED, reason) if gave_up else None
    if run.is_approved and run.base is None and run.has_given_up:
        return finish_event(run, Outcome.FAILED, run.last_error)
    if run.commit_request is None or ready_activities(run, run.settings.limits):
        return None
    return finish_event(run, outcome_of(run), "")


def outcome_of(run: RunState) -> Outcome:
    """How the run ends if it ends now."""
    statuses = {step.status for step in run.ordered_steps}
    is_clean = statuses <= {StepStatus.ACCEPTED}
    if is_clean and run.checks.verdict != "failed":
        return Outcome.DONE
    return Outcome.PARTIAL if StepStatus.ACCEPTED in statuses else Outcome.FAILED


def finish_event(run: RunState, outcome: Outcome, reason: str) -> RunFinished:
    """The event that says how the run ended, with its counts as they are now."""
    return RunFinished(
        run=run.id,
        outcome=outcome,
        counts=run.counts,
        reason=reason,
        commit=run.commit,
        checks=run.checks.verdict,
        usage=run.usage,
        cost=None if run.settings.scenario else money_of_run(run),
        recoveries=reports_of(run),
    )
