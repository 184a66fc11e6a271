"""The tries at one step, oldest first: when, how, who was asked, the result, what it took."""

from collections.abc import Sequence

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.attempts import RUNNING, Attempt
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.figures import count_text
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.signs import Signs, signs_of

_GOOD = {"written", "passed"}
_WHAT, _ASKED = 11, 10


class AttemptTimeline(PickList):
    """One row per attempt; its key is that of its activity."""

    def __init__(self, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(empty=empty, id=id)
        self._first = ""
        self._chosen_for_him = ""

    def show_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Show these attempts; the last one that went wrong is chosen until the user moves."""
        first = attempts[0].activity if attempts else ""
        has_moved = first == self._first and self.key != self._chosen_for_him
        self._first = first
        signs = signs_of(self.app)
        self.show_rows([_row(attempt, signs) for attempt in attempts])
        if has_moved or not attempts:
            return
        telling = [a.activity for a in attempts if a.is_bad or a.result == "issues"]
        chosen = telling[-1] if telling else attempts[-1].activity
        if chosen != self._chosen_for_him:
            self._chosen_for_him = chosen
            self.show_key(chosen)
            # What came of it stands below.
            self.top = self.cursor


def _row(attempt: Attempt, signs: Signs) -> PickRow:
    sign, style = _look(attempt.result, signs)
    clock = f"{attempt.at.astimezone():%H:%M:%S}" if attempt.at is not None else " " * 8
    left: list[Span] = [
        (f"{clock} ", MUTED),
        (fit(attempt.what, _WHAT), ""),
        (f" {fit(attempt.asked or 'nobody', _ASKED)} ", "" if attempt.asked else MUTED),
        (f"{sign} {clean_line(attempt.result)}", style),
    ]
    if attempt.message:
        left.append((f"  {clean_line(attempt.message)}", MUTED))
    return PickRow(key=attempt.activity, left=tuple(left), right=((_took(attempt), MUTED),))


def _took(attempt: Attempt) -> str:
    """Seconds and tokens in columns; empty where nobody was asked."""
    if attempt.seconds is None:
        return ""
    tokens = _tokens(attempt.usage)
    counted = f" {count_text(tokens):>5} tok" if tokens is not None else ""
    return f" {attempt.seconds:>5.1f} s{counted}"


def _tokens(usage: Usage) -> int | None:
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)


def _look(result: str, signs: Signs) -> Span:
    if result in _GOOD:
        return signs.accepted, "$text-success"
    match result:
        case "issues" | "checks fail":
            return signs.fixing, "$text-warning"
        case "reverted":
            return signs.reverted, "$text-warning"
        case "conflict":
            return signs.needs_user, "$text-warning"
        case "impossible":
            return signs.blocked, MUTED
        case _ if result == RUNNING:
            return signs.writing, "$text-warning bold"
        case _:
            return signs.failed, "$text-error"
