"""A dialog for a yes or no about something that is not easily undone."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.widgets.plain_static import PlainStatic


class ConfirmDialog(GuardedDialog[bool]):
    """Gives True if the user agrees, else None. `text` may hold foreign text."""

    DEFAULT_CSS = """
    ConfirmDialog .question { height: auto; max-height: 50vh; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "yes", tooltip="yes, do it", id="dialog.confirm"),
    ]

    def __init__(self, title: str, text: str = "", *, answer: str = "Yes") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._answer = answer

    def title_text(self) -> str:
        """The question."""
        return self._title

    def compose_body(self) -> ComposeResult:
        """What would happen."""
        if self._text:
            with VerticalScroll(classes="question"):
                yield PlainStatic(self._text)

    def compose_buttons(self) -> ComposeResult:
        """Yes or no."""
        yield from super().compose_buttons()
        yield Button(Content(f"{self._answer} ^s"), id="yes", variant="warning", compact=True)

    @on(Button.Pressed, "#yes")
    def action_answer(self) -> None:
        """Yes."""
        self.dismiss(True)
