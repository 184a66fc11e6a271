"""A text as rows for a width: lines cut at cells, findings below the lines they speak of. Pure.

The rule a reader must not break: this may run in a thread, so that a text of any size never holds
the screen up; nothing in here touches a widget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.text import clean, clean_line
from orchestra_tui.widgets.line_buffer import expand_tabs, wrap_cells, wrap_words

MAX_LINE = 4_000
"""Characters of one line that are shown."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: a piece of a line, or with `line` -1 a piece of a finding."""

    line: int
    start: int
    text: str


@dataclass(frozen=True)
class SourceRows:
    """A text made ready for one width."""

    lines: tuple[str, ...] = ()
    rows: tuple[SourceRow, ...] = ()
    found_lines: tuple[int, ...] = ()
    """The lines with findings, from 0, in order."""

    @property
    def digits(self) -> int:
        """Cells that the largest line number takes."""
        return digits_of(len(self.lines))


def digits_of(count: int) -> int:
    """Cells for line numbers up to `count`."""
    return max(2, len(str(count)))


def source_rows(text: str, diagnostics: Sequence[Diagnostic], width: int) -> SourceRows:
    """The rows of `text` in a widget of `width` cells, line numbers included."""
    raw = text.replace("\r\n", "\n").split("\n")
    if raw and not raw[-1]:
        raw.pop()
    lines = tuple(_shown(line) for line in raw)
    room = width - digits_of(len(lines)) - 3
    if room < 4:
        return SourceRows(lines)
    notes = _notes(diagnostics, len(lines))
    rows = [row for note in notes.get(0, ()) for row in _note_rows(note, room)]
    for at, line in enumerate(lines):
        start = 0
        for piece in wrap_cells(line, room):
            rows.append(SourceRow(at, start, piece))
            start += len(piece)
        for note in notes.get(at + 1, ()):
            rows += _note_rows(note, room)
    found = tuple(sorted(max(0, line - 1) for line in notes))
    return SourceRows(lines, tuple(rows), found)


def _shown(line: str) -> str:
    more = len(line) - MAX_LINE
    if more > 0:
        line = f"{line[:MAX_LINE]} … {more} more characters in this line"
    return expand_tabs(clean(line))


def _notes(diagnostics: Sequence[Diagnostic], count: int) -> dict[int, list[str]]:
    """Line from 1 (0 is the whole file) -> what is said of it."""
    notes: dict[int, list[str]] = {}
    for found in diagnostics:
        place = min(max(0, found.line or 0), count)
        notes.setdefault(place, []).append(f"{clean_line(found.kind)}: {clean_line(found.message)}")
    return notes


def _note_rows(text: str, width: int) -> list[SourceRow]:
    pieces = wrap_words(text, max(8, width - 2))
    return [SourceRow(-1, 0, piece if at == 0 else f"  {piece}") for at, piece in enumerate(pieces)]
