"""A text with line numbers, syntax colours, and findings below the lines they speak of."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.text import clean, clean_line
from orchestra_tui.widgets.line_buffer import expand_tabs, wrap_cells, wrap_words
from orchestra_tui.widgets.line_view import MUTED, LineView, Spans
from orchestra_tui.widgets.signs import signs_of
from orchestra_tui.widgets.syntax_colours import SyntaxColours, slice_spans


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    """The index of the line; -1 for a row that is no text."""
    start: int
    text: str


class SourceView(LineView):
    """One version of a file; `show_line` brings a line into view."""

    DEFAULT_CSS = """
    SourceView { background: transparent; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words = ""
        self._path = ""
        self._text: str | None = None
        self._diagnostics: tuple[Diagnostic, ...] = ()
        self._lines: list[str] = []
        self._rows: list[_Row] = []
        self._colours: SyntaxColours | None = None

    @property
    def end_row(self) -> int:
        """The number of rows."""
        return len(self._rows) or 1

    def show_words(self, words: str) -> None:
        """Say why there is no text."""
        self._text, self._rows, self._words = None, [], words
        self.forget_rows()

    def show_text(self, path: str, text: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        """Show this text of a file, from its first finding on."""
        shown = (path, text, tuple(diagnostics))
        if shown == (self._path, self._text, self._diagnostics):
            return
        self._path, self._text, self._diagnostics = path, text, tuple(diagnostics)
        lines = clean(text).split("\n")
        if lines and not lines[-1]:
            lines.pop()
        self._lines = [expand_tabs(line) for line in lines]
        self._colours = SyntaxColours(path, self._lines)
        self._words = "the file is empty"
        self._build()
        first = next((found.line for found in self._diagnostics if found.line), 1)
        self.top = 0
        self.show_line(first)

    def show_line(self, line: int) -> None:
        """Bring a line, counted from 1, into view; 0 does nothing."""
        for at, row in enumerate(self._rows):
            if line and row.line == line - 1:
                self.show_row(at, margin=4)
                return

    def fit_width(self) -> None:
        """Rows are made for a width."""
        self._build()

    def row_spans(self, row: int) -> Spans:
        """A line with its number, or a finding."""
        if not self._rows:
            return ((f" {self._words}", f"{MUTED} italic"),)
        found = self._rows[row]
        digits = self._digits
        if found.line < 0 or self._colours is None:
            sign = " " if found.text.startswith(" ") else signs_of(self.app).needs_user
            return ((f"{'':>{digits}} {sign} ", "$text-error"), (found.text, "$text-error"))
        number = f"{found.line + 1:>{digits}} " if not found.start else " " * (digits + 1)
        spans = self._colours.line(found.line)
        end = found.start + len(found.text)
        return [(f"{number} ", MUTED), *slice_spans(spans, found.start, end)]

    def row_style(self, row: int) -> str:
        """Findings and the lines they speak of stand out."""
        if not self._rows:
            return ""
        line = self._rows[row].line
        if line < 0:
            return "on $error 12%"
        return "on $error 12%" if line + 1 in {d.line for d in self._diagnostics} else ""

    def copy_column(self, row: int) -> int:
        """Line numbers are not copied."""
        return self._digits + 2 if self._rows else 0

    def starts_line(self, row: int) -> bool:
        """False for a row that continues a long line."""
        return not self._rows or not self._rows[row].start

    @property
    def _digits(self) -> int:
        return max(2, len(str(len(self._lines))))

    def _build(self) -> None:
        width = self.size.width - self._digits - 2
        if self._text is None or width < 4:
            return
        notes: dict[int, list[str]] = {}
        for found in self._diagnostics:
            place = min(found.line or 0, len(self._lines))
            text = f"{clean_line(found.kind)}: {clean_line(found.message)}"
            notes.setdefault(place, []).append(text)
        rows = [row for text in notes.get(0, ()) for row in _note_rows(text, width)]
        for at, line in enumerate(self._lines):
            start = 0
            for piece in wrap_cells(line, width):
                rows.append(_Row(at, start, piece))
                start += len(piece)
            for note in notes.get(at + 1, ()):
                rows += _note_rows(note, width)
        self._rows = rows
        self.forget_rows()
        self.top = self.validate_top(self.top)


def _note_rows(text: str, width: int) -> list[_Row]:
    pieces = wrap_words(text, max(8, width - 4))
    return [_Row(-1, 0, piece if at == 0 else f"  {piece}") for at, piece in enumerate(pieces)]
