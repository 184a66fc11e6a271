"""A list of one-line rows that are drawn for the width there is: the base of the app's tables."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

Row = Callable[[int], Content]
"""Draws one row for a width in cells."""


class RowList(OptionList):
    """Rows by index, because ids in them are foreign and may repeat. Arrows move, enter opens."""

    DEFAULT_CSS = """
    RowList, RowList:focus {
        border: none;
        padding: 0;
        background: transparent;
        background-tint: transparent;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "up", show=False, tooltip="one row up", id="rows.up"),
        Binding("j", "cursor_down", "down", show=False, tooltip="one row down", id="rows.down"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._rows: tuple[Row, ...] = ()
        self._row_width = 0

    def show_rows(self, rows: Sequence[Row], *, highlight: int | None = None) -> None:
        """Show these rows; the highlight stays where it is unless `highlight` moves it."""
        self._rows = tuple(rows)
        self._draw()
        if highlight is not None and self._rows:
            self.highlighted = min(max(highlight, 0), len(self._rows) - 1)

    def on_resize(self, event: events.Resize) -> None:
        """Draw the rows for the new width."""
        # Once more behind the layout: a scrollbar or a breakpoint may change the width again.
        self._fit()
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self._row_width != self.scrollable_content_region.width:
            self._draw()

    def _draw(self) -> None:
        self._row_width = self.scrollable_content_region.width
        if self._row_width <= 0:
            return
        prompts = [row(self._row_width) for row in self._rows]
        if len(prompts) == self.option_count:
            for index, prompt in enumerate(prompts):
                if self.get_option_at_index(index).prompt != prompt:
                    self.replace_option_prompt_at_index(index, prompt)
            return
        place = self.highlighted
        self.set_options(Option(prompt) for prompt in prompts)
        if prompts:
            self.highlighted = min(place or 0, len(prompts) - 1)
