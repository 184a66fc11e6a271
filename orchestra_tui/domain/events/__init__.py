"""Events: past-tense facts, the only thing that is stored, and a file format.

The rule a reader must not break: a released field keeps its name and meaning; what must change
goes through `engine.store.upcast` and a new `SCHEMA_VERSION`. One module per family.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orchestra_tui.domain.events.base import CheckOutcome, CheckState, Counts, Outcome, WriteReason
from orchestra_tui.domain.events.files import (
    AttemptsRaised,
    AuditPassed,
    ConflictFound,
    FileIntended,
    FileReverted,
    FileWritten,
    IssuesFound,
    RecoveryAttempted,
    RecoverySteered,
    RevertRefused,
    RevertRequested,
    StepExecuted,
    StepRetried,
    StepSkipped,
    TextTaken,
)
from orchestra_tui.domain.events.review import (
    CheckpointTaken,
    ChecksFinished,
    CommitHeld,
    CommitIntended,
    CommitRequested,
    Committed,
    HunksDecided,
    ReviewApplied,
)
from orchestra_tui.domain.events.run import (
    BudgetRaised,
    CancelRequested,
    ChainsChanged,
    ChecksDetected,
    LimitsChanged,
    PlanApproved,
    PlanEdited,
    PlanProposed,
    PlanRejected,
    RunContinued,
    RunCrashed,
    RunFinished,
    RunPaused,
    RunStarted,
    SessionStarted,
)
from orchestra_tui.domain.events.work import (
    ActivityAbandoned,
    ActivityFailed,
    ActivityStarted,
    BudgetReached,
    CacheHit,
    CallDelayed,
    CallFailed,
    CallFinished,
    CallStarted,
    HopTaken,
    ReplyDoubted,
    ReplyRefused,
)
from orchestra_tui.domain.ids import SessionId

__all__ = [
    "EVENT",
    "SCHEMA_VERSION",
    "ActivityAbandoned",
    "ActivityEvent",
    "ActivityFailed",
    "ActivityStarted",
    "AttemptsRaised",
    "AuditPassed",
    "BudgetRaised",
    "BudgetReached",
    "CacheHit",
    "CallDelayed",
    "CallEvent",
    "CallFailed",
    "CallFinished",
    "CallStarted",
    "CancelRequested",
    "ChainsChanged",
    "CheckOutcome",
    "CheckState",
    "CheckpointTaken",
    "ChecksDetected",
    "ChecksFinished",
    "CommitHeld",
    "CommitIntended",
    "CommitRequested",
    "Committed",
    "ConflictFound",
    "Counts",
    "Event",
    "FileEvent",
    "FileIntended",
    "FileReverted",
    "FileWritten",
    "HopTaken",
    "HunksDecided",
    "IssuesFound",
    "LimitsChanged",
    "Outcome",
    "PlanApproved",
    "PlanEdited",
    "PlanProposed",
    "PlanRejected",
    "Record",
    "RecoveryAttempted",
    "RecoveryEvent",
    "RecoverySteered",
    "ReplyDoubted",
    "ReplyRefused",
    "RevertRefused",
    "RevertRequested",
    "ReviewApplied",
    "ReviewEvent",
    "RunContinued",
    "RunCrashed",
    "RunEvent",
    "RunFinished",
    "RunPaused",
    "RunStarted",
    "SessionStarted",
    "StepExecuted",
    "StepRetried",
    "StepSkipped",
    "TextTaken",
    "WriteReason",
]

SCHEMA_VERSION = 1

RunEvent = (
    RunStarted
    | ChecksDetected
    | PlanProposed
    | PlanEdited
    | PlanRejected
    | PlanApproved
    | LimitsChanged
    | ChainsChanged
    | BudgetRaised
    | RunPaused
    | RunContinued
    | CancelRequested
    | RunFinished
    | RunCrashed
)
ActivityEvent = ActivityStarted | ActivityFailed | ActivityAbandoned
CallEvent = (
    CallStarted
    | CallFinished
    | CallFailed
    | HopTaken
    | CallDelayed
    | CacheHit
    | BudgetReached
    | ReplyDoubted
    | ReplyRefused
)
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
    | RevertRequested
)
RecoveryEvent = RecoveryAttempted | RecoverySteered | AttemptsRaised | TextTaken | StepSkipped
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
    SessionStarted | RunEvent | ActivityEvent | CallEvent | FileEvent | RecoveryEvent | ReviewEvent,
    Field(discriminator="type"),
]
EVENT = TypeAdapter[Event](Event, config=ConfigDict(defer_build=True))
"""Reads an event from its JSON: `EVENT.validate_json(text)`."""


class Record(BaseModel):
    """An event with its place in the log: `seq` counts from 1 within a session."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    seq: int
    at: datetime
    session: SessionId
    project: str
    event: Event
