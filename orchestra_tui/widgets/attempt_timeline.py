"""The tries at one step, oldest first: when, what, with which result, and why."""

from collections.abc import Sequence

from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.state import AttemptNote
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.signs import Signs, signs_of

_VERBS = {
    ActivityKind.EXECUTE: "write",
    ActivityKind.FIX: "fix",
    ActivityKind.RECOVER: "recover",
    ActivityKind.MANUAL: "by hand",
    ActivityKind.AUDIT: "audit",
    ActivityKind.REVERT: "revert",
}
_GOOD = {"written", "passed"}
_BAD = {"refused", "failed", "conflict"}


class AttemptTimeline(PickList):
    """One row per attempt; its key is its place in the timeline."""

    def __init__(self, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(empty=empty, id=id)
        self._first: AttemptNote | None = None
        self._chosen_for_him = 0

    def show_attempts(self, notes: Sequence[AttemptNote]) -> None:
        """Show these attempts; the last one that went wrong is chosen until the user moves."""
        first = notes[0] if notes else None
        has_moved = first == self._first and self.cursor != self._chosen_for_him
        self._first = first
        signs = signs_of(self.app)
        kept = [at for at in range(len(notes)) if not _is_echo(notes, at)]
        self.show_rows([_row(at, notes[at], signs) for at in kept])
        if has_moved or not kept:
            return
        bad = [row for row, at in enumerate(kept) if notes[at].result in _BAD]
        self._chosen_for_him = bad[-1] if bad else len(kept) - 1
        self.cursor = self._chosen_for_him


def _is_echo(notes: Sequence[AttemptNote], at: int) -> bool:
    """The failure of an attempt whose refused reply stands right above, with the same words."""
    note, before = notes[at], notes[at - 1] if at else None
    return (
        before is not None
        and note.result == "failed"
        and before.result == "refused"
        and (note.activity, note.message) == (before.activity, before.message)
    )


def _row(at: int, note: AttemptNote, signs: Signs) -> PickRow:
    attempt = note.activity.rsplit("/", 1)[-1]
    what = f"{_VERBS.get(note.kind, note.kind.value)} {clean_line(attempt)}"
    sign, style = _look(note.result, signs)
    left: list[Span] = [
        (f"{note.at:%H:%M:%S} ", MUTED),
        (f"{what:<9} ", ""),
        (f"{sign} {clean_line(note.result)}", style),
    ]
    if note.message:
        left.append((f"  {clean_line(note.message)}", MUTED))
    right: list[Span] = []
    if note.diagnostics:
        right.append((plural(len(note.diagnostics), "finding"), "$text-warning"))
    return PickRow(key=str(at), left=tuple(left), right=tuple(right))


def _look(result: str, signs: Signs) -> Span:
    if result in _GOOD:
        return signs.accepted, "$text-success"
    match result:
        case "issues":
            return signs.fixing, "$text-warning"
        case "reverted":
            return signs.reverted, "$text-warning"
        case "conflict":
            return signs.needs_user, "$text-warning"
        case _:
            return signs.failed, "$text-error"
