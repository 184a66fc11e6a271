"""What every screen shares: the frame around it, the session it shows and the host it asks.

The rule a reader must not break: a screen never holds the engine. It reads `session`, which the
App sets, and asks its `host`; widgets below it only get values and post messages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Protocol, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from orchestra_tui.domain.commands import Command
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import ProjectInfo, Query
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.widgets.frame import FrameHeader
from orchestra_tui.widgets.key_hints import KeyHints
from orchestra_tui.widgets.signs import Signs
from orchestra_tui.widgets.status_line import StatusLine
from orchestra_tui.widgets.streams import StreamBuffers
from orchestra_tui.widgets.tabs import newest_run

R = TypeVar("R")


@dataclass(frozen=True)
class Reopen:
    """The result of an app that wants to be started again: on a session of some project, or
    without one where it was started, with the agents that are configured now or in rehearsal."""

    root: str = ""
    session: SessionId | None = None
    resume: bool = False
    rehearse: bool = False
    task: str = ""
    """What was being typed on Home."""


@dataclass(frozen=True)
class AppOptions:
    """How the app starts; the composition root decides."""

    initial_task: str = ""
    """Typed into the composer."""
    start_at_once: bool = False
    """Start a run for `initial_task`; its plan still waits for the user."""
    run_settings: RunSettings = field(default_factory=RunSettings)
    """How a run started from Home behaves unless the user changes it there."""
    use_ascii: bool = False
    """Draw signs with ASCII only."""
    theme: str = ""
    """The name of a theme; empty is the default one."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    """The time of day, for ages such as `2 h ago`."""
    log_file: str = ""
    """Where the log is, told when the app fails."""


class Host(Protocol):
    """What the App offers its screens."""

    @property
    def session(self) -> SessionState | None:
        """The session as folded so far; None before the first snapshot."""
        ...

    @property
    def project(self) -> ProjectInfo | None:
        """What is open here; None until the engine has said."""
        ...

    @property
    def streams(self) -> StreamBuffers:
        """The text of running calls and checks."""
        ...

    @property
    def signs(self) -> Signs:
        """The characters to draw states with."""
        ...

    @property
    def options(self) -> AppOptions:
        """How the app was started."""
        ...

    async def submit(self, command: Command) -> SessionState | None:
        """Send a command; a refusal is shown to the user and gives None."""
        ...

    async def ask(self, query: Query[R]) -> R:
        """Ask the engine. Raises OrchestraError with a sentence for a person."""
        ...

    def go(self, name: str) -> None:
        """Show the screen of this name (see `widgets.tabs`)."""
        ...

    def say(self, message: str, *, is_error: bool = False) -> None:
        """Show a short notice; `message` may hold foreign text."""
        ...

    def reopen(self, root: str, session: SessionId, *, resume: bool) -> None:
        """Leave, so that the composition root opens a session of another project."""
        ...

    def start_over(self, *, rehearse: bool) -> None:
        """Leave, so that the folder is opened anew: in rehearsal, or with who is configured."""
        ...


def is_typing(widget: Widget | None) -> bool:
    """True if `widget` is a text field that holds something."""
    match widget:
        case TextArea(read_only=False, text=text) | Input(value=text):
            return bool(text.strip())
        case _:
            return False


class OrchestraScreen(Screen[None]):
    """A screen with the common frame: header with tabs, body, status line, key hints.

    Subclasses set `NAME`, override `compose_body`, and react to `watch_session`, calling the
    method of this class first. `host` is the App.
    """

    NAME: ClassVar[str] = ""
    """The name of its tab."""

    session: reactive[SessionState | None] = reactive(
        None, repaint=False, init=False, always_update=True
    )
    """The session, set by identity at each record while this screen is shown (a comparison by
    value at each record would cost time in proportion to the whole run, so there is none)."""
    project: reactive[ProjectInfo | None] = reactive(
        None, repaint=False, init=False, always_update=True
    )
    """What is open here."""

    @property
    def host(self) -> Host:
        """The App, by what it offers."""
        return cast("Host", self.app)

    @property
    def run_state(self) -> RunState | None:
        """The newest run of the session."""
        return newest_run(self.session)

    def compose(self) -> ComposeResult:
        """The frame, with the body of the subclass inside."""
        yield FrameHeader(self.NAME)
        yield from self.compose_body()
        yield StatusLine()
        yield KeyHints()

    def compose_body(self) -> ComposeResult:
        """What stands between the header and the status line."""
        raise NotImplementedError

    is_ready = False
    """Its widgets exist; the App tells it nothing before, because it asks by itself then."""

    @on(events.Mount)
    def _begin(self) -> None:
        self.is_ready = True
        self._catch_up()

    @on(events.ScreenResume)
    def _come_back(self) -> None:
        if self.is_ready:
            self._catch_up()

    def on_front(self) -> None:
        """Called each time the screen comes to the front, its widgets in place."""

    def _catch_up(self) -> None:
        """Show what happened while another screen was in front."""
        self.on_front()
        if self.project is not self.host.project:
            self.project = self.host.project
        if self.session is not self.host.session:
            self.session = self.host.session

    def watch_session(self, session: SessionState | None) -> None:
        """Bring the frame up to date; subclasses call this before their own work."""
        self.query_exactly_one(FrameHeader).show_session(session)
        self.query_exactly_one(StatusLine).show_session(session)

    def watch_project(self, project: ProjectInfo | None) -> None:
        """Bring the frame up to date; subclasses call this before their own work."""
        self.query_exactly_one(FrameHeader).show_project(project)
        self.query_exactly_one(StatusLine).show_project(project)

    @on(FrameHeader.TabChosen)
    def _show_tab(self, event: FrameHeader.TabChosen) -> None:
        self.host.go(event.name)
