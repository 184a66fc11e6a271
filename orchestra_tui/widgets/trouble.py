"""What went wrong in a run, step by step, as values for the recovery screen.

The rule a reader must not break: pure. Whatever did not go as planned is in the list, also when it
came through in the end.
"""

from dataclasses import dataclass

from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.recovery_rules import last_good
from orchestra_tui.domain.state import AttemptNote, RunState, StepState, StepStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.signs import status_word

_AT_WORK = {
    StepStatus.NEEDS_RECOVERY,
    StepStatus.RECOVERING,
    StepStatus.TAKEN_OVER,
    StepStatus.NEEDS_REVERT,
    StepStatus.REVERTING,
}
_UNUSED = {"refused", "failed"}
_BAD_RESULTS = {"refused", "failed", "conflict", "reverted"}


@dataclass(frozen=True)
class Trouble:
    """One step that did not go as planned."""

    step: StepId
    path: str
    status: StepStatus
    cause: str
    tries: int
    """How many attempts ended badly."""
    is_over: bool
    """It came through, or nothing more is expected to happen."""

    @property
    def count(self) -> str:
        """`2 tries`; empty where nothing was tried."""
        return plural(self.tries, "try", "tries") if self.tries else ""


@dataclass(frozen=True)
class Sides:
    """Two texts to put beside each other, by blob; None is no text."""

    left: BlobHash | None
    left_title: str
    right: BlobHash | None
    right_title: str


def troubles(run: RunState | None) -> tuple[Trouble, ...]:
    """The steps in trouble in plan order, then those that came through all the same."""
    if run is None or run.plan is None:
        return ()
    found = [
        _trouble(run, step) for step in run.ordered_steps if _was_in_trouble(step)
    ]  # fmt: skip
    return (*(t for t in found if not t.is_over), *(t for t in found if t.is_over))


def sides_of(run: RunState, step: StepState, note: AttemptNote | None) -> Sides:
    """What to compare for an attempt: the damaged text, and the last good one."""
    path = path_of(run, step.id)
    base = (run.base or {}).get(path)
    good = last_good(run, step)
    good_title = "last good" if path in step.good else "before the run"
    if note is not None and note.text is not None:
        return Sides(note.text, "damaged reply, never applied", good, good_title)
    if step.status is StepStatus.CONFLICT:
        at = step.conflict_path or path
        expected = step.files.get(at, (run.base or {}).get(at))
        return Sides(step.conflict, "on disk now", expected, "what the plan was made against")
    if note is not None and (reply := _reply_of(run, note)) is not None:
        title = "the reply as it came, never applied" if note.result in _UNUSED else "the reply"
        return Sides(reply, title, good, good_title)
    made = step.results.get(path)
    if made is None and path not in step.results:
        return Sides(None, "nothing was written", base, "before the run")
    if step.status is StepStatus.REVERTED and made == base:
        return Sides(None, "nothing is left of it", base, "before the run; the file is as it was")
    return Sides(made, "as the agents made it", base, "before the run")


def path_of(run: RunState, step: StepId) -> str:
    """The step's file as it is named in the plan, raw."""
    return run.plan.step(step).path if run.plan is not None else step


def _reply_of(run: RunState, note: AttemptNote) -> BlobHash | None:
    """The last whole reply of the attempt."""
    replies = [call.reply for call in run.calls.values() if call.activity == note.activity]
    return next((reply for reply in reversed(replies) if reply is not None), None)


def _was_in_trouble(step: StepState) -> bool:
    return (
        step.status.is_trouble
        or step.status in _AT_WORK
        or any(note.result in _BAD_RESULTS for note in step.timeline)
    )


def _trouble(run: RunState, step: StepState) -> Trouble:
    bad = [note for note in step.timeline if note.result in _BAD_RESULTS]
    is_over = step.status is StepStatus.ACCEPTED
    return Trouble(
        step=step.id,
        path=clean_line(path_of(run, step.id)),
        status=step.status,
        cause=_cause(step, bad),
        tries=sum(note.result in {"refused", "failed"} for note in _one_per_attempt(bad)),
        is_over=is_over,
    )


def _one_per_attempt(notes: list[AttemptNote]) -> list[AttemptNote]:
    """A refused reply and the failed attempt it ends are one try."""
    return list({note.activity: note for note in notes}.values())


def _cause(step: StepState, bad: list[AttemptNote]) -> str:
    if step.status is StepStatus.SKIPPED:
        return "skipped by you"
    if step.status is StepStatus.ACCEPTED:
        last = bad[-1] if bad else None
        return f"came through after: {clean_line(last.message)}" if last else "came through"
    return clean_line(step.last_error) or (
        clean_line(bad[-1].message) if bad else status_word(step.status)
    )
