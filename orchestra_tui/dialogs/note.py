"""A dialog for a text: a note to an agent, what is wrong with a plan."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, TextArea

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.widgets.plain_static import PlainStatic


class NoteDialog(Dialog[str]):
    """Gives the text, stripped; None if it was left. With `is_required` empty text stays."""

    AUTO_FOCUS = "TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "send", tooltip="send the text", id="dialog.send"),
    ]

    def __init__(
        self,
        title: str,
        *,
        hint: str = "",
        text: str = "",
        answer: str = "Send",
        is_required: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._text = text
        self._answer = answer
        self._is_required = is_required

    def title_text(self) -> str:
        """The question."""
        return self._title

    def compose_body(self) -> ComposeResult:
        """A hint and the field."""
        if self._hint:
            yield PlainStatic(self._hint, classes="hint")
        yield TextArea(self._text, highlight_cursor_line=False)

    def compose_buttons(self) -> ComposeResult:
        """Send or not."""
        yield from super().compose_buttons()
        yield Button(Content(f"{self._answer} ^s"), id="send", variant="primary", compact=True)

    @on(Button.Pressed, "#send")
    def action_answer(self) -> None:
        """Send the text."""
        text = self.query_exactly_one(TextArea).text.strip()
        if text or not self._is_required:
            self.dismiss(text)
