"""What events are made of: their base classes and the small values they carry."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.ids import BlobHash, RunId


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

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    state: CheckState
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    seconds: float = 0.0
    output: BlobHash | None = None
    """The blob of the (bounded) end of its output."""

    @property
    def tally(self) -> str:
        """The counts that are not 0 in words, as "12 passed, 1 failed"; "" without any."""
        counts = ((self.passed, "passed"), (self.failed, "failed"), (self.skipped, "skipped"))
        return ", ".join(f"{number} {word}" for number, word in counts if number)


class Counts(BaseModel):
    """How many files ended how."""

    model_config = ConfigDict(frozen=True, defer_build=True)

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
    RECOVER = "recover"


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class RunFact(Fact):
    run: RunId
