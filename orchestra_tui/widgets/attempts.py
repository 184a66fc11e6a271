"""The tries at one step as values: what was tried, who was asked, how it ended, what it took.

The rule a reader must not break: pure. One entry per activity, whatever number of remarks the log
holds of it; the attempt that runs is the last one.
"""

from dataclasses import dataclass, field
from datetime import datetime

from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryApproach, RecoveryAttempt
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import AttemptNote, CallState, RunState, StepState
from orchestra_tui.domain.text import clean_line

_VERBS = {
    ActivityKind.EXECUTE: "write",
    ActivityKind.FIX: "fix",
    ActivityKind.RECOVER: "recover",
    ActivityKind.MANUAL: "by hand",
    ActivityKind.AUDIT: "audit",
    ActivityKind.REVERT: "put back",
}
_APPROACHES = {
    RecoveryApproach.CONTINUE: "continue",
    RecoveryApproach.REPAIR: "repair",
    RecoveryApproach.CONSULT: "consult",
    RecoveryApproach.OTHER_ADAPTER: "other agent",
    RecoveryApproach.PIECES: "pieces",
}
_NO_TEXT = {ActivityKind.AUDIT, ActivityKind.REVERT, ActivityKind.MANUAL}
"""A verdict or a step back is no text of the file."""
UNHELPFUL = frozenset({"refused", "failed", "unusable", "conflict", "checks fail"})
"""How an attempt ended that brought its file no further."""
RUNNING = "running"


@dataclass(frozen=True)
class Attempt:
    """One activity of a step, for the console."""

    activity: ActivityKey
    what: str
    result: str
    """A word: written, refused, failed, unusable, impossible, issues, passed, running, ..."""
    at: datetime | None = None
    """When it ended; when it began while it runs."""
    asked: str = ""
    """Who answered, or was asked last; empty if nobody was."""
    message: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """What it left behind: a damaged text, or a whole reply."""
    calls: tuple[CallKey, ...] = ()
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    is_recovery: bool = False

    @property
    def is_bad(self) -> bool:
        """It did not help."""
        return self.result in UNHELPFUL


def approach_word(approach: RecoveryApproach) -> str:
    """The approach as people say it."""
    return _APPROACHES[approach]


def attempts_of(run: RunState, step: StepState) -> tuple[Attempt, ...]:
    """Everything that was tried at a step, oldest first; what runs comes last."""
    notes: dict[ActivityKey, list[AttemptNote]] = {}
    for note in step.timeline:
        notes.setdefault(note.activity, []).append(note)
    recovered = {
        attempt.activity: attempt for recovery in step.recoveries for attempt in recovery.attempts
    }
    calls: dict[ActivityKey, list[CallState]] = {}
    for call in run.calls.values():
        if call.activity in notes or call.activity in run.running:
            calls.setdefault(call.activity, []).append(call)
    ended = [
        _ended(told, recovered.get(activity), calls.get(activity, []))
        for activity, told in notes.items()
    ]
    running = [
        _running(activity, calls.get(activity.key, []))
        for activity in run.running.values()
        if activity.step == step.id and activity.key not in notes
    ]
    return (*ended, *running)


def attempt_of(run: RunState, step: StepState, activity: str) -> Attempt | None:
    """The attempt of this activity."""
    found = (each for each in attempts_of(run, step) if each.activity == activity)
    return next(found, None)


def _ended(
    notes: list[AttemptNote], recovered: RecoveryAttempt | None, calls: list[CallState]
) -> Attempt:
    """A refused reply and the failed activity it ends are one attempt."""
    last = notes[-1]
    kept = (note for note in notes if note.text or note.diagnostics or note.result == "refused")
    telling = next(kept, last)
    attempt = Attempt(
        activity=last.activity,
        what=_what(last.kind, last.activity),
        result="refused" if telling.result == "refused" else last.result.replace("_", " "),
        at=last.at,
        asked=_asked(calls),
        message=telling.message or last.message,
        diagnostics=telling.diagnostics,
        text=None if last.kind in _NO_TEXT else telling.text or _reply(calls),
        calls=tuple(call.key for call in calls),
        seconds=_seconds(calls),
        usage=sum((call.usage for call in calls), Usage()),
    )
    if recovered is None:
        return attempt
    return _as_recovery(attempt, recovered)


def _as_recovery(attempt: Attempt, recovered: RecoveryAttempt) -> Attempt:
    outcome = recovered.outcome
    is_written = outcome is AttemptOutcome.WRITTEN
    return Attempt(
        activity=attempt.activity,
        what=approach_word(recovered.approach),
        result=outcome.value.replace("_", " "),
        at=recovered.at,
        asked=clean_line(recovered.asked),
        message="" if is_written else recovered.message or attempt.message,
        diagnostics=recovered.diagnostics or attempt.diagnostics,
        text=recovered.text or attempt.text,
        calls=attempt.calls,
        seconds=attempt.seconds,
        usage=attempt.usage,
        is_recovery=True,
    )


def _running(activity: Activity, calls: list[CallState]) -> Attempt:
    what = _what(activity.kind, activity.key)
    if activity.approach is not None:
        what = approach_word(activity.approach)
    return Attempt(
        activity=activity.key,
        what=what,
        result=RUNNING,
        at=calls[0].started_at if calls else None,
        asked=_asked(calls),
        calls=tuple(call.key for call in calls),
        is_recovery=activity.approach is not None,
    )


def _what(kind: ActivityKind, key: ActivityKey) -> str:
    return f"{_VERBS.get(kind, kind.value)} {clean_line(key.rsplit('/', 1)[-1])}"


def _asked(calls: list[CallState]) -> str:
    return clean_line(calls[-1].adapter.name) if calls else ""


def _reply(calls: list[CallState]) -> BlobHash | None:
    """The last whole reply."""
    return next((call.reply for call in reversed(calls) if call.reply is not None), None)


def _seconds(calls: list[CallState]) -> float | None:
    known = [call.seconds for call in calls if call.seconds is not None]
    return sum(known) if known else None
