"""What dialogs share: a frame, `esc`, and for approvals half a second in which no key counts.

The rule a reader must not break: a dialog that approves or destroys something is a
`GuardedDialog`. Somebody who types when it opens must not answer it by accident.
"""

from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button

from orchestra_tui.widgets.key_hints import KeyHints
from orchestra_tui.widgets.plain_static import PlainStatic

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A modal with a title, a body and buttons; `esc` gives None."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        #dialog {
            width: 76;
            max-width: 96%;
            height: auto;
            max-height: 90%;
            padding: 1 2;
            background: $surface;
            border: round $primary;
        }
        #title { text-style: bold; margin: 0 0 1 0; }
        #buttons { height: auto; margin: 1 0 0 0; align-horizontal: right; }
        #buttons Button { margin: 0 0 0 2; }
        TextArea { height: 5; border: round $border-blurred; background: $background; }
        TextArea:focus { border: round $primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", tooltip="leave it as it is", id="dialog.cancel"),
    ]
    TITLE_TEXT: ClassVar[str] = ""
    CANCEL_TEXT: ClassVar[str] = "Cancel"

    def compose(self) -> ComposeResult:
        """Title, body, buttons, keys."""
        with Vertical(id="dialog"):
            yield PlainStatic(self.title_text(), id="title")
            yield from self.compose_body()
            with Horizontal(id="buttons"):
                yield from self.compose_buttons()
        yield KeyHints()

    def title_text(self) -> str:
        """The question."""
        return self.TITLE_TEXT

    def compose_body(self) -> ComposeResult:
        """What the question is about."""
        yield from ()

    def compose_buttons(self) -> ComposeResult:
        """The answers."""
        yield Button(self.CANCEL_TEXT, id="cancel", compact=True)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


class GuardedDialog(Dialog[T]):
    """A dialog whose answers count only after it has been seen for half a second."""

    AUTO_FOCUS = ""
    FIRST_FOCUS: ClassVar[str] = "#cancel"
    """The selector of what gets the focus when the guard ends."""

    GUARD_SECONDS: ClassVar[float] = 0.5
    is_open = False
    """The guard has ended."""

    def on_mount(self) -> None:
        """Until the guard ends nothing has the focus and no button can be pressed."""
        self._set_buttons(is_disabled=True)
        self.set_timer(self.GUARD_SECONDS, self._end_guard)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No action during the guard, except leaving."""
        if not self.is_open and action != "cancel":
            return False
        return super().check_action(action, parameters)

    def _end_guard(self) -> None:
        self.is_open = True
        self._set_buttons(is_disabled=False)
        self.query_one(self.FIRST_FOCUS).focus()
        self.refresh_bindings()

    def _set_buttons(self, *, is_disabled: bool) -> None:
        for widget in self.query("#dialog *").results():
            if widget.can_focus:
                widget.disabled = is_disabled
