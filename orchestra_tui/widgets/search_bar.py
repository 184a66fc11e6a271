"""One line to search with: opens at the bottom, closes with `esc`."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from orchestra_tui.widgets.plain_static import PlainStatic


class SearchBar(Horizontal):
    """Searches as you type; `enter` keeps the marks, `esc` drops them."""

    DEFAULT_CSS = """
    SearchBar {
        display: none;
        height: 1;
        background: $panel;
        &.-open { display: block; }
        .search-label { width: auto; padding: 0 1; color: $accent; }
        .search-count { width: auto; padding: 0 1; color: $text-muted; }
        Input { width: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="search.close", tooltip="Close the search"),
    ]

    class Searched(Message):
        """The text to find has changed."""

        def __init__(self, needle: str) -> None:
            super().__init__()
            self.needle = needle

    class Closed(Message):
        """The line was closed."""

        def __init__(self, *, keeps_marks: bool) -> None:
            super().__init__()
            self.keeps_marks = keeps_marks

    def compose(self) -> ComposeResult:
        """Label, field, count."""
        yield PlainStatic("/", classes="search-label")
        yield Input(compact=True)
        yield PlainStatic(classes="search-count")

    def open(self) -> None:
        """Show the line and take the keys."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def show_count(self, text: str) -> None:
        """Say how much was found."""
        self.query_one(".search-count", PlainStatic).update(text)

    def action_close(self) -> None:
        """Close and drop the marks."""
        self.query_one(Input).clear()
        self._close(keeps_marks=False)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close(keeps_marks=bool(event.value))

    def _close(self, *, keeps_marks: bool) -> None:
        self.remove_class("-open")
        self.post_message(self.Closed(keeps_marks=keeps_marks))
