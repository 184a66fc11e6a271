"""Foreign text as rows of cells: cleaned, cut at a width, bounded, and fed piece by piece.

The rule a reader must not break: text comes in through `append` alone, which cleans it. A piece
may end in the middle of a line, of an escape or of `\\r\\n`; the rows are the same as if it all
had come at once.
"""

from rich.cells import cell_len, chop_cells

from orchestra_tui.domain.text import clean

TAB = 4
MAX_ROW_MARKS = 8
"""Characters a cell may hold on average before a row is cut: a pile of combining marks is wide
in memory and narrow on the screen."""
_OPEN_LIMIT = 65_536


def expand_tabs(text: str) -> str:
    """`text`, which begins at column 0, with tabs as spaces up to the next stop of 4 cells."""
    if "\t" not in text:
        return text
    if text.isascii():
        return text.expandtabs(TAB)
    first, *rest = text.split("\t")
    pieces, column = [first], cell_len(first)
    for piece in rest:
        gap = TAB - column % TAB
        pieces += [" " * gap, piece]
        column += gap + cell_len(piece)
    return "".join(pieces)


def wrap_cells(text: str, width: int) -> list[str]:
    """Rows of at most `width` cells that join to `text` again; a character is never halved.

    `text` is one clean line without tabs. At least one row comes back. A character wider than
    `width` gets a row of its own.
    """
    if not text:
        return [""]
    width = max(1, width)
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)]
    rows: list[str] = []
    limit = MAX_ROW_MARKS * width
    # rich leaves out a tail that takes no cell; it still is text somebody sent.
    chopped = [row for row in chop_cells(text, width) if row]
    if tail := text[sum(map(len, chopped)) :]:
        chopped.append(tail)
    for row in chopped:
        rows += [row[at : at + limit] for at in range(0, len(row), limit)]
    return rows


def wrap_words(text: str, width: int) -> list[str]:
    """Clean text wrapped at blanks; only a word longer than a row is cut."""
    rows: list[str] = []
    line = ""
    for word in text.split():
        wanted = f"{line} {word}" if line else word
        if len(wrap_cells(wanted, width)) == 1:
            line = wanted
            continue
        if line:
            rows.append(line)
        *full, line = wrap_cells(word, width)
        rows += full
    return [*rows, line] if line or not rows else rows


def wrap_line(text: str, width: int, last: str = "") -> list[str]:
    """The rows of a line that goes on with `text` after its row `last`.

    Tab stops count from the start of a row, so that the rows above `last` never matter.
    """
    first, *rest = text.split("\t")
    rows = wrap_cells(last + first, width)
    for piece in rest:
        end = rows.pop()
        gap = " " * (TAB - cell_len(end) % TAB)
        rows += wrap_cells(end + gap + piece, width)
    return rows


class LineBuffer:
    """The last part of a stream of foreign text, as rows cut at `width`.

    Rows have absolute numbers: dropping old ones never renumbers the rest. `first` is the number
    of the oldest row kept, `end` one past the newest.
    """

    def __init__(self, *, max_lines: int = 5_000, max_chars: int = 2_000_000) -> None:
        self.width = 80
        self.first = 0
        self._max_lines = max_lines
        self._max_chars = max_chars
        self._lines: list[tuple[str, bool]] = []
        """Finished lines: the text with its tabs, and whether a newline ended it."""
        self._open = ""
        self._held = ""
        self._chars = 0
        self._rows: list[str] = []
        self._starts: list[bool] = []
        """Whether a row begins a line, row by row."""

    @property
    def end(self) -> int:
        """One past the number of the newest row."""
        return self.first + len(self._rows)

    @property
    def is_empty(self) -> bool:
        """Nothing has come yet."""
        return not self._rows

    def row(self, number: int) -> str:
        """The text of a row by its absolute number; empty where there is none."""
        at = number - self.first
        return self._rows[at] if 0 <= at < len(self._rows) else ""

    def starts_line(self, number: int) -> bool:
        """False for a row that continues the line of the row above."""
        at = number - self.first
        return not 0 <= at < len(self._rows) or self._starts[at]

    def text(self) -> str:
        """All that is kept, as clean text with its line ends."""
        lines = "".join(text + "\n" * ended for text, ended in self._lines)
        return lines + self._open

    def clear(self) -> None:
        """Forget everything; the numbers of new rows go on after the old ones."""
        self.first = self.end
        self._lines, self._rows, self._starts = [], [], []
        self._open = self._held = ""
        self._chars = 0

    def append(self, piece: str) -> None:
        """Take the next piece of the stream."""
        text = self._held + piece
        self._held = "\r" if text.endswith("\r") else ""
        text = clean(text.removesuffix("\r"))
        if not text:
            return
        self._chars += len(text)
        head, *rest = text.split("\n")
        self._extend(head)
        for line in rest:
            self._finish(has_newline=True)
            self._begin(line)
        if len(self._open) > _OPEN_LIMIT:
            self._finish(has_newline=False)
        self._trim()

    def resize(self, width: int) -> bool:
        """Cut the rows anew at `width` cells; True if that changed anything."""
        if width == self.width or width < 1:
            return False
        self.width = width
        self._rewrap()
        return True

    def _extend(self, text: str) -> None:
        if not self._rows:
            self._begin(text)
        elif text:
            self._open += text
            # Only the last row can change: those above it are full.
            last = self._rows.pop()
            rows = wrap_line(text, self.width, last)
            self._rows += rows
            self._starts += [False] * (len(rows) - 1)

    def _begin(self, text: str) -> None:
        self._open = text
        rows = wrap_line(text, self.width)
        self._rows += rows
        self._starts += [True, *[False] * (len(rows) - 1)]

    def _finish(self, *, has_newline: bool) -> None:
        self._lines.append((self._open, has_newline))
        self._open = ""

    def _trim(self) -> None:
        is_over = len(self._lines) > self._max_lines * 5 // 4
        if not is_over and self._chars <= self._max_chars * 5 // 4:
            return
        kept = self._lines[-self._max_lines :]
        size = sum(len(text) + 1 for text, _ in kept) + len(self._open)
        while kept and size > self._max_chars:
            size -= len(kept.pop(0)[0]) + 1
        self._lines, self._chars = kept, size
        old_end = self.end
        self._rewrap()
        self.first = old_end - len(self._rows)

    def _rewrap(self) -> None:
        self._rows, self._starts = [], []
        if not self._lines and not self._open:
            return
        is_start = True
        for text, ended in [*self._lines, (self._open, False)]:
            rows = wrap_line(text, self.width)
            self._rows += rows
            self._starts += [is_start, *[False] * (len(rows) - 1)]
            is_start = ended
