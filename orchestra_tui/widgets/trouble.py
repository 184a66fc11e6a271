"""What went wrong in a run, step by step, as values for the recovery screen.

The rule a reader must not break: pure. Whatever did not go as planned is in the list, also when it
came through in the end.
"""

from dataclasses import dataclass

from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.recovery import Recovery, RecoveryCause, RecoveryOutcome
from orchestra_tui.domain.recovery_rules import last_good
from orchestra_tui.domain.state import AttemptNote, RunState, StepState, StepStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.attempts import Attempt
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.signs import status_word

_AT_WORK = {
    StepStatus.NEEDS_RECOVERY,
    StepStatus.RECOVERING,
    StepStatus.TAKEN_OVER,
    StepStatus.NEEDS_REVERT,
    StepStatus.REVERTING,
}
_TROUBLING = {"refused", "failed", "conflict", "reverted"}
"""What a note in a step's timeline says when the step did not go as planned."""
_CAUSES = {
    RecoveryCause.CUT: "cut off",
    RecoveryCause.REFUSED: "unusable reply",
    RecoveryCause.BROKEN: "broken syntax",
    RecoveryCause.INCOMPLETE: "incomplete",
    RecoveryCause.ELIDED: "code left out",
    RecoveryCause.WRAPPED: "wrapped in chat",
    RecoveryCause.AUDIT: "audit not passed",
    RecoveryCause.CHECKS: "checks fail",
}


@dataclass(frozen=True)
class Trouble:
    """One step that did not go as planned."""

    step: StepId
    path: str
    status: StepStatus
    cause: str
    """In a sentence."""
    short_cause: str
    """In a word or two; empty where the status says it all."""
    tries: int
    """How many attempts ended badly, or asked a model to recover the file."""
    budget: int = 0
    """How many may; 0 where the file was never in recovery."""
    is_over: bool = False
    """It came through, or nothing more is expected to happen."""
    waits: bool = False
    """Nothing goes on with it before the user decides."""

    @property
    def count(self) -> str:
        """`3/5`, or `2 tries`; empty where nothing was tried."""
        if self.budget:
            return f"{self.tries}/{self.budget}"
        return plural(self.tries, "try", "tries") if self.tries else ""


@dataclass(frozen=True)
class Sides:
    """Two texts to put beside each other, by blob; None is no text."""

    left: BlobHash | None
    left_title: str
    right: BlobHash | None
    right_title: str


def troubles(run: RunState | None) -> tuple[Trouble, ...]:
    """The steps in trouble: what waits for the user, the others, then what came through."""
    if run is None or run.plan is None:
        return ()
    found = [_trouble(run, step) for step in run.ordered_steps if _was_in_trouble(step)]
    return tuple(sorted(found, key=lambda trouble: (trouble.is_over, not trouble.waits)))


def waits_for_user(run: RunState, step: StepState) -> bool:
    """Nothing goes on with the step before the user decides."""
    is_open = run.outcome is None and run.is_approved
    return is_open and (step.needs_decision or step.status is StepStatus.CONFLICT)


def sides_of(run: RunState, step: StepState, attempt: Attempt | None) -> Sides:
    """What to compare for an attempt: the damaged text, and the last good one."""
    path = path_of(run, step.id)
    good = last_good(run, step)
    good_title = "last good: as accepted in this run" if path in step.good else "before the run"
    if step.status is StepStatus.CONFLICT and (attempt is None or attempt.result == "conflict"):
        at = step.conflict_path or path
        expected = step.files.get(at, (run.base or {}).get(at))
        return Sides(step.conflict, "on disk now", expected, "what the plan was made against")
    if attempt is not None and attempt.text is not None:
        return Sides(attempt.text, _title(attempt), good, good_title)
    made = step.results.get(path)
    if made is None and path not in step.results:
        return Sides(None, "nothing was written", good, good_title)
    if step.status is StepStatus.REVERTED and made == (run.base or {}).get(path):
        return Sides(None, "nothing is left of it", good, f"{good_title}; the file is as it was")
    return Sides(made, "as it is in the project", good, good_title)


def path_of(run: RunState, step: StepId) -> str:
    """The step's file as it is named in the plan, raw."""
    return run.plan.step(step).path if run.plan is not None else step


def cause_word(cause: RecoveryCause) -> str:
    """The cause as people say it."""
    return _CAUSES[cause]


def _title(attempt: Attempt) -> str:
    if attempt.result in {"issues", "checks fail"}:
        return "written, and found wanting"
    return "damaged, never applied" if attempt.is_bad else "as the agent gave it"


def _was_in_trouble(step: StepState) -> bool:
    return (
        step.status.is_trouble
        or step.status in _AT_WORK
        or bool(step.recoveries)
        or any(_is_bad(note) for note in step.timeline)
    )


def _is_bad(note: AttemptNote) -> bool:
    """A verdict that could not be read says nothing against the file."""
    return note.result in _TROUBLING and note.kind is not ActivityKind.AUDIT


def _trouble(run: RunState, step: StepState) -> Trouble:
    bad = [note for note in step.timeline if _is_bad(note)]
    recovery = step.recoveries[-1] if step.recoveries else None
    tries = sum(note.result in {"refused", "failed"} for note in _one_per_attempt(bad))
    return Trouble(
        step=step.id,
        path=clean_line(path_of(run, step.id)),
        status=step.status,
        cause=_cause(step, bad, recovery),
        short_cause=_short_cause(step, recovery),
        tries=recovery.asked_count if recovery is not None else tries,
        budget=recovery.budget if recovery is not None else 0,
        is_over=step.status is StepStatus.ACCEPTED,
        waits=waits_for_user(run, step),
    )


def _one_per_attempt(notes: list[AttemptNote]) -> list[AttemptNote]:
    """A refused reply and the failed attempt it ends are one try."""
    return list({note.activity: note for note in notes}.values())


def _short_cause(step: StepState, recovery: Recovery | None) -> str:
    if recovery is not None:
        return cause_word(recovery.cause)
    return "changed on disk" if step.status is StepStatus.CONFLICT else ""


def _cause(step: StepState, bad: list[AttemptNote], recovery: Recovery | None) -> str:
    if step.status is StepStatus.SKIPPED:
        return "given up by you"
    if step.status is StepStatus.ACCEPTED:
        return _came_through(bad, recovery)
    return clean_line(step.last_error) or (
        clean_line(bad[-1].message) if bad else status_word(step.status)
    )


def _came_through(bad: list[AttemptNote], recovery: Recovery | None) -> str:
    match recovery.outcome if recovery is not None else None:
        case RecoveryOutcome.TAKEN_OVER:
            return "written by you"
        case RecoveryOutcome.ACCEPTED_ANYWAY if recovery is not None:
            return f"taken anyway: {clean_line(recovery.reason)}"
        case RecoveryOutcome.KEPT:
            return "nothing helped; it is as it was when it was last accepted"
        case RecoveryOutcome.RECOVERED if recovery is not None:
            return f"recovered; it was: {clean_line(recovery.message)}"
        case _:
            return f"came through after: {clean_line(bad[-1].message)}" if bad else "came through"
