"""Home: the task, how it will run, what is configured, and what was done before."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer

from orchestra_tui.domain.commands import NewSession, OpenSession, StartRun
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.ports import CompletePath, ListSessions, ProjectInfo, SessionSummary
from orchestra_tui.domain.state import SessionState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.chain_words import chain_content
from orchestra_tui.widgets.composer import Composer, TaskArea
from orchestra_tui.widgets.draft_file import DraftFile
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.frame import is_rehearsed, short_path
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.row_list import Row, RowList
from orchestra_tui.widgets.session_table import SessionTable
from orchestra_tui.widgets.signs import Signs, role_style, role_title
from orchestra_tui.widgets.tabs import landing_screen, newest_run

EXAMPLES = (
    "write slugify with tests",
    "build a word count command line tool",
    "convert CSV to JSON from the command line",
)
_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
_RECENT = 30
_DRAFT_DELAY = 0.5
_MAX_LINKS = 3
_MAX_ROOT = 200


class HomeScreen(OrchestraScreen):
    """Where a task is written and an earlier session is taken up again."""

    NAME = "home"
    CSS_PATH = "../styles/home.tcss"
    AUTO_FOCUS = "TaskArea"
    VERTICAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+n",
            "new_session",
            "new session",
            tooltip="leave this session; the next task starts a new one",
            id="home.new",
        ),
    ]

    _recent: tuple[SessionSummary, ...] = ()
    _draft_file: DraftFile | None = None
    _draft_timer: Timer | None = None
    _unsaved: str | None = None
    """What was typed and may not be in the file yet."""

    def compose_body(self) -> ComposeResult:
        """The question, the composer, who works, and what there is to go on with."""
        options = self.host.options
        with Vertical(id="body"):
            yield PlainStatic("What shall we build?", id="question")
            yield PlainStatic(id="rehearsal-note")
            yield Composer(
                "" if options.start_at_once else options.initial_task, options.run_settings
            )
            yield PlainStatic(id="team")
            yield PlainStatic(id="context")
            yield PlainStatic("Try one of these", id="examples-title", classes="heading")
            yield RowList(id="examples")
            yield PlainStatic("Recent", id="recent-title", classes="heading")
            yield SessionTable(id="recent")

    def on_mount(self) -> None:
        """Fill the examples; the rest comes with the project."""
        self.query_one("#examples", RowList).show_rows([_text_row(task) for task in EXAMPLES])

    def on_front(self) -> None:
        """What is recent changes while other screens are in front."""
        self._load_recent()

    # --- what comes down ----------------------------------------------------------------------

    def watch_session(self, session: SessionState | None) -> None:
        """Say whether the task will be the next of a session or the first of a new one."""
        super().watch_session(session)
        run = newest_run(session)
        question = self.query_one("#question", PlainStatic)
        if session is None or run is None:
            question.update("What shall we build?")
        else:
            question.update(
                Content.assemble(
                    "What is next?  ",
                    (f"in this session: {clean_line(run.task)[:60]}", "$muted not bold"),
                )
            )
        self._show_project()
        self.refresh_bindings()

    def watch_project(self, project: ProjectInfo | None) -> None:
        """Show what is configured, and take up the draft of last time."""
        super().watch_project(project)
        self._show_project()
        if project is not None and self._draft_file is None:
            self._draft_file = DraftFile(Path(project.state_folder))
            self._load_draft(self._draft_file)
        self._load_recent()

    def _show_project(self) -> None:
        project = self.project
        if project is None:
            return
        is_rehearsal = is_rehearsed(self.session, project)
        self.set_class(is_rehearsal, "-rehearsal")
        self.query_one("#rehearsal-note", PlainStatic).update(_rehearsal_note(project))
        team = _team(project, self.host.signs, is_rehearsal=is_rehearsal)
        self.query_one("#team", PlainStatic).update(team)
        self.query_one("#context", PlainStatic).update(_context(project))

    @work(group="recent", exclusive=True)
    async def _load_recent(self) -> None:
        try:
            found = await self.host.ask(ListSessions(limit=_RECENT))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        self._recent = found
        root = self.project.root if self.project else ""
        table = self.query_one("#recent", SessionTable)
        table.show_sessions(found, now=self.host.options.clock(), root=root)
        self.set_class(not found, "-no-recent")
        self.query_one("#recent-title", PlainStatic).update(_recent_title(found))
        earlier = [run.task for run in reversed(self.session.runs)] if self.session else []
        titles = [summary.title for summary in found]
        self.query_exactly_one(Composer).show_earlier([*earlier, *titles])

    # --- what goes up -------------------------------------------------------------------------

    @on(Composer.Submitted)
    async def _start(self, event: Composer.Submitted) -> None:
        if await self.host.submit(StartRun(task=event.task, settings=event.settings)) is None:
            return
        self.query_exactly_one(Composer).set_text("")
        self.host.go("run")

    @on(TaskArea.CommandWanted)
    def _open_palette(self) -> None:
        self.app.action_command_palette()

    @on(Composer.PathWanted)
    async def _complete(self, event: Composer.PathWanted) -> None:
        try:
            paths = await self.host.ask(CompletePath(text=event.text, limit=20))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        composer = self.query_exactly_one(Composer)
        # The answer may be late: it counts only for the word that is still being typed.
        if composer.area.word() == f"@{event.text}":
            composer.show_choices(paths)

    @on(Composer.Edited)
    def _keep_draft(self, event: Composer.Edited) -> None:
        self._unsaved = event.text
        if self._draft_timer is not None:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(_DRAFT_DELAY, self._save_draft)

    def _save_draft(self) -> None:
        if self._draft_file is not None and self._unsaved is not None:
            self._write_draft(self._draft_file, self._unsaved)

    @work(group="draft", exclusive=True)
    async def _write_draft(self, file: DraftFile, text: str) -> None:
        await file.write(text)
        if self._unsaved == text:
            self._unsaved = None

    @on(events.Unmount)
    def _keep_last_words(self) -> None:
        """What was typed right before the app was left."""
        if self._draft_file is not None and self._unsaved is not None:
            self._draft_file.write_now(self._unsaved)

    @work(group="draft")
    async def _load_draft(self, file: DraftFile) -> None:
        draft = await file.read()
        composer = self.query_exactly_one(Composer)
        if draft and not composer.area.text:
            composer.set_text(draft)

    @on(RowList.OptionSelected, "#examples")
    def _take_example(self, event: RowList.OptionSelected) -> None:
        composer = self.query_exactly_one(Composer)
        composer.set_text(EXAMPLES[event.option_index])
        composer.query_exactly_one(TaskArea).focus()

    @on(SessionTable.Opened)
    async def _open(self, event: SessionTable.Opened) -> None:
        summary = event.summary
        state = await self.host.submit(OpenSession(session=summary.id, resume=summary.can_resume))
        if state is not None:
            self.host.go(landing_screen(state))

    async def action_new_session(self) -> None:
        """Leave the open session; its runs stay in the list."""
        await self.host.submit(NewSession())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A new session only makes sense in a session that has a task."""
        if action == "new_session":
            return newest_run(self.session) is not None
        return super().check_action(action, parameters)


def _text_row(text: str) -> Row:
    return lambda width: Content(fit(text, width))


def _rehearsal_note(project: ProjectInfo) -> Content:
    return Content.assemble(
        "Rehearsal: a script plays the agents, same steps, same files, no AI. ",
        (f"It writes in {clean_line(short_path(project.root, _MAX_ROOT))}", "$muted"),
    )


def _team(project: ProjectInfo, signs: Signs, *, is_rehearsal: bool) -> Content:
    titles = [Content.styled(role_title(role), role_style(role)) for role in Role]
    if is_rehearsal:
        hint = Content.assemble(": a script   ", ("f9", "$accent bold"), " connect something")
        return Content.assemble(Content(" ").join(titles), hint)
    chains = [
        chain_content(project.chains.get(role.value, ()), signs, limit=_MAX_LINKS) for role in Role
    ]
    parts = [Content("\N{NO-BREAK SPACE}").join(pair) for pair in zip(titles, chains, strict=True)]
    hint = Content.assemble(("f9", "$accent bold"), "\N{NO-BREAK SPACE}edit")
    return Content("   ").join([*parts, hint])


def _context(project: ProjectInfo) -> Content:
    checks = ", ".join(project.checks)
    words = f"{plural(project.file_count, 'file')}, .gitignore respected"
    tests = f"checks: {checks}" if checks else "no checks found"
    return Content.styled(clean_line(f"{words}   {tests} ({project.checks_why})"), "$muted")


def _recent_title(found: Sequence[SessionSummary]) -> Content:
    open_ones = sum(summary.can_resume for summary in found)
    if not open_ones:
        return Content("Recent")
    hint = f"   {open_ones} can go on: enter resumes"
    return Content.assemble("Recent", (hint, "$text-warning not bold"))
