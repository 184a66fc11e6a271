"""How the rows of a diff look: numbers, signs, colours, marks. Reads, never decides.

The rule a reader must not break: the spans of a row join to exactly the text of the diff; colours
and marks never change a character.
"""

from dataclasses import dataclass, field

from orchestra_tui.domain.changes import FileDiff, LineKind
from orchestra_tui.domain.review import Severity
from orchestra_tui.widgets.diff_model import (
    WHOLE_FILE,
    DiffLayout,
    DiffRow,
    DiffRows,
    RowKind,
    Side,
    emphasis,
    hunk_sides,
)
from orchestra_tui.widgets.line_view import MUTED, Span, Spans, over
from orchestra_tui.widgets.pick_list import justify
from orchestra_tui.widgets.signs import UNICODE, Signs
from orchestra_tui.widgets.syntax_colours import SyntaxColours, mark_spans, slice_spans

_UNDER = {LineKind.ADDED: "on $success 14%", LineKind.REMOVED: "on $error 14%"}
_MARK = {LineKind.ADDED: "on $success 34%", LineKind.REMOVED: "on $error 34%"}
_FOUND = "on $warning 45%"
_SIGN = {LineKind.ADDED: "+", LineKind.REMOVED: "-", LineKind.CONTEXT: " "}
_NUMBER = {
    LineKind.ADDED: "$text-success",
    LineKind.REMOVED: "$text-error",
    LineKind.CONTEXT: MUTED,
}


@dataclass
class DiffPainter:
    """What the look of a row depends on. `needle` is casefolded, empty without a search."""

    diff: FileDiff
    model: DiffRows
    layout: DiffLayout
    rejected: frozenset[str] = frozenset()
    needle: str = ""
    hunk: int = 0
    """The current hunk."""
    signs: Signs = UNICODE
    _colours: dict[int, tuple[SyntaxColours, SyntaxColours]] = field(default_factory=dict)

    def spans(self, row: DiffRow, width: int) -> Spans:
        """One row in `width` cells."""
        match row.kind:
            case RowKind.HUNK:
                return self._hunk_spans(row, width)
            case RowKind.LINE:
                return self._line_spans(row)
            case RowKind.ISSUE:
                return self._issue_spans(row)
            case RowKind.NOTE:
                return ((f"  {row.text}", f"{MUTED} italic"),)

    def under(self, row: DiffRow) -> str:
        """The style below a row: heads of hunks stand out; unified lines have their colour."""
        if row.kind is RowKind.HUNK:
            return "on $primary 22%" if self.is_current(row) else "on $foreground 7%"
        if row.kind is RowKind.LINE and self.layout is DiffLayout.UNIFIED:
            side = row.right or row.left
            if side is not None and not self.is_rejected(row.hunk):
                return _UNDER.get(side.kind, "")
        return ""

    def gutter(self) -> int:
        """Cells before the text of a line."""
        digits = self.model.number_width
        return digits + 4 if self.layout is DiffLayout.SPLIT else 2 * digits + 5

    def is_current(self, row: DiffRow) -> bool:
        """The row belongs to the current hunk."""
        return row.hunk == self.hunk and row.hunk >= 0

    def is_rejected(self, hunk: int) -> bool:
        """The hunk will leave the working file."""
        if WHOLE_FILE in self.rejected:
            return True
        return 0 <= hunk < len(self.diff.hunks) and self.diff.hunks[hunk].id in self.rejected

    def _bar(self, row: DiffRow) -> Span:
        return ("▎", "$accent") if self.is_current(row) else (" ", "")

    def _hunk_spans(self, row: DiffRow, width: int) -> Spans:
        signs = self.signs
        if self.is_rejected(row.hunk):
            verdict = (f"{signs.failed} rejected ", "$text-error bold")
        else:
            verdict = (f"{signs.accepted} accepted ", "$text-success bold")
        count = len(self.diff.hunks)
        place = f"hunk {row.hunk + 1}/{count}"
        left = [self._bar(row), (f"{row.text}  ", MUTED), (place, "")]
        return justify(left, [verdict], width)

    def _issue_spans(self, row: DiffRow) -> Spans:
        is_bad = row.severity in {Severity.ERROR, Severity.CRITICAL}
        style = "$text-error" if is_bad else "$text-warning"
        sign = " " if row.text.startswith("  ") else self.signs.needs_user
        return (self._bar(row), (f"  {sign} ", style), (row.text, style))

    def _line_spans(self, row: DiffRow) -> Spans:
        digits = self.model.number_width
        if self.layout is DiffLayout.SPLIT:
            half = self.model.half_width
            return [
                self._bar(row),
                *self._side_spans(row, row.left, digits, half),
                ("│", "$foreground 20%"),
                *self._side_spans(row, row.right, digits, half),
            ]
        side = row.right or row.left
        if side is None:
            return ()
        old = row.left.number if row.left is not None and row.left.is_first else None
        new = row.right.number if row.right is not None and row.right.is_first else None
        numbers = f"{_number(old, digits)} {_number(new, digits)} "
        sign = _SIGN[side.kind] if side.is_first else " "
        style = MUTED if self.is_rejected(row.hunk) else _NUMBER[side.kind]
        return [
            self._bar(row),
            (numbers, MUTED),
            (f"{sign} ", style),
            *self._text_spans(row, side),
        ]

    def _side_spans(self, row: DiffRow, side: Side | None, digits: int, half: int) -> list[Span]:
        """One side of the split layout, in exactly its cells."""
        room = digits + 3 + half
        if side is None:
            return [(" " * room, "on $foreground 3%")]
        is_rejected = self.is_rejected(row.hunk)
        under = "" if is_rejected else _UNDER.get(side.kind, "")
        number = _number(side.number if side.is_first else None, digits)
        sign = _SIGN[side.kind] if side.is_first else " "
        spans: list[Span] = [
            (f"{number} ", MUTED),
            (f"{sign} ", MUTED if is_rejected else _NUMBER[side.kind]),
            *self._text_spans(row, side),
        ]
        return [(text, over(under, style)) for text, style in justify(spans, (), room)]

    def _text_spans(self, row: DiffRow, side: Side) -> list[Span]:
        if self.is_rejected(row.hunk) and side.kind is not LineKind.CONTEXT:
            style = f"{MUTED} strike" if side.kind is LineKind.ADDED else MUTED
            return self._marked([(side.text, style)])
        old, new = self._colours_of(row.hunk)
        colours = old if side.kind is LineKind.REMOVED or side is row.left else new
        spans = slice_spans(colours.line(side.index), side.start, side.start + len(side.text))
        start, end = emphasis(side.text, side.partner)
        return self._marked(mark_spans(spans, start, end, _MARK.get(side.kind, "")))

    def _marked(self, spans: list[Span]) -> list[Span]:
        """Spans with the places of the search marked."""
        if not self.needle:
            return spans
        text = "".join(piece for piece, _ in spans).casefold()
        at = text.find(self.needle)
        while at >= 0:
            end = at + len(self.needle)
            spans = mark_spans(spans, at, end, _FOUND)
            at = text.find(self.needle, end)
        return spans

    def _colours_of(self, hunk: int) -> tuple[SyntaxColours, SyntaxColours]:
        found = self._colours.get(hunk)
        if found is None:
            old, new = hunk_sides(self.diff.hunks[hunk])
            path = self.diff.path
            found = SyntaxColours(self.diff.old_path or path, old), SyntaxColours(path, new)
            self._colours[hunk] = found
        return found


def _number(number: int | None, digits: int) -> str:
    return f"{number:>{digits}}" if number is not None else " " * digits
