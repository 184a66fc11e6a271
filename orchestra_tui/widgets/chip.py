"""A small choice on one line: `pipeline ▾`. Space or a click takes the next value."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.plain_static import PlainStatic


class Chip(PlainStatic, can_focus=True):
    """One of a few values. `prefix` stands before the value, e.g. `x` in `x4`."""

    DEFAULT_CSS = """
    Chip {
        width: auto;
        height: 1;
        padding: 0 1;
        color: $text-muted;
        &:hover { color: $text; background: $boost; }
        &:focus { color: $text; background: $block-cursor-background; text-style: bold; }
        &:disabled { color: $text-disabled; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,right", "turn(1)", "next", tooltip="the next value", id="chip.next"),
        Binding(
            "left", "turn(-1)", "previous", show=False, tooltip="the value before", id="chip.prev"
        ),
    ]
    value: reactive[str] = reactive("", init=False)
    """The value chosen."""

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, chip: "Chip", value: str) -> None:
            super().__init__()
            self.chip = chip
            self.value = value

        @property
        def control(self) -> "Chip":
            """The chip."""
            return self.chip

    def __init__(
        self,
        choices: Sequence[str],
        value: str,
        *,
        prefix: str = "",
        id: str | None = None,
        tooltip: str = "",
    ) -> None:
        super().__init__(id=id)
        self._choices = tuple(choices)
        self._prefix = prefix
        self.set_reactive(Chip.value, value)
        self.tooltip = tooltip or None

    def on_mount(self) -> None:
        """Draw the first value."""
        self._draw()

    def watch_value(self) -> None:
        """Draw the new value."""
        self._draw()

    def action_turn(self, by: int) -> None:
        """Take the next or the previous value."""
        place = self._choices.index(self.value) if self.value in self._choices else -by
        self.value = self._choices[(place + by) % len(self._choices)]
        self.post_message(self.Changed(self, self.value))

    def on_click(self) -> None:
        """A click turns on."""
        if not self.disabled:
            self.action_turn(1)

    def _draw(self) -> None:
        self.update(Content(f"{self._prefix}{clean_line(self.value)} ▾"))
