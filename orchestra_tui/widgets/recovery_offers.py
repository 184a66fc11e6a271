"""What a user may ask for a step in trouble now, by the names of the console's actions. Pure.

The rule a reader must not break: this only decides which keys are offered. The engine decides
again, and a test holds the two together for every status.
"""

from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.recovery import RecoveryOutcome
from orchestra_tui.domain.state import RunState, StepState, StepStatus
from orchestra_tui.domain.step_state import ENDED_BADLY, IN_RECOVERY, SKIPPABLE, TAKES_TEXT

_GAVE_UP = {RecoveryOutcome.KEPT, RecoveryOutcome.REVERTED}


def offers(run: RunState, step: StepState | None) -> frozenset[str]:
    """The actions that can do something now."""
    if run.commit is not None or not run.is_approved:
        return frozenset()
    found = {"revert_run"} if run.changed_files else set()
    if step is None:
        return frozenset(found)
    if step.status in TAKES_TEXT:
        found |= {"retry", "choose_agents"}
    if step.status in TAKES_TEXT and not _is_delete(run, step):
        found |= {"take_over", "open_editor"}
        if step.recoveries and step.recoveries[-1].damage.text is not None:
            found.add("accept_anyway")
    if step.status in SKIPPABLE and run.outcome is None:
        found.add("skip")
    if _may_have_more(step):
        found.add("more_attempts")
    if run.plan is not None and run.plan.step(step.id).path in run.changed_files:
        found.add("revert_file")
    return frozenset(found)


def _is_delete(run: RunState, step: StepState) -> bool:
    return run.plan is not None and run.plan.step(step.id).change is ChangeKind.DELETE


def _may_have_more(step: StepState) -> bool:
    if step.status in IN_RECOVERY:
        return True
    last = step.recoveries[-1] if step.recoveries else None
    is_over = step.status in ENDED_BADLY | {StepStatus.ACCEPTED}
    return last is not None and last.outcome in _GAVE_UP and is_over
