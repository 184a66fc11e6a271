"""One attempt, opened: what the agent was asked in each call, and what it answered.

The rule a reader must not break: texts are read when they are looked at, and shown as lines, so
that an attempt of any size opens at once.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.ids import CallKey
from orchestra_tui.widgets.line_view import MUTED
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.source_view import SourceView

ReadCall = Callable[[CallKey, bool], Awaitable[str | None]]
"""The request (True) or the reply of a call; None if it is not kept."""


class AttemptDialog(Dialog[bool]):
    """Tab changes between question and answer, left and right between calls."""

    AUTO_FOCUS = "SourceView"
    CANCEL_TEXT = "Close"
    DEFAULT_CSS = """
    AttemptDialog {
        #dialog { width: 96%; height: 90%; }
        #which { height: 1; }
        #told { color: $text-error; height: auto; max-height: 3; }
        SourceView { height: 1fr; margin: 1 0 0 0; background: $background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn", "asked/answered", priority=True, id="attempt.turn",
                tooltip="what the agent was asked, or what it answered"),
        Binding("left", "call(-1)", "call before", show=False, id="attempt.call_before",
                tooltip="the call before"),
        Binding("right", "call(1)", "next call", id="attempt.next_call", tooltip="the next call"),
        Binding("enter,q", "cancel", "close", show=False, id="attempt.close", tooltip="close"),
    ]  # fmt: skip

    def __init__(
        self,
        title: str,
        calls: Sequence[tuple[CallKey, str]],
        read: ReadCall,
        *,
        path: str,
        message: str = "",
    ) -> None:
        """`calls` are keys with a few words about each, oldest first."""
        super().__init__()
        self._title = title
        self._calls = tuple(calls)
        self._read = read
        self._path = path
        self._message = message
        self._at = len(self._calls) - 1
        self._is_request = False

    def title_text(self) -> str:
        """Which attempt."""
        return self._title

    def compose_body(self) -> ComposeResult:
        """Why it ended so, which call, the text."""
        if self._message:
            yield PlainStatic(self._message, id="told")
        yield PlainStatic(id="which")
        yield SourceView()

    def on_mount(self) -> None:
        """Begin with the answer of the last call."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only where there is more than one call."""
        if action == "call":
            return len(self._calls) > 1
        return bool(self._calls) if action == "turn" else super().check_action(action, parameters)

    def action_turn(self) -> None:
        """The question, or the answer again."""
        self._is_request = not self._is_request
        self._show()

    def action_call(self, step: int) -> None:
        """Another call of the attempt."""
        self._at = (self._at + step) % len(self._calls)
        self._show()

    def _show(self) -> None:
        if not self._calls:
            self.query_one(SourceView).show_words("nobody was asked")
            return
        key, about = self._calls[self._at]
        on, off = "bold reverse", MUTED
        self.query_one("#which", PlainStatic).update(
            Content.assemble(
                (" asked ", on if self._is_request else off),
                " ",
                (" answered ", off if self._is_request else on),
                (f"   call {self._at + 1} of {len(self._calls)} · {about}", MUTED),
            ),
            layout=False,
        )
        self._load(key, self._is_request)

    @work(group="call", exclusive=True)
    async def _load(self, key: CallKey, is_request: bool) -> None:
        text = await self._read(key, is_request)
        if text is not None and is_request:
            text = await asyncio.to_thread(request_words, text)
        view = self.query_one(SourceView)
        if text is None:
            view.show_words("this is not kept" if is_request else "no answer came, or it broke off")
        else:
            view.show_text("request.md" if is_request else self._path, text)


def request_words(stored: str) -> str:
    """A stored request as a person reads it: its messages, each below its role."""
    try:
        request = json.loads(stored)
    except ValueError:
        return stored
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list):
        return stored
    parts = []
    for message in messages:
        if not isinstance(message, dict):
            return stored
        parts.append(f"--- {message.get('role', '?')} ---\n{message.get('content', '')}")
    return "\n\n".join(parts)
