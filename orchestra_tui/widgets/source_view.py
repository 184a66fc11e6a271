"""A text with line numbers, syntax colours, and findings below the lines they speak of.

The rule a reader must not break: a large text is made ready in a thread; until it is, the view
says so.
"""

import asyncio
from collections.abc import Sequence

from textual import on, work
from textual.message import Message

from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.widgets.line_view import MUTED, LineView, Spans
from orchestra_tui.widgets.signs import signs_of
from orchestra_tui.widgets.source_rows import SourceRows, source_rows
from orchestra_tui.widgets.syntax_colours import SyntaxColours, slice_spans

LARGE = 60_000
"""Characters from which on a text is made ready in a thread."""


class SourceView(LineView):
    """One version of a file; `show_line` brings a line into view, `jump` the next finding."""

    DEFAULT_CSS = """
    SourceView { background: transparent; }
    """

    class Made(Message):
        """A large text is ready to be drawn."""

        def __init__(self, view: "SourceView", made: SourceRows, asked: tuple[object, ...]) -> None:
            super().__init__()
            self.view = view
            self.made = made
            self.asked = asked

        @property
        def control(self) -> "SourceView":
            """The view."""
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words = ""
        self._path = ""
        self._text: str | None = None
        self._diagnostics: tuple[Diagnostic, ...] = ()
        self._made = SourceRows()
        self._found: frozenset[int] = frozenset()
        self._colours: SyntaxColours | None = None
        self._first_line = 0
        """The line to show once the rows are there; 0 when it was shown."""

    @property
    def end_row(self) -> int:
        """The number of rows."""
        return len(self._made.rows) or 1

    @property
    def shown_text(self) -> str | None:
        """The whole text as it was given; None while words stand in its place."""
        return self._text

    @property
    def found_lines(self) -> tuple[int, ...]:
        """The lines with findings, from 1."""
        return tuple(line + 1 for line in self._made.found_lines)

    def show_words(self, words: str) -> None:
        """Say why there is no text."""
        self._text, self._words = None, words
        self._take(SourceRows())

    def show_text(self, path: str, text: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        """Show this text of a file, from its first finding on."""
        shown = (path, text, tuple(diagnostics))
        if shown == (self._path, self._text, self._diagnostics):
            return
        self._path, self._text, self._diagnostics = shown
        self._words = "the file is empty"
        if len(text) >= LARGE:
            # What stood here is another text: it must not be taken for this one.
            self._take(SourceRows())
        self._first_line = next((found.line for found in self._diagnostics if found.line), 1)
        self._build()

    def show_line(self, line: int) -> None:
        """Bring a line, counted from 1, into view; 0 does nothing."""
        if not line:
            return
        if not self._made.rows:
            self._first_line = line
            return
        for at, row in enumerate(self._made.rows):
            if row.line == line - 1:
                self.show_row(at, margin=4)
                return

    def jump(self, step: int, line: int) -> int:
        """The line of the finding after (`step` 1) or before (-1) `line`, round the ends; it is
        brought into view. 0 if there is none."""
        lines = self.found_lines
        if not lines:
            return 0
        if step > 0:
            line = next((found for found in lines if found > line), lines[0])
        else:
            line = next((found for found in reversed(lines) if found < line), lines[-1])
        self.show_line(line)
        return line

    def fit_width(self) -> None:
        """Rows are made for a width."""
        self._build()

    def row_spans(self, row: int) -> Spans:
        """A line with its number and a sign where something was found, or a finding."""
        if not self._made.rows:
            return ((f" {self._words}", f"{MUTED} italic"),)
        found = self._made.rows[row]
        digits = self._made.digits
        if found.line < 0 or self._colours is None:
            return ((f"{'':>{digits}}   ", ""), (found.text, "$text-error"))
        number = f"{found.line + 1:>{digits}}" if not found.start else " " * digits
        is_found = found.line in self._found and not found.start
        mark = signs_of(self.app).needs_user if is_found else " "
        spans = slice_spans(
            self._colours.line(found.line), found.start, found.start + len(found.text)
        )
        return [(number, MUTED), (f" {mark} ", "$text-error bold"), *spans]

    def row_style(self, row: int) -> str:
        """Findings and the lines they speak of stand out."""
        if not self._made.rows:
            return ""
        line = self._made.rows[row].line
        return "on $error 12%" if line < 0 or line in self._found else ""

    def copy_column(self, row: int) -> int:
        """Line numbers are not copied."""
        return self._made.digits + 3 if self._made.rows else 0

    def starts_line(self, row: int) -> bool:
        """False for a row that continues a long line."""
        return not self._made.rows or not self._made.rows[row].start

    def _build(self) -> None:
        width = self.size.width
        if self._text is None or width < 8:
            return
        if len(self._text) < LARGE:
            self._take(source_rows(self._text, self._diagnostics, width))
            return
        if not self._made.rows:
            self._words = "reading…"
        self._build_late(self._text, self._diagnostics, width)

    @work(group="rows", exclusive=True)
    async def _build_late(self, text: str, diagnostics: tuple[Diagnostic, ...], width: int) -> None:
        made = await asyncio.to_thread(source_rows, text, diagnostics, width)
        self.post_message(self.Made(self, made, (text, diagnostics, width)))

    @on(Made)
    def _take_late(self, event: Made) -> None:
        event.stop()
        if event.asked == (self._text, self._diagnostics, self.size.width):
            self._words = "the file is empty"
            self._take(event.made)

    def _take(self, made: SourceRows) -> None:
        is_new = made.lines != self._made.lines
        self._made = made
        self._found = frozenset(made.found_lines)
        if is_new or self._colours is None:
            self._colours = SyntaxColours(self._path, made.lines)
            self.top = 0
        self.forget_rows()
        self.top = self.validate_top(self.top)
        line, self._first_line = self._first_line, 0
        self.show_line(line)
