"""One module per screen; no screen knows another.

`LATER_SCREENS` are imported when they are first shown, so that the first frame does not wait for
screens that nobody has asked for.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from textual.screen import Screen


def _later(name: str) -> Callable[[], Screen[Any]]:
    def make() -> Screen[Any]:
        module = import_module(f"orchestra_tui.screens.{name}")
        screen: Screen[Any] = getattr(module, f"{name.title()}Screen")()
        return screen

    return make


LATER_SCREENS = {
    name: _later(name)
    for name in ("plan", "run", "diff", "recovery", "sessions", "metrics", "doctor")
}
"""The tab's name -> what makes its screen."""
