"""The last line of every screen, or its last two: the keys that do something here.

The rule a reader must not break: the hints come from the active bindings, never from a list of
their own, so that a key that is shown works and a remapped key is shown as it is.
"""

from collections.abc import Iterator
from typing import NamedTuple

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

_KEY_STYLE = "$footer-key-foreground bold"
_GAP = 2


class Hint(NamedTuple):
    """One key, or the first and last of a group, and what it does."""

    key: str
    shown_key: str
    text: str
    is_frame: bool

    @property
    def width(self) -> int:
        """Cells it takes."""
        return len(self.shown_key) + 1 + len(self.text)


class KeyHints(Widget):
    """Key hints fitted to the width; a click presses the key."""

    DEFAULT_CSS = """
    KeyHints {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $text-muted;
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[Hint] = []
        self._places: list[tuple[int, int, int, str]] = []

    def on_mount(self) -> None:
        """Follow the focus: other widgets have other keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._take_bindings)

    def on_unmount(self) -> None:
        """Let go of the signal."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def render(self) -> Content:
        """The hints that fit: the nearest widget's first; the frame's have their place kept."""
        own = [hint for hint in self._hints if not hint.is_frame]
        frame = [hint for hint in self._hints if hint.is_frame]
        last = max(1, self.size.height) - 1
        reserved = sum(hint.width + _GAP for hint in frame)
        lines: list[list[Content]] = [[] for _ in range(last + 1)]
        places: list[tuple[int, int, int, str]] = []
        x, y = 0, 0
        for hint in [*own, *frame]:
            # The frame's stand together, so that the eye finds them where they were.
            needed = reserved - _GAP if frame and hint is frame[0] else hint.width
            if x + needed > self.size.width and y < last:
                x, y = 0, y + 1
            kept = reserved if y == last and not hint.is_frame else 0
            if x + hint.width + kept > self.size.width:
                continue
            lines[y].append(Content.assemble((hint.shown_key, _KEY_STYLE), f" {hint.text}"))
            places.append((y, x, x + hint.width, hint.key))
            x += hint.width + _GAP
        self._places = places
        return Content("\n").join(Content(" " * _GAP).join(line) for line in lines)

    def on_click(self, event: events.Click) -> None:
        """Press the key whose hint was clicked."""
        x = event.x - self.styles.padding.left
        for y, start, end, key in self._places:
            if y == event.y and start <= x < end:
                self.app.simulate_key(key)
                return

    def _take_bindings(self, screen: Screen[object]) -> None:
        found = list(_hints(screen))
        if found != self._hints:
            self._hints = found
            self.refresh()


def _hints(screen: Screen[object]) -> Iterator[Hint]:
    """One hint per binding id and one per group; leaving comes last."""
    groups: dict[str, list[Binding]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled:
            name = binding.group.description if binding.group else binding.id or binding.action
            groups.setdefault(name, []).append(binding)
    for bindings in sorted(groups.values(), key=lambda found: found[0].id == "app.quit"):
        in_order = sorted(bindings, key=lambda binding: (len(binding.key), binding.key))
        first, last = in_order[0], in_order[-1]
        key = screen.app.get_key_display(first)
        text = first.description
        if first.group is not None:
            key, text = f"{key}-{screen.app.get_key_display(last)}", first.group.description
        yield Hint(first.key, key, text, first.system)
