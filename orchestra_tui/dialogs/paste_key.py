"""A dialog that takes a provider's key, without ever showing it.

The rule a reader must not break: the value leaves here as a `SecretStr` and stays nowhere.
"""

from typing import ClassVar

from pydantic import SecretStr
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.plain_static import PlainStatic


class KeyField(Input):
    """A field that takes a pasted key with the empty lines that were copied with it."""

    def _on_paste(self, event: events.Paste) -> None:
        super()._on_paste(events.Paste(event.text.strip()))
        event.prevent_default().stop()


class PasteKeyDialog(Dialog[SecretStr]):
    """Gives the key for one variable; None if it was left."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "keep", tooltip="keep the key", id="dialog.keep"),
    ]
    DEFAULT_CSS = """
    PasteKeyDialog Input { margin: 1 0 0 0; }
    PasteKeyDialog #problem { color: $text-error; height: auto; }
    """

    def __init__(self, variable: str) -> None:
        super().__init__()
        self._variable = variable

    def title_text(self) -> str:
        """Which key."""
        return f"The key for {clean_line(self._variable)}"

    def compose_body(self) -> ComposeResult:
        """Where it goes, and the field."""
        yield PlainStatic(
            "It is kept in the system keyring, or in a key file that only you can read. It is "
            "sent to its provider and nowhere else.",
            classes="hint",
        )
        yield KeyField(password=True, placeholder="paste it here")
        yield PlainStatic(id="problem")

    def compose_buttons(self) -> ComposeResult:
        """Keep it or not."""
        yield from super().compose_buttons()
        yield Button("Keep ^s", id="keep", variant="primary", compact=True)

    @on(Input.Submitted)
    @on(Button.Pressed, "#keep")
    def action_answer(self) -> None:
        """Take what was pasted; an empty field is said, and nothing is lost by it."""
        field = self.query_exactly_one(Input)
        key, field.value = field.value.strip(), ""
        if key:
            self.dismiss(SecretStr(key))
            return
        words = "nothing is in the field: paste the key, or leave with esc"
        self.query_one("#problem", PlainStatic).update(words)
        field.focus()
