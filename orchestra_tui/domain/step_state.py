"""The state of one step and of one model call: the small parts of `domain.state`."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.budget import Reserve
from orchestra_tui.domain.calls import (
    AdapterInfo,
    CallPatience,
    ContextItem,
    FinishReason,
    Usage,
)
from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey, Role, StepId
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.recovery import Damage, Recovery
from orchestra_tui.domain.review import Diagnostic, Issue


class StepStatus(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    WRITING = "writing"
    WRITTEN = "written"
    AUDITING = "auditing"
    NEEDS_FIX = "needs_fix"
    FIXING = "fixing"
    NEEDS_RECOVERY = "needs_recovery"
    RECOVERING = "recovering"
    TAKEN_OVER = "taken_over"
    """The user gave the text; it is written next."""
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    NEEDS_REVERT = "needs_revert"
    REVERTING = "reverting"
    REVERTED = "reverted"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"

    @property
    def is_settled(self) -> bool:
        """Nothing more will be done for the step unless the user asks."""
        return self in _SETTLED

    @property
    def is_trouble(self) -> bool:
        """The step did not end as planned."""
        return self in _TROUBLE


IN_RECOVERY = frozenset({StepStatus.NEEDS_RECOVERY, StepStatus.RECOVERING})
ENDED_BADLY = frozenset({StepStatus.REVERTED, StepStatus.FAILED})
TAKES_TEXT = IN_RECOVERY | ENDED_BADLY | {StepStatus.CONFLICT, StepStatus.SKIPPED}
"""Where the user may give the text of the file himself, or have it tried again."""
SKIPPABLE = (
    IN_RECOVERY
    | ENDED_BADLY
    | {
        StepStatus.WAITING,
        StepStatus.CONFLICT,
        StepStatus.BLOCKED,
    }
)
_TROUBLE = {
    StepStatus.CONFLICT,
    StepStatus.REVERTED,
    StepStatus.FAILED,
    StepStatus.BLOCKED,
    StepStatus.SKIPPED,
}
_SETTLED = _TROUBLE - {StepStatus.CONFLICT} | {StepStatus.ACCEPTED}


class StateValue(BaseModel):
    """The base of every value in the state: frozen."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class AttemptNote(StateValue):
    """One try at a step, for the recovery screen's timeline."""

    activity: ActivityKey
    kind: ActivityKind
    at: datetime
    result: str
    """A word: written, refused, failed, passed, issues, reverted, conflict."""
    message: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text, when there was one."""


class TextGiven(StateValue):
    """A text of the file that the user gave; with `is_anyway` it is written though damaged."""

    text: BlobHash
    is_anyway: bool = False
    reason: str = ""


class StepState(StateValue):
    """One step's progress. `failures` counts tries of the present kind since the last success."""

    id: StepId
    status: StepStatus = StepStatus.WAITING
    attempts: dict[ActivityKind, int] = Field(default_factory=dict)
    """The number of the last try that ended, per kind of activity."""
    cut_off: dict[ActivityKind, int] = Field(default_factory=dict)
    """The number of a try that was cut off and may be taken up again, per kind of activity."""
    failures: int = 0
    fixes: int = 0
    """Fixes written for the Auditor so far."""
    issue_counts: tuple[int, ...] = ()
    """Issues at or above the floor, audit by audit."""
    issues: tuple[Issue, ...] = ()
    fix_reason: FixReason | None = None
    files: dict[str, BlobHash | None] = Field(default_factory=dict)
    """What we last wrote, by path."""
    modes: dict[str, int] = Field(default_factory=dict)
    """Permission bits that the files we removed had, by path."""
    results: dict[str, BlobHash | None] = Field(default_factory=dict)
    """What the agents made of each path, before hunks were rejected."""
    writers: dict[str, ActivityKey] = Field(default_factory=dict)
    """The activity that last wrote each path: a resumed one sees that it has done so."""
    refusals: tuple[str, ...] = ()
    """Why the last replies could not be used, for the next prompt."""
    conflict: BlobHash | None = None
    """What was found on disk instead, while a conflict stands."""
    conflict_path: str = ""
    """Where it was found; empty while no conflict stands."""
    note: str = ""
    last_error: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    timeline: tuple[AttemptNote, ...] = ()
    good: dict[str, BlobHash | None] = Field(default_factory=dict)
    """Its files as they were when it was last accepted; empty if it never was. The last good
    text of a path that is not here is the one from before the run."""
    damage: Damage | None = None
    """The newest reply or text that could not be used."""
    recoveries: tuple[Recovery, ...] = ()
    """Every recovery of its file, the newest last."""
    agents: tuple[str, ...] = ()
    """Adapters that the user chose for it, in place of every chain."""
    manual: TextGiven | None = None
    """The text that the user gave, until it is written."""
    goes_back_to_good: bool = False
    """A revert that is due goes to `good`, not to before the run."""

    @property
    def recovery(self) -> Recovery | None:
        """The recovery that is open; None if the step is in none."""
        last = self.recoveries[-1] if self.recoveries else None
        return last if last is not None and last.is_open else None

    @property
    def is_defeated(self) -> bool:
        """Its last recovery gave up, and the user has not yet said what shall become of it."""
        last = self.recoveries[-1] if self.recoveries else None
        return last is not None and last.outcome is not None and last.outcome.is_defeat

    @property
    def needs_decision(self) -> bool:
        """It is defeated and its file is back where it goes: the next word is the user's."""
        return self.is_defeated and self.status in ENDED_BADLY

    @property
    def is_written(self) -> bool:
        """We have changed at least one file for it."""
        return bool(self.files)


class CallStatus(StrEnum):
    """How a model call stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Hop(StateValue):
    """Why a call went past an adapter that comes before it, or that was asked before it."""

    left: str
    kind: str
    """The error's kind in the adapter tree, or `busy`."""
    cause: str


class Wait(StateValue):
    """What a piece of work waits for before its next call, and how long at most."""

    adapter: str
    reason: str
    until: datetime
    since: datetime | None = None


class AdapterHealth(StateValue):
    """How an adapter stands after its last call: `kind` and `cause` are empty when it answered."""

    kind: str = ""
    cause: str = ""
    cooling_until: datetime | None = None
    """No call is made to it before; None if it is not cooling down."""
    since: datetime | None = None
    """When it failed; None if it did not."""


class CallState(StateValue):
    """One model call, for panes, metrics and for reuse after a crash."""

    key: CallKey
    activity: ActivityKey
    role: Role
    path: str | None
    adapter: AdapterInfo
    started_at: datetime
    status: CallStatus = CallStatus.RUNNING
    request: BlobHash
    context: tuple[ContextItem, ...] = ()
    patience: CallPatience | None = None
    """How long it is waited for."""
    reply: BlobHash | None = None
    usage: Usage = Usage()
    cost: Cost | None = None
    """None is unknown, also when it failed or was cut off and nobody said what it used."""
    reserve: Reserve = Reserve()
    """What was set aside for it before it was made."""
    waited: float = 0.0
    """Seconds that were waited before it."""
    finish: FinishReason | None = None
    seconds: float | None = None
    error: str = ""
    error_kind: str = ""
    """The error's kind in the adapter tree."""
    retry_in: float | None = None
    hops: tuple[Hop, ...] = ()
    """Why this adapter is asked and not one before it; empty for the first choice."""
    is_cached: bool = False
    """Nobody was asked: the answer was known from an earlier run."""
    saved: Usage = Usage()
    """The tokens a cached answer had cost when it was made."""
    saved_cost: Cost | None = None
    """What these tokens would cost now; None is unknown."""
    doubt: str = ""
    """What looked damaged in the reply while it came in."""
    refused: str = ""
    """Why the answer could not be used, if it could not."""
