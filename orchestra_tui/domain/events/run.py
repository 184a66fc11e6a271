"""Facts of a session and of a run as a whole: plan, approval, pause, end."""

from typing import Literal

from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.events.base import Counts, Fact, Outcome, RunFact
from orchestra_tui.domain.ids import ActivityKey
from orchestra_tui.domain.money import Money
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.recovery import RecoveryReport
from orchestra_tui.domain.settings import RunSettings, Scenario


class SessionStarted(Fact):
    """A session was opened on a project folder."""

    type: Literal["SessionStarted"] = "SessionStarted"
    title: str
    root: str
    provider: ProviderKind
    scenario: Scenario | None = None


class RunStarted(RunFact):
    """The user gave a task. `head` is the commit the project was at; None without git."""

    type: Literal["RunStarted"] = "RunStarted"
    task: str
    settings: RunSettings
    head: str | None = None
    branch: str | None = None


class ChecksDetected(RunFact):
    """The project's own checks were looked for; `names` empty means none was found."""

    type: Literal["ChecksDetected"] = "ChecksDetected"
    names: tuple[str, ...]
    why: str


class PlanProposed(RunFact):
    """The Architect wrote a plan, or the user brought one (`activity` None)."""

    type: Literal["PlanProposed"] = "PlanProposed"
    activity: ActivityKey | None
    plan: Plan


class PlanEdited(RunFact):
    """The user changed the plan that waits."""

    type: Literal["PlanEdited"] = "PlanEdited"
    plan: Plan


class PlanRejected(RunFact):
    """The user sent the plan back."""

    type: Literal["PlanRejected"] = "PlanRejected"
    feedback: str


class PlanApproved(RunFact):
    """The user approved the plan as it stands, with a last note to the agents."""

    type: Literal["PlanApproved"] = "PlanApproved"
    plan: Plan
    note: str = ""
    settings: RunSettings


class LimitsChanged(RunFact):
    """The user changed the mode or the concurrency of a running run."""

    type: Literal["LimitsChanged"] = "LimitsChanged"
    settings: RunSettings


class ChainsChanged(RunFact):
    """The user changed who is asked; the next call of each role goes to these, in this order."""

    type: Literal["ChainsChanged"] = "ChainsChanged"
    chains: dict[str, tuple[str, ...]]


class BudgetRaised(RunFact):
    """The user set another budget; what waited for one goes on."""

    type: Literal["BudgetRaised"] = "BudgetRaised"
    budget: Budget


class RunPaused(RunFact):
    """Nothing new starts until the user goes on."""

    type: Literal["RunPaused"] = "RunPaused"


class RunContinued(RunFact):
    """A paused, cancelled or unavailable run goes on."""

    type: Literal["RunContinued"] = "RunContinued"


class CancelRequested(RunFact):
    """The user stopped the run; what runs is being cancelled."""

    type: Literal["CancelRequested"] = "CancelRequested"


class RunFinished(RunFact):
    """The run is over. `commit` is set if it was committed."""

    type: Literal["RunFinished"] = "RunFinished"
    outcome: Outcome
    counts: Counts
    reason: str = ""
    commit: str | None = None
    checks: str = "none"
    """none, passed, failed, no_tests, not_run (a tool is missing) or stale."""
    usage: Usage = Usage()
    """Tokens of the run's calls, as far as they are known."""
    cost: Money | None = None
    """What the run cost; None in a rehearsal, and in logs of before money was counted."""
    recoveries: tuple[RecoveryReport, ...] = ()
    """What was tried for files in trouble, in plan order."""


class RunCrashed(RunFact):
    """The engine itself failed; the run can be resumed."""

    type: Literal["RunCrashed"] = "RunCrashed"
    message: str
