"""Diff: compare what the agents wrote, take or leave each hunk, and commit.

The rule a reader must not break: decisions live in the session, not here. A key sends a command;
what is shown changes when the record comes back.
"""

import asyncio
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.getters import query_one
from textual.message import Message

from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.commands import (
    CommitChanges,
    DecideHunks,
    FinishRun,
    RevertFile,
    RevertRun,
)
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.ports import DiffReport, GetDiff
from orchestra_tui.domain.state import RunState, SessionState, StepState
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.diff_model import DiffLayout
from orchestra_tui.widgets.diff_view import SPLIT_WIDTH, DiffView
from orchestra_tui.widgets.diff_words import (
    empty_words,
    end_spans,
    file_title,
    needs_confirmation,
    title_spans,
)
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.file_list import FileList, toggled
from orchestra_tui.widgets.line_view import LineView
from orchestra_tui.widgets.message_editor import MessageEditor
from orchestra_tui.widgets.pick_list import PickList
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.search_bar import SearchBar
from orchestra_tui.widgets.tabs import newest_run


class DiffScreen(OrchestraScreen):
    """Files at the left (above, where it is narrow), the change of one file, the message."""

    NAME = "diff"
    CSS_PATH = "../styles/diff.tcss"
    AUTO_FOCUS = "DiffView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "commit", "commit", id="diff.commit",
            tooltip="Commit what is accepted",
        ),
        Binding(
            "right_curly_bracket", "file(1)", "next file", key_display="}", id="diff.next_file",
            tooltip="To the next file",
        ),
        Binding(
            "left_curly_bracket", "file(-1)", "file before", key_display="{", show=False,
            id="diff.previous_file", tooltip="To the file before",
        ),
        Binding(
            "v", "layout", "split/unified", id="diff.layout",
            tooltip="Side by side, or one below the other",
        ),
        Binding(
            "w", "whitespace", "white space", id="diff.whitespace",
            tooltip="Hide or show hunks that only move white space",
        ),
        Binding(
            "slash", "search", "search", key_display="/", id="diff.search",
            tooltip="Search in this file",
        ),
        Binding(
            "K", "keep", "keep, no commit", id="diff.keep",
            tooltip="Apply the decisions and keep the files without a commit",
        ),
        Binding(
            "x", "revert_file", "revert file", show=False, id="diff.revert_file",
            tooltip="Put this file back as it was before the run",
        ),
        Binding(
            "X", "revert_run", "revert run", show=False, id="diff.revert_run",
            tooltip="Put every file of the run back",
        ),
    ]  # fmt: skip

    class EndWanted(Message):
        """The run is to end as it is decided now."""

        def __init__(self, *, is_commit: bool) -> None:
            super().__init__()
            self.is_commit = is_commit

    files = query_one(FileList)
    view = query_one(DiffView)
    message = query_one(MessageEditor)

    def __init__(self) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
        self._report = DiffReport()
        self._loaded: tuple[object, ...] = ()
        self._run_id = ""
        self._layout: DiffLayout | None = None
        self._hides_whitespace = False
        self._deciding = asyncio.Lock()

    def compose_body(self) -> ComposeResult:
        """Title; files and diff; message or how it ended."""
        yield PlainStatic(id="diff-title")
        with Container(id="diff-body"):
            yield FileList(id="diff-files")
            with Vertical(id="diff-panel"):
                yield PlainStatic(id="diff-head")
                with Horizontal(id="diff-rows"):
                    yield DiffView(id="diff-view")
                yield SearchBar()
        yield MessageEditor(id="diff-message")
        yield PlainStatic(id="diff-end")

    def on_mount(self) -> None:
        """Show what is known before the diff is there."""
        self._show()

    def on_screen_resume(self) -> None:
        """The files may have changed meanwhile."""
        self._reload()

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self._lay_out()

    def watch_session(self, session: SessionState | None) -> None:
        """The diff is asked for again when the files or the phase changed."""
        super().watch_session(session)
        self._reload()
        self._show()

    # --- data ---------------------------------------------------------------------------------

    def _reload(self) -> None:
        run = self.run_state
        if run is None or self.session is None:
            self._loaded = ()
            self._report = DiffReport()
            # An answer on its way is of the session before.
            self.workers.cancel_group(self, "load")
            return
        wanted = (self.session.id, run.id, dict(run.proposed_files), run.phase, run.commit)
        if wanted == self._loaded:
            return
        self._loaded = wanted
        run_id = f"{self.session.id}/{run.id}"
        if run_id != self._run_id:
            self._run_id = run_id
            self._report = DiffReport()
            self.message.forget()
        self._load()

    @work(group="load", exclusive=True)
    async def _load(self) -> None:
        try:
            self._report = await self.host.ask(GetDiff())
        except OrchestraError as error:
            # Asked again when the screen is left and opened.
            self._loaded = ()
            self._report = DiffReport()
            self._show()
            self.view.show_nothing(str(error))
            self.host.say(str(error), is_error=True)
            return
        self.message.propose(self._report.message)
        self._show()

    @property
    def _file(self) -> FileDiff | None:
        """The file that is looked at."""
        for diff in self._report.files:
            if diff.path == self.files.key:
                return diff
        return self._report.files[0] if self._report.files else None

    def _step_of(self, path: str) -> StepState | None:
        run = self.run_state
        steps = run.steps.values() if run is not None else ()
        return next((s for s in steps if path in s.results or path in s.files), None)

    # --- showing ------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.is_mounted:
            return
        run = self.run_state
        self.files.can_decide = self.view.can_decide = run is not None and run.is_reviewing
        rejected = run.rejected if run is not None else {}
        self.files.show_files(self._report.files, rejected=rejected, refused=self._report.refused)
        self._show_file()
        self._show_title()
        self._show_end(run)
        self.refresh_bindings()

    def _show_file(self) -> None:
        diff, run = self._file, self.run_state
        self.query_one("#diff-body").set_class(diff is None, "-empty")
        head = self.query_one("#diff-head", PlainStatic)
        if diff is None or run is None:
            self.view.show_nothing(empty_words(run))
            head.update("")
            return
        step = self._step_of(diff.path)
        issues = step.issues if step is not None else ()
        self._lay_out()
        self.view.show_file(diff, issues=issues, rejected=run.rejected.get(diff.path, ()))
        place = (self._report.files.index(diff) + 1, len(self._report.files))
        spans = file_title(
            diff, run, step, place=place, refused=self._report.refused.get(diff.path, "")
        )
        head.update(spans_content(spans), layout=False)

    def _show_title(self) -> None:
        spans = title_spans(self._report, self.run_state, self.host.signs)
        self.query_one("#diff-title", PlainStatic).update(spans_content(spans), layout=False)

    def _show_end(self, run: RunState | None) -> None:
        is_open = run is not None and run.is_reviewing
        can_commit = is_open and self._report.has_git and bool(self._report.files)
        self.message.display = can_commit
        self.message.show_note(run.held if run is not None else "")
        end = self.query_one("#diff-end", PlainStatic)
        spans = end_spans(self._report, run, self.host.signs) if not can_commit else []
        end.display = bool(spans)
        end.update(spans_content(spans))

    def _lay_out(self) -> None:
        self.view.set_layout(self._layout_now(), hides_whitespace=self._hides_whitespace)

    def _layout_now(self) -> DiffLayout:
        """As the user chose; else side by side where there is room and there are two sides."""
        if self._layout is not None:
            return self._layout
        diff = self._file
        has_sides = diff is None or diff.kind in {ChangeKind.MODIFY, ChangeKind.RENAME}
        is_wide = self.size.width >= SPLIT_WIDTH
        return DiffLayout.SPLIT if is_wide and has_sides else DiffLayout.UNIFIED

    # --- reading ------------------------------------------------------------------------------

    @on(PickList.Moved, "#diff-files")
    def _file_moved(self) -> None:
        self._show_file()

    @on(PickList.Picked, "#diff-files")
    def _file_picked(self) -> None:
        self.view.focus()

    def action_file(self, step: int) -> None:
        """Go to another file."""
        self.files.action_move(step)
        # At once, not with the message: a key typed ahead must not decide the file before.
        self._show_file()

    def action_layout(self) -> None:
        """Side by side, or one below the other, whatever the width."""
        is_split = self._layout_now() is DiffLayout.SPLIT
        self._layout = DiffLayout.UNIFIED if is_split else DiffLayout.SPLIT
        self._lay_out()

    def action_whitespace(self) -> None:
        """Hide or show hunks that only move white space."""
        self._hides_whitespace = not self._hides_whitespace
        self._lay_out()

    def action_search(self) -> None:
        """Open the search line."""
        self.query_one(SearchBar).open()

    @on(SearchBar.Searched)
    def _search(self, event: SearchBar.Searched) -> None:
        found = self.view.search(event.needle)
        self.query_one(SearchBar).show_count(plural(found, "row") if event.needle else "")

    @on(SearchBar.Closed)
    def _search_closed(self, event: SearchBar.Closed) -> None:
        if not event.keeps_marks:
            self.view.search("")
        self.view.focus()

    @on(LineView.Copied)
    def _tell_copied(self, event: LineView.Copied) -> None:
        self.host.say(f"{event.characters} characters copied")

    # --- deciding -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are not offered."""
        run = self.run_state
        match action:
            case "commit":
                return bool(run and run.is_reviewing and self._report.has_git)
            case "keep":
                return bool(run and run.is_reviewing)
            case "revert_file" | "revert_run":
                return bool(run and run.changed_files and not run.commit)
            case _:
                return True

    @on(DiffView.HunkToggled)
    def _hunk_toggled(self, event: DiffView.HunkToggled) -> None:
        self._toggle(event.path, event.hunk)

    @on(FileList.FileToggled)
    def _file_toggled(self, event: FileList.FileToggled) -> None:
        self._toggle(event.path, "*")

    @work(group="decide")
    async def _toggle(self, path: str, hunk: str) -> None:
        """One at a time: two quick keys on one file must not overwrite each other."""
        async with self._deciding:
            session = self.host.session
            diff = next((d for d in self._report.files if d.path == path), None)
            if session is None or session.run is None or diff is None:
                return
            rejected = toggled(diff, session.run.rejected.get(path, ()), hunk)
            await self.host.submit(DecideHunks(path=path, rejected=rejected))

    def action_commit(self) -> None:
        """Commit what is accepted; asked once more if the checks do not vouch for it."""
        # By the way that decisions come: those typed before are before it, however quickly.
        self.view.post_message(self.EndWanted(is_commit=True))

    def action_keep(self) -> None:
        """Apply the decisions and end the run without a commit."""
        self.view.post_message(self.EndWanted(is_commit=False))

    @on(EndWanted)
    def _end_wanted(self, event: EndWanted) -> None:
        self._end(is_commit=event.is_commit)

    @work(group="command", exclusive=True)
    async def _end(self, *, is_commit: bool) -> None:
        async with self._deciding:
            run = newest_run(self.host.session)
        if run is None:
            return
        if not is_commit:
            await self.host.submit(FinishRun())
            return
        if not self.message.message:
            self.host.say("the commit message is empty: write one", is_error=True)
            self.message.area.focus()
            return
        if why := needs_confirmation(run, self._report):
            dialog = ConfirmDialog("Commit anyway?", why, answer="Commit")
            if not await self.app.push_screen_wait(dialog):
                return
        await self.host.submit(CommitChanges(message=self.message.message))

    @work(group="command", exclusive=True)
    async def action_revert_file(self) -> None:
        """Put the file back as it was before the run."""
        diff = self._file
        step = self._step_of(diff.path) if diff is not None else None
        if diff is None or step is None:
            return
        text = f"{diff.path} goes back to what it was before the run."
        if await self.app.push_screen_wait(
            ConfirmDialog("Revert this file?", text, answer="Revert")
        ):
            await self.host.submit(RevertFile(step=step.id))

    @work(group="command", exclusive=True)
    async def action_revert_run(self) -> None:
        """Put every file of the run back."""
        run = self.run_state
        count = len(run.changed_files) if run is not None else 0
        text = (
            f"{plural(count, 'file goes', 'files go')} back to what was there before the run."
            " Files you changed since are left alone."
        )
        if await self.app.push_screen_wait(
            ConfirmDialog("Revert the run?", text, answer="Revert all")
        ):
            await self.host.submit(RevertRun())
