"""The dialog that takes a damaged text all the same, for a reason that is kept.

The rule a reader must not break: no answer counts in its first half second, and none without a
reason.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, TextArea

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.widgets.plain_static import PlainStatic


class AcceptAnywayDialog(GuardedDialog[str]):
    """Gives the reason, never empty; None if the text is not taken."""

    TITLE_TEXT = "Take this damaged text?"
    FIRST_FOCUS = "#reason"
    DEFAULT_CSS = """
    AcceptAnywayDialog {
        #findings { color: $text-error; margin: 1 0 0 0; max-height: 6; }
        .hint { color: $text-muted; margin: 1 0 0 0; }
        #problem { color: $text-error; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "take it", tooltip="write the damaged text",
                id="dialog.confirm"),
    ]  # fmt: skip

    def __init__(self, about: str, findings: str) -> None:
        """`about` says what is written where; `findings` what is wrong with it."""
        super().__init__()
        self._about = about
        self._findings = findings

    def compose_body(self) -> ComposeResult:
        """What is written, what is wrong with it, why it is right."""
        yield PlainStatic(self._about)
        if self._findings:
            yield PlainStatic(self._findings, id="findings")
        words = "Why is it right? The reason is kept with the run, and no agent judges it any more."
        yield PlainStatic(words, classes="hint")
        yield TextArea(id="reason", highlight_cursor_line=False, tab_behavior="focus")
        yield PlainStatic(id="problem")

    def compose_buttons(self) -> ComposeResult:
        """Take it or not."""
        yield from super().compose_buttons()
        yield Button("Take it ^s", id="yes", variant="warning", compact=True)

    @on(Button.Pressed, "#yes")
    def action_answer(self) -> None:
        """Give the reason."""
        reason = self.query_one("#reason", TextArea).text.strip()
        if not reason:
            self.query_one("#problem", PlainStatic).update("A reason is needed")
            return
        self.dismiss(reason)
