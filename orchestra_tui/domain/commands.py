"""Commands: imperative requests of the user; the engine answers with an acceptance or a refusal."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.doctor import Offer
from orchestra_tui.domain.ids import Role, SessionId, StepId
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.settings import Mode, RunSettings


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class StartRun(_Command):
    """Begin a run for a task, in the open session or in a new one.

    With `plan` the Architect is not asked: the plan given waits for approval at once.
    A run that still waits for review is ended first; its files stay.
    """

    type: Literal["StartRun"] = "StartRun"
    task: str
    settings: RunSettings
    plan: Plan | None = None


class NewSession(_Command):
    """Leave the open session; the next task starts a new one."""

    type: Literal["NewSession"] = "NewSession"


class OpenSession(_Command):
    """Look at a stored session of this project; with `resume` its run goes on."""

    type: Literal["OpenSession"] = "OpenSession"
    session: SessionId
    resume: bool = False


class EditPlan(_Command):
    """Store the plan as edited so far; it still waits for approval."""

    type: Literal["EditPlan"] = "EditPlan"
    plan: Plan


class RejectPlan(_Command):
    """Send the plan back to the Architect with what is wrong with it."""

    type: Literal["RejectPlan"] = "RejectPlan"
    feedback: str


class ApprovePlan(_Command):
    """Let the Executors begin with this plan. What is None stays as the run has it."""

    type: Literal["ApprovePlan"] = "ApprovePlan"
    plan: Plan
    note: str = ""
    mode: Mode | None = None
    max_concurrency: int | None = None
    budget: Budget | None = None


class ChangeLimits(_Command):
    """Change mode or concurrency of the run that runs."""

    type: Literal["ChangeLimits"] = "ChangeLimits"
    mode: Mode | None = None
    max_concurrency: int | None = None


class RaiseBudget(_Command):
    """Set the budget from here on; what waited for one goes on."""

    type: Literal["RaiseBudget"] = "RaiseBudget"
    budget: Budget


class PauseRun(_Command):
    """Start nothing new; what runs is finished."""

    type: Literal["PauseRun"] = "PauseRun"


class ContinueRun(_Command):
    """Go on after a pause, a cancel or an unavailable provider."""

    type: Literal["ContinueRun"] = "ContinueRun"


class CancelRun(_Command):
    """Stop what runs now and end the run; it can be resumed."""

    type: Literal["CancelRun"] = "CancelRun"


class RetryStep(_Command):
    """Try a failed, reverted, skipped or conflicting step again.

    While a step is in recovery, note and agents are for its next attempt. `agents` names adapters
    that are asked in place of the chain.
    """

    type: Literal["RetryStep"] = "RetryStep"
    step: StepId
    note: str = ""
    agents: tuple[str, ...] = ()


class TakeOver(_Command):
    r"""Put a text of the user's own in place of a step in trouble; an attempt that runs is ended.

    `text` is the whole file with `\n` line ends. Refused, with the first finding, if the
    validator finds it damaged: `AcceptAnyway` with the text is the way past it.
    """

    type: Literal["TakeOver"] = "TakeOver"
    step: StepId
    text: str


class AcceptAnyway(_Command):
    r"""Write a text although it is found damaged, for a reason that is recorded.

    `text` None takes the newest damaged text of the step. An attempt that runs is ended.
    """

    type: Literal["AcceptAnyway"] = "AcceptAnyway"
    step: StepId
    reason: str
    text: str | None = None


class RaiseAttempts(_Command):
    """Allow a step in trouble so many attempts more; a recovery that had given up goes on."""

    type: Literal["RaiseAttempts"] = "RaiseAttempts"
    step: StepId
    attempts: int = Field(default=3, ge=1, le=50)


class SkipStep(_Command):
    """Give a step up; its dependents are blocked. In recovery its file goes back first."""

    type: Literal["SkipStep"] = "SkipStep"
    step: StepId


class RevertFile(_Command):
    """Put one step's file back as it was before the run."""

    type: Literal["RevertFile"] = "RevertFile"
    step: StepId


class RevertRun(_Command):
    """Put every file of the run back as it was before the run."""

    type: Literal["RevertRun"] = "RevertRun"


class DecideHunks(_Command):
    """Reject these hunks of one file, and accept its others."""

    type: Literal["DecideHunks"] = "DecideHunks"
    path: str
    rejected: tuple[str, ...]


class CommitChanges(_Command):
    """Apply the hunk decisions and commit the run's files with this message."""

    type: Literal["CommitChanges"] = "CommitChanges"
    message: str


class FinishRun(_Command):
    """Apply the hunk decisions and end the run without a commit."""

    type: Literal["FinishRun"] = "FinishRun"


class ConfigureAgents(_Command):
    """Write adapters and chains to the user's configuration and work with them from the next call.

    A role that is absent keeps its chain; an empty chain takes the role's chain out.
    """

    type: Literal["ConfigureAgents"] = "ConfigureAgents"
    offers: tuple[Offer, ...] = ()
    chains: dict[Role, tuple[str, ...]] = {}


Command = Annotated[
    StartRun
    | NewSession
    | OpenSession
    | EditPlan
    | RejectPlan
    | ApprovePlan
    | ChangeLimits
    | RaiseBudget
    | PauseRun
    | ContinueRun
    | CancelRun
    | RetryStep
    | TakeOver
    | AcceptAnyway
    | RaiseAttempts
    | SkipStep
    | RevertFile
    | RevertRun
    | DecideHunks
    | CommitChanges
    | FinishRun
    | ConfigureAgents,
    Field(discriminator="type"),
]
