"""Facts of a step: its files, its audits, and what the user wants of it."""

from typing import Literal

from orchestra_tui.domain.events.base import RunFact, WriteReason
from orchestra_tui.domain.ids import ActivityKey, BlobHash, StepId
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryApproach, RecoveryCause
from orchestra_tui.domain.review import Diagnostic, Issue


class FileIntended(RunFact):
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


class FileWritten(RunFact):
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


class StepExecuted(RunFact):
    """Every file of the step is as its Executor (or Consultant) wants it."""

    type: Literal["StepExecuted"] = "StepExecuted"
    activity: ActivityKey
    step: StepId


class FileReverted(RunFact):
    """The step's file is back at its last good state: from before the run, or with `is_good` as
    it was when it was accepted in this run. Then the step stays accepted."""

    type: Literal["FileReverted"] = "FileReverted"
    activity: ActivityKey
    step: StepId
    path: str
    after: BlobHash | None
    reason: str
    is_good: bool = False


class RevertRefused(RunFact):
    """The file was changed by somebody else since, so it was left alone."""

    type: Literal["RevertRefused"] = "RevertRefused"
    activity: ActivityKey
    step: StepId
    path: str
    message: str


class ConflictFound(RunFact):
    """The file on disk is not the one the plan was made against; nothing was written."""

    type: Literal["ConflictFound"] = "ConflictFound"
    activity: ActivityKey
    step: StepId
    path: str
    expected: BlobHash | None
    found: BlobHash | None


class AuditPassed(RunFact):
    """The Auditor has nothing that must be fixed; `issues` are below the floor."""

    type: Literal["AuditPassed"] = "AuditPassed"
    activity: ActivityKey
    step: StepId
    issues: tuple[Issue, ...] = ()


class IssuesFound(RunFact):
    """The Auditor found something that must be fixed."""

    type: Literal["IssuesFound"] = "IssuesFound"
    activity: ActivityKey
    step: StepId
    issues: tuple[Issue, ...]


class StepRetried(RunFact):
    """The user wants the step tried again, with a note, against the file as it is now."""

    type: Literal["StepRetried"] = "StepRetried"
    step: StepId
    note: str = ""
    agents: tuple[str, ...] = ()
    """Adapters that are asked in place of the chains of the plan and of the roles."""


class RecoveryAttempted(RunFact):
    """One attempt to recover the step's file has ended. With `outcome` written the StepExecuted
    follows that ends the activity; with any other this event ends it."""

    type: Literal["RecoveryAttempted"] = "RecoveryAttempted"
    activity: ActivityKey
    step: StepId
    path: str
    approach: RecoveryApproach
    cause: RecoveryCause
    """What was wrong before it."""
    outcome: AttemptOutcome
    asked: str = ""
    """The adapter that answered, or was asked last; empty if nobody was."""
    message: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text or reply that it gave."""


class RecoverySteered(RunFact):
    """The user said something to the next attempts, or chose who is asked."""

    type: Literal["RecoverySteered"] = "RecoverySteered"
    step: StepId
    note: str = ""
    agents: tuple[str, ...] = ()


class AttemptsRaised(RunFact):
    """The user allows `attempts` more attempts; a recovery that had ended goes on."""

    type: Literal["AttemptsRaised"] = "AttemptsRaised"
    step: StepId
    attempts: int


class TextTaken(RunFact):
    """The user gave the text of the step's file himself, or with `is_anyway` took the damaged one
    knowingly, for the `reason` he wrote."""

    type: Literal["TextTaken"] = "TextTaken"
    step: StepId
    text: BlobHash
    is_anyway: bool = False
    reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What the validator said of it then."""


class StepSkipped(RunFact):
    """The user gave the step up."""

    type: Literal["StepSkipped"] = "StepSkipped"
    step: StepId


class RevertRequested(RunFact):
    """The user wants the files of these steps back as they were before the run."""

    type: Literal["RevertRequested"] = "RevertRequested"
    steps: tuple[StepId, ...]
