"""A list of rows with a cursor: files, attempts, checkpoints. Rows are spans in fixed columns.

The rule a reader must not break: the list knows keys, not meanings. Whoever owns it says what the
rows are and what picking one does.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.widgets.line_view import MUTED, LineView, Span, Spans, spans_text


@dataclass(frozen=True)
class PickRow:
    """One row: `left` is cut with an ellipsis in favour of `right`, which stands at the edge.

    Text is clean. A row without `key` is a caption: the cursor passes over it.
    """

    key: str
    left: tuple[Span, ...]
    right: tuple[Span, ...] = ()


def fit_spans(spans: Sequence[Span], width: int) -> list[Span]:
    """Spans cut to `width` cells, the cut marked; shorter ones are returned as they are."""
    if cell_len(spans_text(spans)) <= width:
        return list(spans)
    left = max(0, width - 1)
    fitted: list[Span] = []
    for text, style in spans:
        cells = cell_len(text)
        if cells > left:
            fitted.append((set_cell_size(text, left).rstrip() + "…", style))
            break
        fitted.append((text, style))
        left -= cells
    return fitted


def justify(left: Sequence[Span], right: Sequence[Span], width: int) -> list[Span]:
    """`left` at the start and `right` at the end of `width` cells; `left` gives way."""
    right_cells = cell_len(spans_text(right))
    room = max(0, width - right_cells - (1 if right else 0))
    fitted = fit_spans(left, room)
    gap = width - right_cells - cell_len(spans_text(fitted))
    return [*fitted, (" " * max(0, gap), ""), *right]


class PickList(LineView):
    """Rows to move through and to pick; keeps its place by key when the rows change."""

    DEFAULT_CSS = """
    PickList { background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="The row above"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="The row below"),
        Binding("home", "move(-100000)", "First", show=False, id="list.first", tooltip="First row"),
        Binding("end", "move(100000)", "Last", show=False, id="list.last", tooltip="Last row"),
        Binding("pageup", "move_page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "move_page(1)", "Page down", show=False, id="list.page_down"),
        Binding("enter", "pick", "Open", show=False, id="list.pick", tooltip="Open this row"),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    """The index of the row that the keys speak of."""

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, pick_list: "PickList", key: str) -> None:
            super().__init__()
            self.pick_list = pick_list
            self.key = key

        @property
        def control(self) -> "PickList":
            """The list."""
            return self.pick_list

    class Picked(Message):
        """The user wants the row under the cursor."""

        def __init__(self, pick_list: "PickList", key: str) -> None:
            super().__init__()
            self.pick_list = pick_list
            self.key = key

        @property
        def control(self) -> "PickList":
            """The list."""
            return self.pick_list

    def __init__(
        self,
        *,
        empty: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._rows: tuple[PickRow, ...] = ()
        self._empty = empty

    @property
    def end_row(self) -> int:
        """The number of rows; one for the words of an empty list."""
        return len(self._rows) or 1

    @property
    def rows(self) -> tuple[PickRow, ...]:
        """The rows as they stand."""
        return self._rows

    @property
    def key(self) -> str:
        """The key of the row under the cursor; empty if there is none."""
        return self._rows[self.cursor].key if self.cursor < len(self._rows) else ""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Where the height is `auto`: as many rows as there are."""
        return self.end_row

    def show_rows(self, rows: Sequence[PickRow]) -> None:
        """Show these rows; the cursor stays on its key, or else on its place."""
        if tuple(rows) == self._rows:
            return
        key = self.key
        if len(rows) != len(self._rows):
            self.refresh(layout=True)
        self._rows = tuple(rows)
        keys = [row.key for row in self._rows]
        at = keys.index(key) if key in keys and key else min(self.cursor, max(0, len(keys) - 1))
        self.set_reactive(PickList.cursor, self._pickable(at, 1))
        self.forget_rows()
        self.top = self.validate_top(self.top)
        self.show_row(self.cursor)
        if self.key != key:
            self.post_message(self.Moved(self, self.key))

    def show_key(self, key: str) -> None:
        """Put the cursor on the row of this key, if there is one."""
        for at, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = at

    def row_spans(self, row: int) -> Spans:
        """A row in its columns, a bar before the one under the cursor."""
        if not self._rows:
            return ((self._empty, f"{MUTED} italic"),)
        found = self._rows[row]
        bar = ("▎", "$accent") if row == self.cursor else (" ", "")
        return [bar, *justify(found.left, found.right, self.size.width - 1)]

    def row_style(self, row: int) -> str:
        """The row under the cursor stands out, more so with the focus."""
        if not self._rows or row != self.cursor:
            return ""
        return "on $primary 22%" if self.has_focus else "on $foreground 7%"

    def copy_column(self, row: int) -> int:
        """The bar is no text."""
        return 1

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two rows, keep the cursor in view, tell who listens."""
        self.forget_row(old)
        self.forget_row(new)
        self.show_row(new)
        self.refresh()
        self.post_message(self.Moved(self, self.key))

    def on_resize(self, event: events.Resize) -> None:
        """The row under the cursor stays in view."""
        super().on_resize(event)
        self.show_row(self.cursor)

    def on_focus(self) -> None:
        """The cursor row shows who has the focus."""
        self.forget_rows()

    def on_blur(self) -> None:
        """The cursor row shows who has the focus."""
        self.forget_rows()

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one picks."""
        row = self.top + event.y
        if not 0 <= row < len(self._rows) or not self._rows[row].key:
            return
        if event.chain > 1:
            self.action_pick()
        else:
            self.cursor = row

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows, over captions."""
        if self._rows:
            at = min(max(0, self.cursor + rows), len(self._rows) - 1)
            self.cursor = self._pickable(at, 1 if rows > 0 else -1)

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by the height of the list."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_pick(self) -> None:
        """Pick the row under the cursor."""
        if self.key:
            self.post_message(self.Picked(self, self.key))

    def _pickable(self, at: int, step: int) -> int:
        """The nearest row with a key, looking in the direction of `step` first."""
        if not self._rows:
            return 0
        forward = range(at, len(self._rows) if step > 0 else -1, step)
        backward = range(at, -1 if step > 0 else len(self._rows), -step)
        for candidate in itertools.chain(forward, backward):
            if self._rows[candidate].key:
                return candidate
        return at
