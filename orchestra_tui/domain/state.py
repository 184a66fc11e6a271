"""The state of a session, folded from its log. Small: contents are blobs, by hash.

The rule a reader must not break: nothing here is ever set but by `domain.fold.apply`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.budget import BudgetStop
from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.events import CheckOutcome, CheckState, Counts, FileIntended, Outcome
from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey, RunId, SessionId, StepId
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.settings import RunSettings, Scenario
from orchestra_tui.domain.step_state import (
    AdapterHealth,
    AttemptNote,
    CallState,
    CallStatus,
    Hop,
    StateValue,
    StepState,
    StepStatus,
    Wait,
)

__all__ = [
    "RED_CHECKS",
    "AdapterHealth",
    "AttemptNote",
    "CallState",
    "CallStatus",
    "Checkpoint",
    "ChecksState",
    "CommitRequest",
    "Hop",
    "Phase",
    "RunState",
    "SessionState",
    "StepState",
    "StepStatus",
    "Wait",
]


class Phase(StrEnum):
    """Where the run stands, in a word for the title."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    EXECUTING = "executing"
    AUDITING = "auditing"
    FIXING = "fixing"
    RECOVERING = "recovering"
    TESTING = "testing"
    REVIEWING = "reviewing"
    COMMITTING = "committing"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


RED_CHECKS = frozenset({CheckState.FAILED, CheckState.TIMED_OUT, CheckState.CRASHED})
"""The states that speak against the files; a missing tool speaks against nothing."""


class ChecksState(StateValue):
    """What the project's own checks said last."""

    detected: tuple[str, ...] | None = None
    """None until looked for; empty when there is none."""
    why: str = ""
    outcomes: tuple[CheckOutcome, ...] = ()
    runs: int = 0
    fix_rounds: int = 0
    is_stale: bool = False
    """The files changed since the checks ran."""

    @property
    def verdict(self) -> str:
        """none, passed, failed, no_tests, not_run (a tool is missing) or stale."""
        if not self.runs or not self.outcomes:
            return "none"
        if self.is_stale:
            return "stale"
        states = {outcome.state for outcome in self.outcomes}
        if states <= {CheckState.PASSED}:
            return "passed"
        if states & RED_CHECKS:
            return "failed"
        return "not_run" if CheckState.NOT_FOUND in states else "no_tests"


class Checkpoint(StateValue):
    """The run's files at one moment, by path and blob."""

    seq: int
    at: datetime
    label: str
    files: dict[str, BlobHash | None]


class CommitRequest(StateValue):
    """What the user asked for at the end; `message` None keeps the files without a commit."""

    message: str | None


class RunState(StateValue):
    """One task from its start to its end."""

    id: RunId
    task: str
    settings: RunSettings
    head: str | None
    branch: str | None
    started_at: datetime
    plan: Plan | None = None
    previous_plan: Plan | None = None
    """The plan that the user sent back last."""
    plan_attempt: int = 0
    plan_failures: int = 0
    feedback: tuple[str, ...] = ()
    """What the user said when he sent plans back."""
    refusals: tuple[str, ...] = ()
    """Why the last plan replies could not be used."""
    is_approved: bool = False
    note: str = ""
    base: dict[str, BlobHash | None] | None = None
    """The run's files as the plan found them; None until recorded."""
    intents: dict[str, FileIntended] = Field(default_factory=dict)
    """Changes begun whose end is not recorded, by path: what a crash may have cut off."""
    folders: tuple[str, ...] = ()
    """Folders that were made for new files; a revert removes those that are then empty."""
    steps: dict[StepId, StepState] = Field(default_factory=dict)
    running: dict[ActivityKey, Activity] = Field(default_factory=dict)
    calls: dict[CallKey, CallState] = Field(default_factory=dict)
    lost: tuple[CallState, ...] = ()
    """Calls that were cut off and asked again under their key."""
    worked: dict[str, float] = Field(default_factory=dict)
    """Seconds in which work went on: under `""` of the run, and by role."""
    budget_stops: dict[str, BudgetStop] = Field(default_factory=dict)
    """Limits that the next call would pass, under `""` the session's, and by role."""
    waits: dict[ActivityKey, Wait] = Field(default_factory=dict)
    """Work that waits before its next model call, and for what."""
    adapters: dict[str, AdapterHealth] = Field(default_factory=dict)
    """How each adapter stands that was asked or passed over, by its name."""
    ended: dict[ActivityKind, int] = Field(default_factory=dict)
    """The number of the last try that ended, per kind, for work of the whole run."""
    run_failures: int = 0
    """Failures in a row of work of the whole run (base, checks)."""
    checks: ChecksState = ChecksState()
    rejected: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    applied_rejections: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    commit_request: CommitRequest | None = None
    held: str = ""
    """Why the commit waits for the user again."""
    commit_intent: str | None = None
    commit: str | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    is_paused: bool = False
    is_cancelling: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    last_error: str = ""
    halted: str = ""
    """The kind of error that stopped the whole run (unavailable or misconfigured adapter)."""

    @property
    def ordered_steps(self) -> tuple[StepState, ...]:
        """The enabled steps in plan order."""
        if self.plan is None:
            return ()
        return tuple(self.steps[s.id] for s in self.plan.enabled_steps if s.id in self.steps)

    @property
    def is_settled(self) -> bool:
        """Every enabled step is settled and nothing runs."""
        return not self.running and all(step.status.is_settled for step in self.ordered_steps)

    @property
    def counts(self) -> Counts:
        """How many steps ended how."""
        statuses = [step.status for step in self.ordered_steps]
        return Counts(
            accepted=statuses.count(StepStatus.ACCEPTED),
            failed=statuses.count(StepStatus.FAILED) + statuses.count(StepStatus.CONFLICT),
            reverted=statuses.count(StepStatus.REVERTED),
            blocked=statuses.count(StepStatus.BLOCKED),
            skipped=statuses.count(StepStatus.SKIPPED),
        )

    @property
    def usage(self) -> Usage:
        """Tokens of every call so far."""
        return sum((call.usage for call in self.calls.values()), Usage())

    @property
    def changed_files(self) -> Mapping[str, tuple[BlobHash | None, BlobHash | None]]:
        """Path -> (before the run, now) of every file that differs from before the run."""
        now = {path: blob for step in self.steps.values() for path, blob in step.files.items()}
        base = self.base or {}
        return {path: (base.get(path), b) for path, b in now.items() if base.get(path) != b}

    @property
    def proposed_files(self) -> Mapping[str, tuple[BlobHash | None, BlobHash | None]]:
        """Path -> (before the run, as the agents made it), whatever hunks are rejected."""
        base = self.base or {}
        found: dict[str, tuple[BlobHash | None, BlobHash | None]] = {}
        for step in self.steps.values():
            for path, blob in step.results.items():
                is_back = step.status is StepStatus.REVERTED
                if base.get(path) != blob and not is_back:
                    found[path] = (base.get(path), blob)
        return found

    @property
    def pending_rejections(self) -> Mapping[str, tuple[str, ...]]:
        """Hunk decisions that have not reached the working files yet."""
        return {
            path: hunks
            for path, hunks in self.rejected.items()
            if hunks != self.applied_rejections.get(path, ())
        }

    @property
    def phase(self) -> Phase:
        """Where the run stands."""
        if self.outcome is not None:
            return _OUTCOME_PHASES.get(self.outcome, Phase.FAILED)
        if self.is_paused:
            return Phase.PAUSED
        if self.plan is None:
            return Phase.PLANNING
        if not self.is_approved:
            return Phase.AWAITING_APPROVAL
        return self._working_phase()

    def _working_phase(self) -> Phase:
        kinds = {activity.kind for activity in self.running.values()}
        reasons = {activity.reason for activity in self.running.values()}
        if kinds & {ActivityKind.COMMIT, ActivityKind.APPLY_REVIEW}:
            return Phase.COMMITTING
        if ActivityKind.RUN_CHECKS in kinds:
            return Phase.TESTING
        if kinds & {ActivityKind.RECOVER, ActivityKind.REVERT} or FixReason.RECOVERY in reasons:
            return Phase.RECOVERING
        if kinds & {ActivityKind.EXECUTE, ActivityKind.MANUAL, ActivityKind.TAKE_BASE}:
            return Phase.EXECUTING
        if ActivityKind.FIX in kinds:
            return Phase.FIXING
        if ActivityKind.AUDIT in kinds:
            return Phase.AUDITING
        if not self.is_settled:
            return Phase.EXECUTING
        return Phase.TESTING if self.are_checks_due else Phase.REVIEWING

    @property
    def has_given_up(self) -> bool:
        """Work of the whole run failed so often that it is not tried again."""
        return self.run_failures >= self.settings.max_attempts

    @property
    def are_checks_due(self) -> bool:
        """Every step is settled, files were written, and the checks have not seen them yet."""
        if not self.settings.run_checks or self.has_given_up or not self.is_approved:
            return False
        if not all(step.status.is_settled for step in self.ordered_steps):
            return False
        if not any(step.is_written for step in self.ordered_steps):
            return False
        if not self.checks.runs:
            return True
        return self.checks.is_stale and not self.pending_rejections

    @property
    def is_reviewing(self) -> bool:
        """Everything that could be done is done; the user looks at the diff."""
        return self.phase is Phase.REVIEWING and self.commit_request is None

    @property
    def needs_user(self) -> str:
        """What waits for the user, in a few words; empty if nothing does."""
        if self.outcome is not None:
            return ""
        if self.plan is not None and not self.is_approved:
            return "plan waits for you"
        if self.budget_stops and not self.is_reviewing:
            return "budget reached"
        if any(step.status is StepStatus.CONFLICT for step in self.ordered_steps):
            return "conflict waits for you"
        if any(step.needs_decision for step in self.ordered_steps):
            return "recovery waits for you"
        return "diff waits for you" if self.is_reviewing else ""


_OUTCOME_PHASES = {
    Outcome.DONE: Phase.DONE,
    Outcome.PARTIAL: Phase.DONE,
    Outcome.CANCELLED: Phase.CANCELLED,
}


class SessionState(StateValue):
    """One session: its runs, the newest last, and where its log stands."""

    id: SessionId
    project: str = ""
    title: str = ""
    root: str = ""
    provider: ProviderKind = ProviderKind.REAL
    scenario: Scenario | None = None
    started_at: datetime | None = None
    last_at: datetime | None = None
    seq: int = 0
    """The number of the last record folded in."""
    runs: tuple[RunState, ...] = ()

    @property
    def run(self) -> RunState | None:
        """The newest run; None before the first task."""
        return self.runs[-1] if self.runs else None

    @property
    def is_rehearsal(self) -> bool:
        """No AI stands behind this session."""
        return self.provider is ProviderKind.REHEARSAL

    @property
    def can_resume(self) -> bool:
        """Its newest run is not over, or ended in a way that can go on."""
        run = self.run
        if run is None:
            return False
        return run.outcome in {None, Outcome.CANCELLED, Outcome.UNAVAILABLE, Outcome.MISCONFIGURED}
