"""The dialog that allows a file more attempts at its recovery."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.widgets.plain_static import PlainStatic

MOST = 50


class MoreAttemptsDialog(Dialog[int]):
    """Gives how many attempts more; None if it was left."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    MoreAttemptsDialog {
        Input { width: 12; margin: 1 0 0 0; background: $background; }
        #problem { color: $text-error; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "allow", tooltip="allow these attempts", id="attempts.allow"),
    ]

    def __init__(self, about: str, *, proposed: int = 3) -> None:
        super().__init__()
        self._about = about
        self._proposed = proposed

    def title_text(self) -> str:
        """The question."""
        return "How many attempts more?"

    def compose_body(self) -> ComposeResult:
        """How many were made, and the field."""
        yield PlainStatic(self._about)
        yield Input(str(self._proposed), compact=True)
        yield PlainStatic(id="problem")

    def compose_buttons(self) -> ComposeResult:
        """Allow them or not."""
        yield from super().compose_buttons()
        yield Button("Allow ^s", id="allow", variant="primary", compact=True)

    @on(Input.Submitted)
    @on(Button.Pressed, "#allow")
    def action_answer(self) -> None:
        """Give the number, if it is one."""
        text = self.query_exactly_one(Input).value.strip()
        count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        if not 1 <= count <= MOST:
            self.query_one("#problem", PlainStatic).update(f"A number from 1 to {MOST}, please")
            return
        self.dismiss(count)
