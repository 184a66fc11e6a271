"""Recovery of one file: what was wrong, what was tried, and how it ended. Values only.

The rule a reader must not break: nothing here decides. What is tried next is decided in
`domain.recovery_rules`, from these values alone, so that a replay decides the same.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey, StepId
from orchestra_tui.domain.review import Diagnostic


class RecoveryCause(StrEnum):
    """Why a file is in recovery. The middle four are the hard states of the validator."""

    CUT = "cut"
    """The reply has no end mark, or the provider did not end it by itself."""
    REFUSED = "refused"
    """The reply is whole but not in its format, or its edits do not fit the file."""
    BROKEN = "broken"
    INCOMPLETE = "incomplete"
    ELIDED = "elided"
    WRAPPED = "wrapped"
    AUDIT = "audit"
    """The fixes that the Auditor asked for did not solve its issues."""
    CHECKS = "checks"
    """The project's checks still fail after the round of fixes, and point at this file."""

    @property
    def is_damage(self) -> bool:
        """The text never reached the disk; with the others it is there and found wanting."""
        return self not in {RecoveryCause.AUDIT, RecoveryCause.CHECKS}


_TOLD_BY_WORDS = {RecoveryCause.REFUSED, RecoveryCause.AUDIT, RecoveryCause.CHECKS}
"""Causes that say nothing of what failed; the message does."""


class RecoveryApproach(StrEnum):
    """How a file is recovered, in the order in which it is tried."""

    CONTINUE = "continue"
    """The same adapter goes on at the cut; the joint is checked."""
    REPAIR = "repair"
    """What is certain is repaired without a model, and confirmed by the validator."""
    CONSULT = "consult"
    """The Consultant sees the findings, the last good text and the damaged one."""
    OTHER_ADAPTER = "other_adapter"
    """The Consultant's question goes to an adapter that had no part in the damage."""
    PIECES = "pieces"
    """Only the missing or damaged definitions are asked for, as edits."""

    @property
    def asks_a_model(self) -> bool:
        """False for what costs nothing, and so is not counted against the budget of attempts."""
        return self is not RecoveryApproach.REPAIR

    @property
    def narrows_the_chain(self) -> bool:
        """True where we chose whom to ask: that nobody of those can answer says nothing of the
        role's own chain."""
        return self in {RecoveryApproach.CONTINUE, RecoveryApproach.OTHER_ADAPTER}


class AttemptOutcome(StrEnum):
    """How one attempt ended."""

    WRITTEN = "written"
    """Its text passed the gate and is on disk."""
    UNUSABLE = "unusable"
    """The reply or its text was damaged again; nothing of it was used."""
    FAILED = "failed"
    """The call broke off, or the file could not be written."""
    IMPOSSIBLE = "impossible"
    """There was nothing to try it with (no other adapter, nothing certain): nobody was asked."""
    ISSUES = "issues"
    """It was written, and the Auditor still has issues."""
    CHECKS_FAIL = "checks_fail"
    """It was written, and the checks still fail."""


class RecoveryOutcome(StrEnum):
    """How the recovery of a file ended."""

    RECOVERED = "recovered"
    KEPT = "kept"
    """Nothing helped; the file is, or was put back, as it was when its audit passed."""
    REVERTED = "reverted"
    """Nothing helped; the file is as it was before the run."""
    RETRIED = "retried"
    """The user let the step begin again."""
    TAKEN_OVER = "taken_over"
    """The user wrote the text himself."""
    ACCEPTED_ANYWAY = "accepted_anyway"
    """The user took the damaged text knowingly."""
    SKIPPED = "skipped"
    """The user gave the step up."""

    @property
    def is_defeat(self) -> bool:
        """Nothing is left of the step, so a person should look at it."""
        return self is RecoveryOutcome.REVERTED


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Damage(_Value):
    """What is wrong: the newest reply or text that could not be used."""

    cause: RecoveryCause
    message: str
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text of the file, or with `is_reply` the whole reply."""
    is_reply: bool = False
    """No text of the file could be read out of the reply, so `text` is no such text."""
    can_continue: bool = False
    """The reply broke off, and nobody has tried to go on at its cut."""
    call: CallKey | None = None
    """The call that gave it; None where no reply is to blame."""
    adapter: str = ""
    """Who gave it."""

    @property
    def mark(self) -> str:
        """What kind of failure it is; equal marks are the same failure."""
        if self.cause in _TOLD_BY_WORDS:
            return f"{self.cause.value}: {self.message}"
        kinds = sorted({diagnostic.kind for diagnostic in self.diagnostics})
        return ": ".join([self.cause.value, *([", ".join(kinds)] if kinds else [])])


class RecoveryAttempt(_Value):
    """One attempt, for the console's timeline: its calls are those of `activity`."""

    activity: ActivityKey
    approach: RecoveryApproach
    at: datetime
    outcome: AttemptOutcome
    asked: str = ""
    """The adapter that answered, or was asked last; empty if nobody was."""
    message: str = ""
    mark: str = ""
    """The kind of its failure (`Damage.mark`); empty if it did not fail."""
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text or reply that it gave."""


class Recovery(_Value):
    """The recovery of one file, from its cause to its end."""

    cause: RecoveryCause
    message: str
    entered_at: datetime
    damage: Damage
    """The newest damage: what the next attempt begins with."""
    budget: int
    """How many attempts may ask a model."""
    attempts: tuple[RecoveryAttempt, ...] = ()
    tried_on_damage: tuple[RecoveryApproach, ...] = ()
    """What was tried on the newest damage."""
    marks: tuple[str, ...] = ()
    """The kinds of its failures, one after the other (`Damage.mark`), since it was entered or the
    user last changed what it may do."""
    renewed_at: int = 0
    """How many attempts there were when the user last changed what it may do: those before do
    not rule an approach out."""
    next: RecoveryApproach | None = None
    """What is tried next, or is being tried; None when nothing is left."""
    note: str = ""
    """What the user said to the next attempts."""
    agents: tuple[str, ...] = ()
    """The adapters that the user chose for the next attempts."""
    outcome: RecoveryOutcome | None = None
    ended_at: datetime | None = None
    reason: str = ""
    """Why the user took the damaged text anyway, in his words."""

    @property
    def is_open(self) -> bool:
        """It has not come to an end."""
        return self.outcome is None

    @property
    def asked_count(self) -> int:
        """How many attempts asked a model."""
        return sum(
            attempt.approach.asks_a_model and attempt.outcome is not AttemptOutcome.IMPOSSIBLE
            for attempt in self.attempts
        )


class RecoveryReport(_Value):
    """One recovery in the report of a finished run."""

    step: StepId
    path: str
    cause: RecoveryCause
    outcome: RecoveryOutcome | None
    """None if the run ended in the middle of it."""
    tried: tuple[str, ...]
    """One entry per attempt: approach, adapter and outcome, e.g. `consult (mine): written`."""
    message: str = ""
    """What was wrong at first."""
