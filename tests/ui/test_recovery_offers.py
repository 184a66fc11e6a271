"""What the recovery console offers, and what it says may be chosen, is what the engine takes."""

import itertools

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.orchestrator.recovery_commands import Offered, decide_recovery
from orchestra_tui.widgets.recovery_offers import offers
from orchestra_tui.widgets.recovery_words import now_spans
from orchestra_tui.widgets.signs import UNICODE
from orchestra_tui.widgets.trouble import troubles
from tests.ui.recovery_samples import troubled
from tests.ui.test_recovery_actions import defeat
from tests.ui.work_story import Story

S2 = StepId("s2")
COMMANDS = {
    "retry": cmd.RetryStep(step=S2, note="n"),
    "take_over": cmd.TakeOver(step=S2, text="x"),
    "accept_anyway": cmd.AcceptAnyway(step=S2, reason="r", text="x"),
    "skip": cmd.SkipStep(step=S2),
    "more_attempts": cmd.RaiseAttempts(step=S2),
}


@pytest.mark.parametrize(
    ("status", "action"), list(itertools.product(StepStatus, COMMANDS)), ids=lambda v: str(v)
)
def test_what_is_offered_is_taken(status: StepStatus, action: str) -> None:
    """For a step of every status: a key that is offered is never refused."""
    run = troubled().state.run
    assert run is not None
    step = run.steps[S2].model_copy(update={"status": status})
    run = run.model_copy(update={"steps": run.steps | {S2: step}})
    command = COMMANDS[action]
    offered = Offered(BlobHash("3" * 40))
    is_refused = False
    try:
        decide_recovery(command, run, offered=offered, adapter_problem=lambda names: "")
    except CommandRefused:
        is_refused = True
    assert is_refused is (action not in offers(run, step))


@pytest.mark.parametrize("status", StepStatus)
def test_who_is_told_to_choose_has_the_keys(status: StepStatus) -> None:
    """Also in the moment after a defeat in which the file is still being put back."""
    client = troubled()
    defeat(Story(client))
    run = client.state.run
    assert run is not None
    step = run.steps[S2]
    assert step.is_defeated
    step = step.model_copy(update={"status": status})
    run = run.model_copy(update={"steps": run.steps | {S2: step}})
    (trouble,) = (each for each in troubles(run) if each.step == S2)
    words = "".join(text for text, _ in now_spans(run, step, trouble, UNICODE))
    if "Choose" in words or trouble.waits:
        assert {"retry", "take_over"} <= offers(run, step)
        assert "waits for you" in run.needs_user
    else:
        assert status not in {StepStatus.FAILED, StepStatus.REVERTED, StepStatus.CONFLICT}
