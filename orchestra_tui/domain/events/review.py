"""Facts of the end of a run: checks, hunks, checkpoints, commit."""

from typing import Literal

from orchestra_tui.domain.events.base import CheckOutcome, RunFact
from orchestra_tui.domain.ids import ActivityKey, BlobHash, StepId


class ChecksFinished(RunFact):
    """The project's checks ran; empty `outcomes` means none was found."""

    type: Literal["ChecksFinished"] = "ChecksFinished"
    activity: ActivityKey
    outcomes: tuple[CheckOutcome, ...]
    suspects: tuple[StepId, ...] = ()
    """The steps whose files the failing output points at; all with code if it names none."""
    are_named: bool = False
    """The output names the suspects' files, or tests that depend on them."""


class HunksDecided(RunFact):
    """The user's choice for one file: the ids of the hunks he rejects."""

    type: Literal["HunksDecided"] = "HunksDecided"
    path: str
    rejected: tuple[str, ...]


class CommitRequested(RunFact):
    """The user wants the accepted hunks committed, or with `message` None only kept."""

    type: Literal["CommitRequested"] = "CommitRequested"
    message: str | None


class ReviewApplied(RunFact):
    """The rejected hunks have left the working files."""

    type: Literal["ReviewApplied"] = "ReviewApplied"
    activity: ActivityKey


class CommitHeld(RunFact):
    """The commit waits for the user again, with the reason."""

    type: Literal["CommitHeld"] = "CommitHeld"
    reason: str


class CommitIntended(RunFact):
    """The commit is about to be made; enough to tell after a crash whether it was."""

    type: Literal["CommitIntended"] = "CommitIntended"
    activity: ActivityKey
    intent: str
    """The git room's own record of the intent, as JSON."""


class Committed(RunFact):
    """The commit stands."""

    type: Literal["Committed"] = "Committed"
    activity: ActivityKey
    commit: str
    message: str


class CheckpointTaken(RunFact):
    """The content of the run's files at one moment; None is no file."""

    type: Literal["CheckpointTaken"] = "CheckpointTaken"
    label: str
    files: dict[str, BlobHash | None]
