"""The commit message: drafted by the engine, edited by the user, its problems said as he types."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import TextArea

from orchestra_tui.domain.commit_message import MAX_SUBJECT, cleaned_message, message_problems
from orchestra_tui.domain.text import clean
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import justify
from orchestra_tui.widgets.plain_static import PlainStatic


class MessageArea(TextArea):
    """The text field; `esc` gives the keys back to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "leave", "back to the diff", id="message.leave",
            tooltip="Leave the message as it is and go back to the diff",
        ),
    ]  # fmt: skip

    def action_leave(self) -> None:
        """Give the focus away."""
        self.screen.focus_previous()


class MessageEditor(Vertical):
    """A caption with the length of the first line, the field, and what is wrong with it."""

    DEFAULT_CSS = """
    MessageEditor {
        height: auto;
        .message-head { height: 1; padding: 0 1; text-wrap: nowrap; }
        MessageArea {
            height: 4; border: none; padding: 0 1; background: $surface;
            scrollbar-size-vertical: 1;
        }
        MessageArea:focus { background: $panel; }
    }
    """

    area = query_one(MessageArea)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._proposed = ""
        self._note = ""

    def compose(self) -> ComposeResult:
        """Caption and field."""
        yield PlainStatic(classes="message-head")
        yield MessageArea("", soft_wrap=True, highlight_cursor_line=False, tab_behavior="focus")

    @property
    def message(self) -> str:
        """The message as it would be committed."""
        return cleaned_message(self.area.text)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the message."""
        return message_problems(self.area.text)

    def propose(self, message: str) -> None:
        """Offer a draft; what the user has edited is never replaced."""
        message = clean(message)
        if message == self._proposed:
            return
        if self.area.text in {"", self._proposed}:
            self.area.load_text(message)
        self._proposed = message
        self._show_head()

    def forget(self) -> None:
        """Another run: the next draft replaces whatever stands here."""
        self._proposed = ""
        self.area.load_text("")

    def show_note(self, note: str) -> None:
        """Say why the last commit waits, in the caption."""
        if note != self._note:
            self._note = note
            self._show_head()

    def on_resize(self) -> None:
        """The caption is made for a width."""
        self._show_head()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._show_head()

    def _show_head(self) -> None:
        first = self.message.split("\n", 1)[0]
        left: list[Span] = [("Commit message", f"{MUTED} bold")]
        problems = self.problems
        if self._note:
            left.append((f"  {clean(self._note)}", "$text-warning"))
        elif problems:
            left.append((f"  {problems[0]}", "$text-warning"))
        is_long = len(first) > MAX_SUBJECT
        right: list[Span] = [
            (f"{len(first):>3}/{MAX_SUBJECT}", "$text-warning" if is_long else MUTED)
        ]
        head = justify(left, right, max(0, self.size.width - 2))
        self.query_one(".message-head", PlainStatic).update(spans_content(head), layout=False)
