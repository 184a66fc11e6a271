"""The change of one file, to read and to decide hunk by hunk.

The rule a reader must not break: what is shown is exactly what is in the diff. Nothing is hidden
without a row that says so, and the colours never change a character.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.domain.changes import FileDiff, LineKind
from orchestra_tui.domain.review import Issue
from orchestra_tui.widgets.diff_model import (
    WHOLE_FILE,
    DiffLayout,
    DiffRow,
    DiffRows,
    RowKind,
    build_rows,
)
from orchestra_tui.widgets.diff_painter import DiffPainter
from orchestra_tui.widgets.line_view import MUTED, LineView, Spans
from orchestra_tui.widgets.signs import signs_of

SPLIT_WIDTH = 120
"""From this width of the screen on, old and new stand side by side."""
_NO_ROWS = DiffRows()
_PATCH_SIGNS = {LineKind.ADDED: "+", LineKind.REMOVED: "-", LineKind.CONTEXT: " "}


class DiffView(LineView):
    """Rows of a `FileDiff`; one hunk is current, and `space` accepts or rejects it."""

    DEFAULT_CSS = """
    DiffView { background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "toggle_hunk", "accept/reject", id="diff.toggle",
            tooltip="Accept or reject this hunk",
        ),
        Binding(
            "right_square_bracket,n", "hunk(1)", "next hunk", key_display="]", id="diff.next_hunk",
            tooltip="To the next hunk (n: the next place found)",
        ),
        Binding(
            "left_square_bracket,N", "hunk(-1)", "hunk before", key_display="[", show=False,
            id="diff.previous_hunk", tooltip="To the hunk before",
        ),
    ]  # fmt: skip

    hunk: reactive[int] = reactive(0, init=False)
    """The current hunk."""

    can_decide = True
    """The run waits for decisions; the owner says so."""

    class HunkToggled(Message):
        """The user accepts or rejects a hunk; `hunk` is its id, or `*` for the whole file."""

        def __init__(self, view: "DiffView", path: str, hunk: str) -> None:
            super().__init__()
            self.view = view
            self.path = path
            self.hunk = hunk

        @property
        def control(self) -> "DiffView":
            """The view."""
            return self.view

    class HunkChosen(Message):
        """Another hunk is the current one."""

        def __init__(self, view: "DiffView", hunk: int) -> None:
            super().__init__()
            self.view = view
            self.hunk = hunk

        @property
        def control(self) -> "DiffView":
            """The view."""
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._diff: FileDiff | None = None
        self._issues: tuple[Issue, ...] = ()
        self._rejected: frozenset[str] = frozenset()
        self._layout = DiffLayout.UNIFIED
        self._hides_whitespace = False
        self._painter: DiffPainter | None = None
        self._needle = ""
        self._empty = ""

    # --- what is shown ------------------------------------------------------------------------

    @property
    def end_row(self) -> int:
        """The number of rows."""
        return len(self.model.rows) or 1

    @property
    def diff_shown(self) -> FileDiff | None:
        """The file that is shown."""
        return self._diff

    @property
    def model(self) -> DiffRows:
        """The rows as they stand."""
        return self._painter.model if self._painter is not None else _NO_ROWS

    def show_nothing(self, words: str) -> None:
        """Say why there is no diff."""
        self._diff, self._painter, self._empty = None, None, words
        self.forget_rows()

    def show_file(
        self, diff: FileDiff, *, issues: Sequence[Issue] = (), rejected: Sequence[str] = ()
    ) -> None:
        """Show this file; the place is kept while it is the same one."""
        is_same_file = self._diff is not None and self._diff.path == diff.path
        is_same = is_same_file and self._diff == diff and tuple(issues) == self._issues
        self._rejected = frozenset(rejected)
        if is_same and self._painter is not None:
            if self._painter.rejected != self._rejected:
                self._painter.rejected = self._rejected
                self.forget_rows()
            return
        self._diff, self._issues = diff, tuple(issues)
        if not is_same_file:
            self.set_reactive(DiffView.hunk, 0)
            self.set_reactive(LineView.top, 0)
        self._build()

    def set_layout(self, layout: DiffLayout, *, hides_whitespace: bool) -> None:
        """Unified or side by side; the line at the top stays where it is, as far as it can."""
        if layout is self._layout and hides_whitespace == self._hides_whitespace:
            return
        self._layout, self._hides_whitespace = layout, hides_whitespace
        self._build()

    def search(self, needle: str) -> int:
        """Mark every place of `needle` (case-insensitive) and go to the first; how many rows."""
        self._needle = needle.casefold()
        if self._painter is not None:
            self._painter.needle = self._needle
        self.forget_rows()
        found = self._found_rows()
        if found:
            later = [row for row in found if row >= self.top]
            self.show_row(later[0] if later else found[0], margin=3)
        return len(found)

    @property
    def is_searching(self) -> bool:
        """A search is marked."""
        return bool(self._needle)

    # --- actions ------------------------------------------------------------------------------

    def action_hunk(self, step: int) -> None:
        """Go to the next hunk, or to the next place that was searched for."""
        if self._needle:
            self._next_found(step)
            return
        shown = [n for n, row in enumerate(self.model.hunk_rows) if row >= 0]
        later = [n for n in shown if (n > self.hunk if step > 0 else n < self.hunk)]
        if later:
            self.hunk = later[0] if step > 0 else later[-1]
            self._show_hunk()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Deciding is for a review."""
        if action == "toggle_hunk":
            return self.can_decide or None
        return super().check_action(action, parameters)

    def action_toggle_hunk(self) -> None:
        """Accept or reject the current hunk, or the whole of a file without hunks."""
        if self._diff is None:
            return
        hunks = self._diff.hunks
        chosen = hunks[self.hunk].id if self.hunk < len(hunks) else WHOLE_FILE
        self.post_message(self.HunkToggled(self, self._diff.path, chosen))

    def watch_hunk(self, hunk: int) -> None:
        """The current hunk is marked."""
        if self._painter is not None:
            self._painter.hunk = hunk
        self.forget_rows()
        self.post_message(self.HunkChosen(self, hunk))

    def watch_top(self) -> None:
        """The current hunk is one that can be seen."""
        last = self.top + self.size.height
        row = self.top
        spans = [
            (start, self._hunk_end(n)) for n, start in enumerate(self.model.hunk_rows)
        ]  # fmt: skip
        if self.hunk < len(spans):
            start, end = spans[self.hunk]
            if start < last and end > row:
                return
        for n, (start, end) in enumerate(spans):
            if start >= 0 and end > row:
                self.hunk = n
                return

    def fit_width(self) -> None:
        """Rows are made for a width."""
        self._build()

    def on_click(self, event: events.Click) -> None:
        """A click makes its hunk the current one; a second one on the head decides it."""
        row = self.top + event.y
        if not 0 <= row < len(self.model.rows) or self.model.rows[row].hunk < 0:
            return
        self.hunk = self.model.rows[row].hunk
        if event.chain > 1 and self.model.rows[row].kind is RowKind.HUNK:
            self.action_toggle_hunk()

    def copy_text(self) -> str:
        """The current hunk as in a patch."""
        if self._diff is None or self.hunk >= len(self._diff.hunks):
            return ""
        start = self.model.hunk_rows[self.hunk]
        lines = [self.model.rows[start].text] if start >= 0 else []
        for line in self._diff.hunks[self.hunk].lines:
            lines.append(_PATCH_SIGNS[line.kind] + line.text.removesuffix("\n"))
        return "\n".join(lines)

    # --- drawing ------------------------------------------------------------------------------

    def row_spans(self, row: int) -> Spans:
        """One row of the diff."""
        if self._painter is None:
            return ((self._empty, f"{MUTED} italic"),)
        return self._painter.spans(self.model.rows[row], self.size.width)

    def row_style(self, row: int) -> str:
        """What lies under a row."""
        return self._painter.under(self.model.rows[row]) if self._painter is not None else ""

    def copy_column(self, row: int) -> int:
        """Line numbers and signs are not copied."""
        if self._painter is None or self.model.rows[row].kind is not RowKind.LINE:
            return 0
        return self._painter.gutter()

    def starts_line(self, row: int) -> bool:
        """False for a row that continues a long line."""
        if self._painter is None:
            return True
        found = self.model.rows[row]
        side = found.right or found.left
        return found.kind is not RowKind.LINE or side is None or side.is_first

    # --- places -------------------------------------------------------------------------------

    def _build(self) -> None:
        if self._diff is None or not self.size.width:
            return
        old = self.model.rows
        anchor = old[self.top] if self.top < len(old) else None
        model = build_rows(
            self._diff,
            layout=self._layout,
            width=self.size.width,
            issues=self._issues,
            hides_whitespace=self._hides_whitespace,
        )
        self._painter = DiffPainter(
            diff=self._diff,
            model=model,
            layout=self._layout,
            rejected=self._rejected,
            needle=self._needle,
            hunk=self.hunk,
            signs=signs_of(self.app),
        )
        self.forget_rows()
        if anchor is not None and anchor.hunk >= 0 and self.top > 0:
            self.top = self._row_like(anchor)
        self.top = self.validate_top(self.top)

    def _row_like(self, anchor: DiffRow) -> int:
        wanted = anchor.right or anchor.left
        starts = self.model.hunk_rows
        start = starts[anchor.hunk] if anchor.hunk < len(starts) else 0
        for at in range(max(0, start), len(self.model.rows)):
            row = self.model.rows[at]
            for side in (row.left, row.right):
                if side and wanted and (side.kind, side.number) == (wanted.kind, wanted.number):
                    return at
        return max(0, start)

    def _show_hunk(self) -> None:
        start = self.model.hunk_rows[self.hunk]
        end = self._hunk_end(self.hunk)
        if end - start <= self.size.height:
            self.show_row(end - 1)
            self.show_row(start)
        else:
            self.top = start

    def _hunk_end(self, hunk: int) -> int:
        later = [row for row in self.model.hunk_rows[hunk + 1 :] if row >= 0]
        return later[0] if later else len(self.model.rows)

    def _next_found(self, step: int) -> None:
        found = self._found_rows()
        middle = self.top + min(3, self.size.height // 2)
        later = [row for row in found if (row > middle if step > 0 else row < middle)]
        if later:
            self.show_row(later[0] if step > 0 else later[-1], margin=3)
            self.top = (later[0] if step > 0 else later[-1]) - min(3, self.size.height // 2)

    def _found_rows(self) -> list[int]:
        if not self._needle:
            return []
        return [
            at
            for at, row in enumerate(self.model.rows)
            if any(side and self._needle in side.text.casefold() for side in (row.left, row.right))
        ]
