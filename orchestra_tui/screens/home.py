"""Home: the task, how it will run, and what was done before."""

from textual.app import ComposeResult

from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.plain_static import PlainStatic


class HomeScreen(OrchestraScreen):
    """Where a task is written."""

    NAME = "home"

    def compose_body(self) -> ComposeResult:
        """The question."""
        yield PlainStatic("What shall we build?")
