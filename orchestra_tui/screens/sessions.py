"""Sessions: every stored session of this user, to open or to resume."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.commands import OpenSession
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.money import money_text
from orchestra_tui.domain.ports import ListSessions, ProjectInfo, SessionSummary
from orchestra_tui.domain.text import clean, clean_line
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.cells import age_text
from orchestra_tui.widgets.figures import count_text
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.row_list import RowList
from orchestra_tui.widgets.session_table import SessionTable
from orchestra_tui.widgets.signs import phase_word, session_sign
from orchestra_tui.widgets.tabs import landing_screen

_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
_LIMIT = 500


class SessionsScreen(OrchestraScreen):
    """The list, a search that filters while it is typed, and facts about the one selected."""

    NAME = "sessions"
    CSS_PATH = "../styles/sessions.tcss"
    AUTO_FOCUS = "SessionTable"
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", tooltip="search as you type", id="sessions.search"),
        Binding("r", "resume", "resume", tooltip="open and go on", id="sessions.resume"),
        Binding("o", "look", "open", tooltip="open to look, nothing starts", id="sessions.open"),
    ]

    _found: tuple[SessionSummary, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Search, list, facts."""
        yield Input(placeholder="/ search in tasks and projects", id="search", compact=True)
        with Horizontal(id="columns"):
            with Vertical(id="list-frame"):
                yield SessionTable(id="sessions")
                yield PlainStatic(id="none")
            yield PlainStatic(id="facts")

    def on_front(self) -> None:
        """The list changes while other screens are in front."""
        self._load()

    def watch_project(self, project: ProjectInfo | None) -> None:
        """Rows name their project when it is another than this."""
        super().watch_project(project)
        self._show()

    @work(group="sessions", exclusive=True)
    async def _load(self) -> None:
        try:
            self._found = await self.host.ask(ListSessions(all_projects=True, limit=_LIMIT))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        self._show()

    def _show(self) -> None:
        words = self.query_one("#search", Input).value.casefold().split()
        shown = [summary for summary in self._found if _matches(summary, words)]
        table = self.query_one("#sessions", SessionTable)
        table.show_sessions(shown, now=self.host.options.clock(), root=self._root)
        table.display = bool(shown)
        none = self.query_one("#none", PlainStatic)
        none.display = not shown
        none.update(_nothing(self._found))
        self._show_facts()

    @property
    def _root(self) -> str:
        return self.project.root if self.project is not None else ""

    @on(RowList.OptionHighlighted, "#sessions")
    def _show_facts(self) -> None:
        summary = self.query_one("#sessions", SessionTable).selected
        facts = self.query_one("#facts", PlainStatic)
        if summary is None:
            facts.update("")
            return
        head = Content.assemble(
            session_sign(summary, self.host.signs), " ", (clean_line(summary.title), "bold")
        )
        now = self.host.options.clock()
        lines = [head, Content(""), *(_fact(k, v) for k, v in _facts(summary, now=now).items())]
        facts.update(Content("\n").join(lines))
        self.refresh_bindings()

    @on(Input.Changed, "#search")
    def _filter(self) -> None:
        self._show()

    @on(Input.Submitted, "#search")
    def _leave_search(self) -> None:
        self.query_one("#sessions", SessionTable).focus()

    def action_search(self) -> None:
        """Type to filter."""
        self.query_one("#search", Input).focus()

    @on(SessionTable.Opened)
    async def _enter(self, event: SessionTable.Opened) -> None:
        await self._open(event.summary, resume=False)

    async def action_look(self) -> None:
        """Open the session under the cursor; nothing starts."""
        if summary := self.query_one("#sessions", SessionTable).selected:
            await self._open(summary, resume=False)

    async def action_resume(self) -> None:
        """Open the session under the cursor and go on with it."""
        if summary := self.query_one("#sessions", SessionTable).selected:
            await self._open(summary, resume=True)

    async def _open(self, summary: SessionSummary, *, resume: bool) -> None:
        if self._root and summary.root != self._root:
            self.host.reopen(summary.root, summary.id, resume=resume)
            return
        state = await self.host.submit(OpenSession(session=summary.id, resume=resume))
        if state is not None:
            self.host.go(landing_screen(state))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what was interrupted can be resumed."""
        if action == "resume":
            selected = self.query_one("#sessions", SessionTable).selected
            return selected is not None and selected.can_resume
        return super().check_action(action, parameters)


def _matches(summary: SessionSummary, words: Sequence[str]) -> bool:
    text = f"{summary.title} {summary.root} {summary.phase.value}".casefold()
    return all(word in text for word in words)


def _nothing(found: Sequence[SessionSummary]) -> Content:
    if found:
        return Content.styled("Nothing matches the search.", "$muted")
    return Content.assemble(("No session yet. ", "$muted"), ("f2", "$accent bold"), " begins one.")


def _facts(summary: SessionSummary, *, now: datetime) -> dict[str, str]:
    how = summary.outcome.value if summary.outcome else phase_word(summary.phase)
    return {
        "stands at": f"{how}, can go on" if summary.can_resume else how,
        "files": f"{summary.files_done} of {summary.files_total}"
        if summary.files_total
        else "none",
        "tokens": "unknown" if summary.tokens is None else count_text(summary.tokens),
        "cost": _cost(summary),
        "started": f"{summary.started_at:%Y-%m-%d %H:%M}, {age_text(summary.started_at, now)}",
        "last change": age_text(summary.last_at, now),
        "provider": "REHEARSAL - no AI" if summary.provider is ProviderKind.REHEARSAL else "real",
        "project": clean(summary.root),
        "session": clean(summary.id),
    }


def _cost(summary: SessionSummary) -> str:
    if summary.provider is ProviderKind.REHEARSAL:
        return "none, simulated"
    hits = f", cache {summary.cache_hits}" if summary.cache_hits else ""
    return f"{money_text(summary.cost)}{hits}" if summary.cost is not None else "not recorded"


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<12}", "$muted"), clean_line(value))
