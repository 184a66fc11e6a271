"""Events: past-tense facts, the only thing that is stored, and a file format.

The rule a reader must not break: a released field keeps its name and meaning; what must change
goes through `engine.store.upcast` and a new `SCHEMA_VERSION`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.calls import AdapterInfo, ContextItem, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey, Role, RunId, SessionId, StepId
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.review import Diagnostic, Issue
from orchestra_tui.domain.settings import RunSettings, Scenario

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    PARTIAL = "partial"
    """Finished, with failed, reverted, blocked or skipped files, or failing checks."""
    FAILED = "failed"
    """No plan came about, or nothing could be written."""
    MISCONFIGURED = "misconfigured"
    """The provider refused the key or does not know the model."""
    UNAVAILABLE = "unavailable"
    """Every adapter is unavailable; the run can be resumed later."""
    CANCELLED = "cancelled"


class CheckState(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NO_TESTS = "no_tests"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    NOT_FOUND = "not_found"


class CheckOutcome(BaseModel):
    """The result of one check; counts are None where the output does not say."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: CheckState
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    seconds: float = 0.0
    output: BlobHash | None = None
    """The blob of the (bounded) end of its output."""


class Counts(BaseModel):
    """How many files ended how."""

    model_config = ConfigDict(frozen=True)

    accepted: int = 0
    failed: int = 0
    reverted: int = 0
    blocked: int = 0
    skipped: int = 0


class WriteReason(StrEnum):
    """Why a file was written."""

    EXECUTE = "execute"
    FIX = "fix"
    REVIEW = "review"
    REVERT = "revert"
    MANUAL = "manual"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class _RunEvent(_Event):
    run: RunId


class SessionStarted(_Event):
    """A session was opened on a project folder."""

    type: Literal["SessionStarted"] = "SessionStarted"
    title: str
    root: str
    provider: ProviderKind
    scenario: Scenario | None = None


class RunStarted(_RunEvent):
    """The user gave a task. `head` is the commit the project was at; None without git."""

    type: Literal["RunStarted"] = "RunStarted"
    task: str
    settings: RunSettings
    head: str | None = None
    branch: str | None = None


class ChecksDetected(_RunEvent):
    """The project's own checks were looked for; `names` empty means none was found."""

    type: Literal["ChecksDetected"] = "ChecksDetected"
    names: tuple[str, ...]
    why: str


class PlanProposed(_RunEvent):
    """The Architect wrote a plan, or the user brought one (`activity` None)."""

    type: Literal["PlanProposed"] = "PlanProposed"
    activity: ActivityKey | None
    plan: Plan


class PlanEdited(_RunEvent):
    """The user changed the plan that waits."""

    type: Literal["PlanEdited"] = "PlanEdited"
    plan: Plan


class PlanRejected(_RunEvent):
    """The user sent the plan back."""

    type: Literal["PlanRejected"] = "PlanRejected"
    feedback: str


class PlanApproved(_RunEvent):
    """The user approved the plan as it stands, with a last note to the agents."""

    type: Literal["PlanApproved"] = "PlanApproved"
    plan: Plan
    note: str = ""
    settings: RunSettings


class LimitsChanged(_RunEvent):
    """The user changed the mode or the concurrency of a running run."""

    type: Literal["LimitsChanged"] = "LimitsChanged"
    settings: RunSettings


class RunPaused(_RunEvent):
    """Nothing new starts until the user goes on."""

    type: Literal["RunPaused"] = "RunPaused"


class RunContinued(_RunEvent):
    """A paused, cancelled or unavailable run goes on."""

    type: Literal["RunContinued"] = "RunContinued"


class CancelRequested(_RunEvent):
    """The user stopped the run; what runs is being cancelled."""

    type: Literal["CancelRequested"] = "CancelRequested"


class RunFinished(_RunEvent):
    """The run is over. `commit` is set if it was committed."""

    type: Literal["RunFinished"] = "RunFinished"
    outcome: Outcome
    counts: Counts
    reason: str = ""
    commit: str | None = None
    checks: str = "none"
    """none, passed, failed, no_tests, not_run (a tool is missing) or stale."""


class RunCrashed(_RunEvent):
    """The engine itself failed; the run can be resumed."""

    type: Literal["RunCrashed"] = "RunCrashed"
    message: str


class ActivityStarted(_RunEvent):
    """A unit of work began."""

    type: Literal["ActivityStarted"] = "ActivityStarted"
    activity: Activity


class ActivityFailed(_RunEvent):
    """A unit of work ended without result. `kind` is the error's kind in the adapter tree,
    or `refused`, `validation`, `conflict`, `git`, `internal`."""

    type: Literal["ActivityFailed"] = "ActivityFailed"
    activity: Activity
    kind: str
    message: str
    diagnostics: tuple[Diagnostic, ...] = ()


class ActivityAbandoned(_RunEvent):
    """A unit of work was cut off by a crash or a cancel; it will start again as it was."""

    type: Literal["ActivityAbandoned"] = "ActivityAbandoned"
    activity: Activity


class CallStarted(_RunEvent):
    """A model is being asked. `request` is the blob of the whole request as JSON."""

    type: Literal["CallStarted"] = "CallStarted"
    call: CallKey
    activity: ActivityKey
    role: Role
    path: str | None
    adapter: AdapterInfo
    request: BlobHash
    context: tuple[ContextItem, ...] = ()


class CallFinished(_RunEvent):
    """The model answered; `reply` is the blob of the whole answer text."""

    type: Literal["CallFinished"] = "CallFinished"
    call: CallKey
    activity: ActivityKey
    usage: Usage
    finish: FinishReason
    reply: BlobHash
    seconds: float


class CallFailed(_RunEvent):
    """The call broke off. `retry_in` seconds is the wait before the next try, None is no retry."""

    type: Literal["CallFailed"] = "CallFailed"
    call: CallKey
    activity: ActivityKey
    kind: str
    message: str
    retry_in: float | None = None


class ReplyRefused(_RunEvent):
    """A finished answer could not be used: wrong format, no end mark, or damaged text."""

    type: Literal["ReplyRefused"] = "ReplyRefused"
    call: CallKey
    activity: ActivityKey
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text, when there was one."""


class FileIntended(_RunEvent):
    """A file is about to be changed; `before` and `after` are its blobs, None is no file."""

    type: Literal["FileIntended"] = "FileIntended"
    activity: ActivityKey
    step: StepId
    path: str
    before: BlobHash | None
    after: BlobHash | None
    mode: int | None = None
    """Permission bits, e.g. 0o644; None keeps what is there. Of a removed file: those it had."""
    why: WriteReason = WriteReason.EXECUTE
    folders: tuple[str, ...] = ()
    """The folders that are made for a new file, outermost first."""


class FileWritten(_RunEvent):
    """The file on disk is now `after`."""

    type: Literal["FileWritten"] = "FileWritten"
    activity: ActivityKey
    step: StepId
    path: str
    before: BlobHash | None
    after: BlobHash | None
    mode: int | None = None
    why: WriteReason
    folders: tuple[str, ...] = ()
    """The folders that were made for it; a revert removes those that are then empty."""


class StepExecuted(_RunEvent):
    """Every file of the step is as its Executor (or Consultant) wants it."""

    type: Literal["StepExecuted"] = "StepExecuted"
    activity: ActivityKey
    step: StepId


class FileReverted(_RunEvent):
    """The step's file is back at its last good state from before the step."""

    type: Literal["FileReverted"] = "FileReverted"
    activity: ActivityKey
    step: StepId
    path: str
    after: BlobHash | None
    reason: str


class RevertRefused(_RunEvent):
    """The file was changed by somebody else since, so it was left alone."""

    type: Literal["RevertRefused"] = "RevertRefused"
    activity: ActivityKey
    step: StepId
    path: str
    message: str


class ConflictFound(_RunEvent):
    """The file on disk is not the one the plan was made against; nothing was written."""

    type: Literal["ConflictFound"] = "ConflictFound"
    activity: ActivityKey
    step: StepId
    path: str
    expected: BlobHash | None
    found: BlobHash | None


class AuditPassed(_RunEvent):
    """The Auditor has nothing that must be fixed; `issues` are below the floor."""

    type: Literal["AuditPassed"] = "AuditPassed"
    activity: ActivityKey
    step: StepId
    issues: tuple[Issue, ...] = ()


class IssuesFound(_RunEvent):
    """The Auditor found something that must be fixed."""

    type: Literal["IssuesFound"] = "IssuesFound"
    activity: ActivityKey
    step: StepId
    issues: tuple[Issue, ...]


class StepRetried(_RunEvent):
    """The user wants the step tried again, with a note, against the file as it is now."""

    type: Literal["StepRetried"] = "StepRetried"
    step: StepId
    note: str = ""


class StepSkipped(_RunEvent):
    """The user gave the step up."""

    type: Literal["StepSkipped"] = "StepSkipped"
    step: StepId


class RevertRequested(_RunEvent):
    """The user wants the files of these steps back as they were before the run."""

    type: Literal["RevertRequested"] = "RevertRequested"
    steps: tuple[StepId, ...]


class ChecksFinished(_RunEvent):
    """The project's checks ran; empty `outcomes` means none was found."""

    type: Literal["ChecksFinished"] = "ChecksFinished"
    activity: ActivityKey
    outcomes: tuple[CheckOutcome, ...]
    suspects: tuple[StepId, ...] = ()
    """The steps whose files the failing output points at."""


class HunksDecided(_RunEvent):
    """The user's choice for one file: the ids of the hunks he rejects."""

    type: Literal["HunksDecided"] = "HunksDecided"
    path: str
    rejected: tuple[str, ...]


class CommitRequested(_RunEvent):
    """The user wants the accepted hunks committed, or with `message` None only kept."""

    type: Literal["CommitRequested"] = "CommitRequested"
    message: str | None


class ReviewApplied(_RunEvent):
    """The rejected hunks have left the working files."""

    type: Literal["ReviewApplied"] = "ReviewApplied"
    activity: ActivityKey


class CommitHeld(_RunEvent):
    """The commit waits for the user again, with the reason."""

    type: Literal["CommitHeld"] = "CommitHeld"
    reason: str


class CommitIntended(_RunEvent):
    """The commit is about to be made; enough to tell after a crash whether it was."""

    type: Literal["CommitIntended"] = "CommitIntended"
    activity: ActivityKey
    intent: str
    """The git room's own record of the intent, as JSON."""


class Committed(_RunEvent):
    """The commit stands."""

    type: Literal["Committed"] = "Committed"
    activity: ActivityKey
    commit: str
    message: str


class CheckpointTaken(_RunEvent):
    """The content of the run's files at one moment; None is no file."""

    type: Literal["CheckpointTaken"] = "CheckpointTaken"
    label: str
    files: dict[str, BlobHash | None]


RunEvent = (
    RunStarted
    | ChecksDetected
    | PlanProposed
    | PlanEdited
    | PlanRejected
    | PlanApproved
    | LimitsChanged
    | RunPaused
    | RunContinued
    | CancelRequested
    | RunFinished
    | RunCrashed
)
ActivityEvent = ActivityStarted | ActivityFailed | ActivityAbandoned
CallEvent = CallStarted | CallFinished | CallFailed | ReplyRefused
FileEvent = (
    FileIntended
    | FileWritten
    | StepExecuted
    | FileReverted
    | RevertRefused
    | ConflictFound
    | AuditPassed
    | IssuesFound
    | StepRetried
    | StepSkipped
    | RevertRequested
)
ReviewEvent = (
    ChecksFinished
    | HunksDecided
    | CommitRequested
    | ReviewApplied
    | CommitHeld
    | CommitIntended
    | Committed
    | CheckpointTaken
)
Event = Annotated[
    SessionStarted | RunEvent | ActivityEvent | CallEvent | FileEvent | ReviewEvent,
    Field(discriminator="type"),
]
EVENT = TypeAdapter[Event](Event)
"""Reads an event from its JSON: `EVENT.validate_json(text)`."""


class Record(BaseModel):
    """An event with its place in the log: `seq` counts from 1 within a session."""

    model_config = ConfigDict(frozen=True)

    seq: int
    at: datetime
    session: SessionId
    project: str
    event: Event
