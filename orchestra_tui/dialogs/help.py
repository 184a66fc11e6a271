"""Help for one screen, made from its own bindings: what is shown here works there."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.plain_static import PlainStatic

_KEY_WIDTH = 12


class HelpEntry(NamedTuple):
    """One key and what it does here."""

    key: str
    text: str
    is_frame: bool


class HelpDialog(Dialog[bool]):
    """The keys of the screen that was in front, then those of every screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark,q", "cancel", "close", show=False, tooltip="close this help"),
    ]

    def __init__(self, screen_title: str, about: str, entries: Iterable[HelpEntry]) -> None:
        super().__init__()
        self._screen_title = screen_title
        self._about = about
        self._entries = tuple(entries)

    CANCEL_TEXT = "Close"

    def title_text(self) -> str:
        """Which screen this is about."""
        return f"{self._screen_title}: {self._about}" if self._about else self._screen_title

    def compose_body(self) -> ComposeResult:
        """The keys here, then the keys everywhere."""
        own = [entry for entry in self._entries if not entry.is_frame]
        frame = [entry for entry in self._entries if entry.is_frame]
        with VerticalScroll(id="keys"):
            yield PlainStatic("Keys here", classes="heading")
            yield PlainStatic(_lines(own))
            yield PlainStatic("\nKeys everywhere", classes="heading")
            yield PlainStatic(_lines(frame))


def help_entries(screen: Screen[object]) -> tuple[HelpEntry, ...]:
    """What the keys of this screen and of everything on it do; keys without tooltip are left
    out, several keys of one action share a line."""
    keys: dict[str, list[str]] = {}
    texts: dict[str, Binding] = {}
    for binding in _bindings(screen):
        if binding.tooltip:
            keys.setdefault(binding.tooltip, []).append(screen.app.get_key_display(binding))
            texts.setdefault(binding.tooltip, binding)
    return tuple(
        HelpEntry(" ".join(dict.fromkeys(keys[text])), text, binding.system)
        for text, binding in texts.items()
    )


def _bindings(screen: Screen[object]) -> Iterator[Binding]:
    """The active ones first, because the user may have remapped them, then the others' own."""
    yield from (active.binding for active in screen.active_bindings.values())
    for kind in dict.fromkeys(type(widget) for widget in screen.query("*")):
        yield from Binding.make_bindings(kind.BINDINGS)


def _lines(entries: Iterable[HelpEntry]) -> Content:
    lines = [
        Content.assemble((fit(key, _KEY_WIDTH), "$accent"), clean_line(text))
        for key, text, _ in entries
    ]
    return Content("\n").join(lines)
