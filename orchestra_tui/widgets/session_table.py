"""The list of stored sessions: sign, task, files, cost, age, and the project if it is another."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.message import Message

from orchestra_tui.domain.money import money_cell
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.widgets.cells import age_text, fit, fit_path, fit_right
from orchestra_tui.widgets.figures import count_text
from orchestra_tui.widgets.row_list import Row, RowList
from orchestra_tui.widgets.signs import Signs, phase_word, session_sign, signs_of

_FILES, _COST, _AGE, _PROJECT, _NOTE = 9, 10, 13, 22, 24
_WIDE = 92


class SessionTable(RowList):
    """One row per session, newest first. Enter posts `Opened`."""

    class Opened(Message):
        """The user wants to look at this session."""

        def __init__(self, summary: SessionSummary) -> None:
            super().__init__()
            self.summary = summary

    def __init__(self, *, id: str | None = None, root: str = "") -> None:
        super().__init__(id=id)
        self._summaries: tuple[SessionSummary, ...] = ()

    @property
    def selected(self) -> SessionSummary | None:
        """The session under the cursor."""
        if self.highlighted is None or self.highlighted >= len(self._summaries):
            return None
        return self._summaries[self.highlighted]

    def show_sessions(
        self, summaries: Sequence[SessionSummary], *, now: datetime, root: str
    ) -> None:
        """Show these sessions; those of another folder than `root` name their project. The
        highlight stays on its session, wherever that stands now."""
        before = self.selected
        self._summaries = tuple(summaries)
        signs = signs_of(self.app)
        ids = [(summary.root, summary.id) for summary in summaries]
        mine = (before.root, before.id) if before is not None else None
        rows = [_row(summary, now, root, signs) for summary in summaries]
        self.show_rows(rows, highlight=ids.index(mine) if mine in ids else None)

    def action_select(self) -> None:
        """Open the session under the cursor, at once: the list may change behind the key."""
        if summary := self.selected:
            self.post_message(self.Opened(summary))


def _row(summary: SessionSummary, now: datetime, root: str, signs: Signs) -> Row:
    def draw(width: int) -> Content:
        is_wide = width >= _WIDE
        fixed = 2 + _FILES + _COST + _AGE + (_NOTE if is_wide else 0)
        title_width = max(width - fixed - 2, 10)
        parts: list[Content | tuple[str, str]] = [
            session_sign(summary, signs),
            (" ", ""),
            (fit(summary.title, title_width), ""),
            (fit_right(_files(summary), _FILES), "$muted"),
            (fit_right(_cost(summary), _COST), "$muted"),
            (fit_right(age_text(summary.last_at, now), _AGE), "$muted"),
        ]
        if is_wide:
            parts.append((f"  {_note(summary, root, _NOTE - 2)}", "$muted"))
        return Content.assemble(*parts)

    return draw


def _files(summary: SessionSummary) -> str:
    if not summary.files_total:
        return ""
    if summary.files_done == summary.files_total:
        return f"{summary.files_total} file{'s' if summary.files_total > 1 else ''}"
    return f"{summary.files_done}/{summary.files_total}"


def _cost(summary: SessionSummary) -> str:
    """Money; tokens where none was spent or counted."""
    if summary.cost is not None and (summary.cost.usd or summary.cost.unknown):
        return money_cell(summary.cost)
    return count_text(summary.tokens) if summary.tokens else ""


def _note(summary: SessionSummary, root: str, width: int) -> str:
    if summary.root != root:
        return fit_path(summary.root, width)
    word = summary.outcome.value if summary.outcome else phase_word(summary.phase)
    return fit(word, width)
