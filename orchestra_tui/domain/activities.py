"""Activities: the units of work that the scheduler may start and the runner performs."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.ids import ActivityKey, Role, RunId, StepId, activity_key
from orchestra_tui.domain.recovery import RecoveryApproach


class ActivityKind(StrEnum):
    """What is done; the value is the verb in the activity's key."""

    DRAFT_PLAN = "plan"
    TAKE_BASE = "base"
    EXECUTE = "execute"
    AUDIT = "audit"
    FIX = "fix"
    RECOVER = "recover"
    """One attempt to recover a file; its `approach` says how."""
    MANUAL = "manual"
    """A text that the user gave is written."""
    REVERT = "revert"
    RUN_CHECKS = "checks"
    APPLY_REVIEW = "review"
    COMMIT = "commit"

    @property
    def role(self) -> Role | None:
        """The agent that does it; None for work that needs no model."""
        return _ROLES.get(self)


_ROLES = {
    ActivityKind.DRAFT_PLAN: Role.ARCHITECT,
    ActivityKind.EXECUTE: Role.EXECUTOR,
    ActivityKind.AUDIT: Role.AUDITOR,
    ActivityKind.FIX: Role.CONSULTANT,
    ActivityKind.RECOVER: Role.CONSULTANT,
}


class FixReason(StrEnum):
    """Why a fix is asked for."""

    AUDIT = "audit"
    CHECKS = "checks"
    RECOVERY = "recovery"


class Activity(BaseModel):
    """One unit of work. `attempt` counts from 1 and is raised by failure, never by a crash."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: ActivityKind
    run: RunId
    step: StepId | None = None
    attempt: int = 1
    reason: FixReason | None = None
    approach: RecoveryApproach | None = None
    """Set for a recovery."""

    @property
    def role(self) -> Role | None:
        """The agent that does it; None for work that needs no model."""
        is_free = self.approach is not None and not self.approach.asks_a_model
        return None if is_free else self.kind.role

    @property
    def key(self) -> ActivityKey:
        """The structural key, e.g. `r1/s2/execute/1`."""
        return activity_key(self.run, self.step, self.kind.value, self.attempt)
