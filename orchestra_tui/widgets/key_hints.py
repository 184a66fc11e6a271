"""The last line of every screen: the keys that do something here, as many as fit.

The rule a reader must not break: the hints come from the active bindings, never from a list of
their own, so that a key that is shown works and a remapped key is shown as it is.
"""

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

_KEY_STYLE = "$footer-key-foreground bold"


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
        self._hints: list[Binding] = []
        self._places: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Follow the focus: other widgets have other keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._take_bindings)

    def on_unmount(self) -> None:
        """Let go of the signal."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def render(self) -> Content:
        """The hints that fit, the nearest widget's first, the frame's own at the end."""
        own = [binding for binding in self._hints if not binding.system]
        frame = [binding for binding in self._hints if binding.system]
        tail_width = sum(self._width(binding) + 2 for binding in frame)
        parts: list[Content] = []
        places: list[tuple[int, int, str]] = []
        x = 0
        for binding in [*own, *frame]:
            reserve = 0 if binding.system else tail_width
            width = self._width(binding)
            if x + width + reserve > self.size.width:
                continue
            parts.append(
                Content.assemble(
                    (self.app.get_key_display(binding), _KEY_STYLE), f" {binding.description}"
                )
            )
            places.append((x, x + width, binding.key))
            x += width + 2
        self._places = places
        return Content("  ").join(parts)

    def on_click(self, event: events.Click) -> None:
        """Press the key whose hint was clicked."""
        x = event.x - self.styles.padding.left
        for start, end, key in self._places:
            if start <= x < end:
                self.app.simulate_key(key)
                return

    def _width(self, binding: Binding) -> int:
        return len(self.app.get_key_display(binding)) + 1 + len(binding.description)

    def _take_bindings(self, screen: Screen[object]) -> None:
        bindings: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                bindings.setdefault(active.binding.action, active.binding)
        found = list(bindings.values())
        if found != self._hints:
            self._hints = found
            self.refresh()
