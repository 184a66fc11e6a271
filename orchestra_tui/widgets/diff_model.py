"""A file's change as rows to show: unified or side by side, wrapped, with issues at their lines.

The rule a reader must not break: pure, and linear in the lines of the diff. Text in rows is clean
and without tabs; what differs only in its line end or final newline is made visible.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestra_tui.domain.changes import DiffLine, FileDiff, Hunk, LineKind
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.domain.text import clean, clean_line
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.line_buffer import expand_tabs, wrap_cells, wrap_words

WHOLE_FILE = "*"
"""Rejected instead of hunk ids: the whole change, also of a file without hunks."""
CARRIAGE_RETURN = "␍"
_NO_NEWLINE = " ⊣ no newline at the end"


class DiffLayout(StrEnum):
    """How old and new stand."""

    UNIFIED = "unified"
    SPLIT = "split"


class RowKind(StrEnum):
    """What a row is."""

    HUNK = "hunk"
    LINE = "line"
    ISSUE = "issue"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Side:
    """A piece of one line of the diff: its text from `start` on, as it fits one row.

    `index` is the place of the line among the lines of its side of the hunk; `partner` is the
    text of the line it replaces or is replaced by.
    """

    kind: LineKind
    number: int | None
    text: str
    start: int
    index: int
    partner: str | None = None

    @property
    def is_first(self) -> bool:
        """False for a row that continues a long line."""
        return self.start == 0


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row. A line in the unified layout has one side: `left` if removed, else `right`."""

    kind: RowKind
    hunk: int = -1
    left: Side | None = None
    right: Side | None = None
    text: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class DiffRows:
    """The rows of one file. `hunk_rows[n]` is the row at which hunk `n` begins, -1 if hidden."""

    rows: tuple[DiffRow, ...] = ()
    hunk_rows: tuple[int, ...] = ()
    number_width: int = 1
    half_width: int = 0
    """Cells of text on one side."""


def shown_text(line: DiffLine) -> str:
    """A line as it is shown: no newline, a visible carriage return where the line was changed."""
    text = line.text
    is_changed = line.kind is not LineKind.CONTEXT
    suffix = ""
    if text.endswith("\n"):
        text = text[:-1]
        if text.endswith("\r"):
            text = text[:-1]
            suffix = CARRIAGE_RETURN if is_changed else ""
    elif is_changed:
        suffix = _NO_NEWLINE
    if text.isascii() and text.isprintable():
        return text + suffix
    return expand_tabs(clean(text)) + suffix


def hunk_sides(hunk: Hunk) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The old and the new lines of a hunk as they are shown, for colouring."""
    old = tuple(shown_text(line) for line in hunk.lines if line.kind is not LineKind.ADDED)
    new = tuple(shown_text(line) for line in hunk.lines if line.kind is not LineKind.REMOVED)
    return old, new


def number_width(diff: FileDiff) -> int:
    """Digits of the largest line number."""
    ends = [max(h.old_start + h.old_lines, h.new_start + h.new_lines) for h in diff.hunks]
    return max(2, len(str(max(ends, default=1))))


def build_rows(
    diff: FileDiff,
    *,
    layout: DiffLayout,
    width: int,
    issues: Sequence[Issue] = (),
    hides_whitespace: bool = False,
) -> DiffRows:
    """The rows of a file's change for a view of `width` cells."""
    digits = number_width(diff)
    # Split: the bar, two times number, sign and text, and the line between them.
    is_split = layout is DiffLayout.SPLIT
    half = max(4, (width - 2) // 2 - digits - 3 if is_split else width - 2 * digits - 5)
    rows = [row for text in file_notes(diff) for row in _note_rows(text, width)]
    by_line: dict[int, list[Issue]] = {}
    for issue in issues:
        by_line.setdefault(issue.line or 0, []).append(issue)
    placed = _placed_lines(diff, hides_whitespace=hides_whitespace)
    for number in sorted(by_line):
        if number not in placed:
            rows += _issue_rows(by_line[number], width, says_line=number > 0)
    starts: list[int] = []
    for index, hunk in enumerate(diff.hunks):
        if hides_whitespace and hunk.is_whitespace_only:
            starts.append(-1)
            continue
        starts.append(len(rows))
        rows.append(DiffRow(RowKind.HUNK, hunk=index, text=hunk_title(hunk)))
        for row in _hunk_rows(hunk, index, layout, half):
            rows.append(row)
            new = row.right
            if new is not None and new.is_first and new.number and new.number in by_line:
                rows += _issue_rows(by_line.pop(new.number), width, hunk=index)
    hidden = starts.count(-1)
    if hidden:
        text = f"{plural(hidden, 'hunk')} with white space only hidden (w shows)"
        rows += _note_rows(text, width)
    return DiffRows(tuple(rows), tuple(starts), digits, half)


def hunk_title(hunk: Hunk) -> str:
    """The place of a hunk, as in a unified diff."""
    return f"@@ -{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines} @@"


def file_notes(diff: FileDiff) -> tuple[str, ...]:
    """What must be said of a file besides its lines."""
    notes = []
    if diff.kind is ChangeKind.RENAME and diff.old_path:
        notes.append(f"renamed from {clean_line(diff.old_path)}")
    if diff.is_binary:
        sides = f"{(diff.old_hash or 'nothing')[:10]} → {(diff.new_hash or 'nothing')[:10]}"
        notes.append(f"binary file: {sides}; taken or left as a whole (space)")
    elif diff.is_too_large:
        notes.append("too large to compare here; taken or left as a whole (space)")
    elif diff.is_whole:
        what = {
            ChangeKind.CREATE: "an empty file is created",
            ChangeKind.DELETE: "an empty file is deleted",
            ChangeKind.RENAME: "renamed without an edit",
        }.get(diff.kind, "nothing but its mode changed")
        notes.append(f"{what}; taken or left as a whole (space)")
    return tuple(notes)


def emphasis(text: str, partner: str | None) -> tuple[int, int]:
    """The part of `text` that differs from its partner; `(0, 0)` where a mark would not help.

    Common beginning and end only: cheap, and right for the usual edit inside a line.
    """
    if not partner or not text or text == partner:
        return 0, 0
    limit = min(len(text), len(partner))
    start = 0
    while start < limit and text[start] == partner[start]:
        start += 1
    tail = 0
    while tail < limit - start and text[-1 - tail] == partner[-1 - tail]:
        tail += 1
    # Indentation in common says nothing; most of the words must be the same.
    same = len(text[:start].strip()) + tail
    if same * 3 < len(text.strip()):
        return 0, 0
    return start, len(text) - tail


def _placed_lines(diff: FileDiff, *, hides_whitespace: bool) -> set[int]:
    return {
        line.new_number
        for hunk in diff.hunks
        if not (hides_whitespace and hunk.is_whitespace_only)
        for line in hunk.lines
        if line.new_number is not None and line.kind is not LineKind.REMOVED
    }


def _note_rows(text: str, width: int) -> list[DiffRow]:
    return [DiffRow(RowKind.NOTE, text=piece) for piece in wrap_words(text, max(8, width - 4))]


def _issue_rows(
    issues: Iterable[Issue], width: int, *, hunk: int = -1, says_line: bool = False
) -> list[DiffRow]:
    rows = []
    for issue in issues:
        where = f"line {issue.line}: " if says_line else ""
        text = f"{where}{issue.severity.value}: {clean_line(issue.message)}"
        if issue.suggestion:
            text += f" → {clean_line(issue.suggestion)}"
        for at, piece in enumerate(wrap_words(text, max(8, width - 6))):
            shown = piece if at == 0 else f"  {piece}"
            rows.append(DiffRow(RowKind.ISSUE, hunk, text=shown, severity=issue.severity))
    return rows


def _hunk_rows(hunk: Hunk, index: int, layout: DiffLayout, width: int) -> Iterator[DiffRow]:
    removed: list[Side] = []
    added: list[Side] = []
    at_old = at_new = 0
    for line in hunk.lines:
        text = shown_text(line)
        match line.kind:
            case LineKind.REMOVED:
                if added:
                    yield from _change_rows(removed, added, index, layout, width)
                    removed, added = [], []
                removed.append(Side(line.kind, line.old_number, text, 0, at_old))
                at_old += 1
            case LineKind.ADDED:
                added.append(Side(line.kind, line.new_number, text, 0, at_new))
                at_new += 1
            case LineKind.CONTEXT:
                if removed or added:
                    yield from _change_rows(removed, added, index, layout, width)
                    removed, added = [], []
                left = Side(line.kind, line.old_number, text, 0, at_old)
                right = Side(line.kind, line.new_number, text, 0, at_new)
                yield from _pair_rows(left, right, index, width)
                at_old += 1
                at_new += 1
    yield from _change_rows(removed, added, index, layout, width)


def _change_rows(
    removed: Sequence[Side], added: Sequence[Side], hunk: int, layout: DiffLayout, width: int
) -> Iterator[DiffRow]:
    old = _with_partners(removed, added)
    new = _with_partners(added, removed)
    if layout is DiffLayout.UNIFIED:
        for side in old:
            yield from _pair_rows(side, None, hunk, width)
        for side in new:
            yield from _pair_rows(None, side, hunk, width)
        return
    for at in range(max(len(old), len(new))):
        left = old[at] if at < len(old) else None
        right = new[at] if at < len(new) else None
        yield from _pair_rows(left, right, hunk, width)


def _with_partners(sides: Sequence[Side], others: Sequence[Side]) -> list[Side]:
    """Each side with the text of the line at the same place among the others."""
    paired = [
        Side(side.kind, side.number, side.text, 0, side.index, other.text)
        for side, other in zip(sides, others, strict=False)
    ]
    return [*paired, *sides[len(paired) :]]


def _pair_rows(left: Side | None, right: Side | None, hunk: int, width: int) -> Iterator[DiffRow]:
    if (left is None or _fits(left.text, width)) and (right is None or _fits(right.text, width)):
        yield DiffRow(RowKind.LINE, hunk, left, right)
        return
    old = _pieces(left, width) if left is not None else []
    new = _pieces(right, width) if right is not None else []
    for at in range(max(len(old), len(new))):
        yield DiffRow(
            RowKind.LINE,
            hunk,
            old[at] if at < len(old) else None,
            new[at] if at < len(new) else None,
        )


def _fits(text: str, width: int) -> bool:
    if text.isascii():
        return len(text) <= width
    return len(wrap_cells(text, width)) == 1


def _pieces(side: Side, width: int) -> list[Side]:
    pieces = []
    start = 0
    for text in wrap_cells(side.text, width):
        pieces.append(Side(side.kind, side.number, text, start, side.index))
        start += len(text)
    return pieces
