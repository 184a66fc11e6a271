"""OrchestraApp: follows the engine, folds its records, hands the session to the screen in front.

The rule a reader must not break: only the App holds the EngineClient, and exactly one worker
follows it. The worker folds and feeds buffers; widgets change in message handlers.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import on, work
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen

from orchestra_tui.dialogs.help import HelpDialog, help_entries
from orchestra_tui.domain.commands import Command, ConfigureAgents, StartRun
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import EngineClient, GetProject, Lagged, ProjectInfo, Query
from orchestra_tui.domain.state import SessionState
from orchestra_tui.domain.text import clean
from orchestra_tui.keymap import FRAME_BINDINGS
from orchestra_tui.palette import OrchestraCommands
from orchestra_tui.screens import LATER_SCREENS
from orchestra_tui.screens.base import AppOptions, OrchestraScreen, Reopen, is_typing
from orchestra_tui.screens.home import HomeScreen
from orchestra_tui.themes import DEFAULT_THEME, THEMES, VARIABLES
from orchestra_tui.widgets.composer import Composer
from orchestra_tui.widgets.external_editor import is_lent
from orchestra_tui.widgets.plain_static import Sanitize
from orchestra_tui.widgets.session_feed import SessionFeed
from orchestra_tui.widgets.signs import ASCII, UNICODE
from orchestra_tui.widgets.status_line import resume_hint
from orchestra_tui.widgets.streams import StreamBuffers
from orchestra_tui.widgets.tabs import TABS, newest_run, wanted_screen

__all__ = ["EXIT_CRASHED", "AppOptions", "OrchestraApp", "Reopen"]

EXIT_CRASHED = 70
"""The exit code after an exception in the user interface (EX_SOFTWARE of sysexits.h)."""
EXIT_ENGINE = 2
"""The exit code when the engine cannot be opened, e.g. because another process holds it."""
R = TypeVar("R")
logger = logging.getLogger(__name__)


class OrchestraApp(App[Reopen]):
    """The user interface over one EngineClient; `return_code` tells how it ended."""

    TITLE = "Orchestra"
    CSS_PATH = "styles/app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*FRAME_BINDINGS]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {OrchestraCommands}
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "home": HomeScreen,
        **LATER_SCREENS,
    }
    DEFAULT_MODE = "home"

    class SessionMoved(Message):
        """Records were folded in; the screen in front has not been told yet."""

    def __init__(self, client: EngineClient, *, options: AppOptions | None = None) -> None:
        super().__init__()
        self.options = options or AppOptions()
        self.signs = ASCII if self.options.use_ascii else UNICODE
        self._feed = SessionFeed()
        self.project: ProjectInfo | None = None
        self._client = client
        self._shown_session: SessionState | None = None
        self._is_move_pending = False
        self._history: list[str] = []
        self._typed = ""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.options.theme or DEFAULT_THEME

    # --- the engine ---------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Follow the engine, ask what is open here, start what was asked for."""
        self._follow_engine()
        # Not before there is a screen: a notice of its failure would have no place.
        self.call_after_refresh(self._load_project)
        if self.options.start_at_once and self.options.initial_task:
            self._start_initial_task()

    @work(group="engine")
    async def _follow_engine(self) -> None:
        while True:
            try:
                async for update in self._client.subscribe():
                    self._moved(self._feed.take(update))
                return
            except Lagged:
                logger.info("the engine was faster than the screen; subscribing again")
            except OrchestraError as error:
                # It could not be opened, or its disk is full: without it nothing can be shown.
                lines = [f"orchestra: {error}", resume_hint(self.session)]
                text = Text(clean("\n".join(filter(None, lines))))
                self.exit(return_code=EXIT_ENGINE, message=text)
                return

    def _moved(self, is_changed: bool) -> None:
        """Tell the screen, once for all records that are folded before it listens."""
        if is_changed and not self._is_move_pending:
            self._is_move_pending = True
            self.post_message(self.SessionMoved())

    @on(SessionMoved)
    def _show_session(self) -> None:
        self._is_move_pending = False
        before, self._shown_session = self._shown_session, self.session
        # While the app shuts down its widgets go one by one: there is nobody left to tell.
        if before is self.session or not self.is_running:
            return
        if isinstance(self.screen, OrchestraScreen) and self.screen.is_ready:
            self.screen.session = self.session
        old, new = newest_run(before), newest_run(self.session)
        if (old and old.outcome) != (new and new.outcome):
            self._load_project()
        wanted = wanted_screen(before, self.session)
        if wanted is not None and not self._is_busy():
            self.go(wanted)

    def _is_busy(self) -> bool:
        """A dialog is open or somebody types, here or in his editor: no screen may jump in."""
        return len(self.screen_stack) > 1 or is_typing(self.focused) or is_lent(self)

    @work(group="project", exclusive=True)
    async def _load_project(self) -> None:
        """Ask the engine what is open here and show it."""
        try:
            self.project = await self._client.query(GetProject())
        except OrchestraError as error:
            self.say(str(error), is_error=True)
            return
        screen = self.screen if self.is_running else None
        if isinstance(screen, OrchestraScreen) and screen.is_ready:
            screen.project = self.project

    @work(group="start")
    async def _start_initial_task(self) -> None:
        task, settings = self.options.initial_task, self.options.run_settings
        await self.submit(StartRun(task=task, settings=settings))

    @property
    def session(self) -> SessionState | None:
        """The session as folded so far."""
        return self._feed.session

    @property
    def streams(self) -> StreamBuffers:
        """The text of running calls and checks."""
        return self._feed.streams

    # --- what screens ask (screens.base.Host) -------------------------------------------------

    async def submit(self, command: Command) -> SessionState | None:
        """Send a command; a refusal is shown to the user and gives None."""
        try:
            state = await self._client.submit(command)
        except OrchestraError as error:
            self.say(str(error), is_error=True)
            return None
        self._moved(self._feed.move_to(state))
        if isinstance(command, ConfigureAgents):
            self._load_project()
        return state

    async def ask(self, query: Query[R]) -> R:
        """Ask the engine. Raises OrchestraError with a sentence for a person."""
        return await self._client.query(query)

    def go(self, name: str) -> None:
        """Show the screen of this name; the one before is where `esc` leads."""
        if name == self.current_mode or name not in self.MODES:
            return
        self._history = [*self._history[-9:], self.current_mode]
        self.switch_mode(name)

    def say(self, message: str, *, is_error: bool = False) -> None:
        """Show a short notice; `message` may hold foreign text."""
        self.notify(clean(message), severity="error" if is_error else "information", markup=False)

    def action_help_quit(self) -> None:
        """For a ctrl+c that has nothing to copy: what it does in other programs."""
        self.say("^q leaves, and the run is kept; s on the Run screen stops it")

    def reopen(self, root: str, session: SessionId, *, resume: bool) -> None:
        """Leave, so that the composition root opens another project."""
        self.exit(result=Reopen(root=root, session=session, resume=resume))

    def start_over(self, *, rehearse: bool) -> None:
        """Leave, so that the composition root opens this folder anew."""
        self.exit(result=Reopen(rehearse=rehearse, task=self._typed))

    @on(Composer.Edited)
    def _remember(self, event: Composer.Edited) -> None:
        self._typed = event.text

    # --- actions ------------------------------------------------------------------------------

    def action_go(self, name: str) -> None:
        """Show a screen by its F-key."""
        self.go(name)

    def action_explain(self) -> None:
        """Explain the screen in front from its own bindings."""
        tab = next(tab for tab in TABS if tab.name == self.current_mode)
        self.push_screen(HelpDialog(tab.title, tab.purpose, help_entries(self.screen)))

    async def action_back(self) -> None:
        """Go back to the screen before, at last to Home."""
        target = self._history.pop() if self._history else "home"
        if target != self.current_mode:
            self.switch_mode(target)

    def action_leave(self, return_code: int = 0) -> None:
        """Quit; tell how an unfinished run goes on."""
        hint = resume_hint(self.session)
        self.exit(return_code=return_code, message=Text(hint) if hint else None)

    # --- looks and safety ---------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The role colours, for themes that do not define them."""
        return VARIABLES

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters, then the last line of defence against raw escapes."""
        return [*super().get_line_filters(), Sanitize()]

    def _fatal_error(self) -> None:
        """Leave with a short message instead of a traceback with the values of our variables.

        Textual calls this for every exception that nothing caught; the log has the traceback.
        """
        logger.critical("the user interface failed", exc_info=True)
        self._return_code = EXIT_CRASHED
        state = self.project.state_folder if self.project else ""
        log_file = self.options.log_file or (f"{state}/logs/orchestra.log" if state else "")
        where = f" Details: {log_file}." if log_file else ""
        lines = [f"Orchestra's screen failed and was closed.{where}", resume_hint(self.session)]
        self.panic(Text("\n".join(filter(None, lines))))
