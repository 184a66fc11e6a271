"""Recovery: what failed, every try at it, the damaged text beside the last good one, what to do.

The rule a reader must not break: nothing here changes a file. Keys send commands; the engine
decides, and the list follows the records.
"""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.getters import query_one

from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.note import NoteDialog
from orchestra_tui.domain.commands import RetryStep, RevertFile, RevertRun, SkipStep
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.ports import GetBlob
from orchestra_tui.domain.state import AttemptNote, SessionState, StepState, StepStatus
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.attempt_timeline import AttemptTimeline
from orchestra_tui.widgets.checkpoint_list import CheckpointList
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.issue_list import IssueList
from orchestra_tui.widgets.line_view import MUTED, LineView, Span
from orchestra_tui.widgets.pick_list import PickList
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import status_word, step_sign
from orchestra_tui.widgets.source_view import SourceView
from orchestra_tui.widgets.trouble import Sides, Trouble, path_of, sides_of, troubles
from orchestra_tui.widgets.trouble_list import TroubleList

_RETRY = {StepStatus.CONFLICT, StepStatus.FAILED, StepStatus.REVERTED, StepStatus.SKIPPED}
_SKIP = {StepStatus.WAITING, StepStatus.CONFLICT, StepStatus.BLOCKED}


class RecoveryScreen(OrchestraScreen):
    """Files in trouble at the left, the tries and both texts of the chosen one at the right."""

    NAME = "recovery"
    CSS_PATH = "../styles/recovery.tcss"
    AUTO_FOCUS = "TroubleList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "r", "retry", "retry with a note", id="recovery.retry",
            tooltip="Try this step again, with a note to the agent",
        ),
        Binding("s", "skip", "skip", id="recovery.skip", tooltip="Give this step up"),
        Binding(
            "x", "revert_file", "revert file", id="recovery.revert_file",
            tooltip="Put this file back as it was before the run",
        ),
        Binding(
            "X", "revert_run", "revert run", id="recovery.revert_run",
            tooltip="Put every file of the run back",
        ),
        Binding(
            "d", "other_side", "other text", id="recovery.other_side",
            tooltip="The damaged text, or the last good one",
        ),
    ]  # fmt: skip

    files = query_one(TroubleList)
    attempts = query_one(AttemptTimeline)
    findings = query_one(IssueList)
    checkpoints = query_one(CheckpointList)
    left = query_one("#damaged-text", SourceView)
    right = query_one("#good-text", SourceView)

    def __init__(self) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
        self._shown_sides: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Title; files and checkpoints; head, tries, findings and texts; words when all is well."""
        yield PlainStatic(id="recovery-title")
        with Container(id="recovery-body"):
            with Vertical(id="recovery-files"):
                yield TroubleList(id="troubles")
                yield PlainStatic("Checkpoints", id="checkpoints-title", classes="caption")
                yield CheckpointList(id="checkpoints", empty="none yet")
            with Vertical(id="recovery-panel"):
                yield PlainStatic(id="recovery-head", classes="pane-head")
                yield AttemptTimeline(id="attempts", empty="nothing was tried yet")
                yield IssueList(id="findings")
                with Horizontal(id="texts"):
                    with Vertical(id="damaged"):
                        yield PlainStatic(id="damaged-title", classes="caption")
                        yield SourceView(id="damaged-text")
                    with Vertical(id="good"):
                        yield PlainStatic(id="good-title", classes="caption")
                        yield SourceView(id="good-text")
        yield PlainStatic(id="recovery-well")

    def on_front(self) -> None:
        """Show what is known."""
        self._show()

    def watch_session(self, session: SessionState | None) -> None:
        """List, tries and texts follow the run."""
        super().watch_session(session)
        self._show()

    # --- showing ------------------------------------------------------------------------------

    @property
    def _trouble(self) -> Trouble | None:
        """The chosen step."""
        found = troubles(self.run_state)
        chosen = [trouble for trouble in found if trouble.step == self.files.key]
        return chosen[0] if chosen else (found[0] if found else None)

    @property
    def _step(self) -> StepState | None:
        trouble, run = self._trouble, self.run_state
        return run.steps.get(trouble.step) if trouble is not None and run is not None else None

    @property
    def _note(self) -> AttemptNote | None:
        step = self._step
        if step is None or not self.attempts.key:
            return None
        at = int(self.attempts.key)
        return step.timeline[at] if at < len(step.timeline) else None

    def _show(self) -> None:
        if not self.is_ready:
            return
        run = self.run_state
        found = troubles(run)
        self.set_class(not found, "-well")
        self.files.show_troubles(found)
        self.checkpoints.show_checkpoints(run.checkpoints if run is not None else ())
        title = self.query_one("#recovery-title", PlainStatic)
        title.update(spans_content(_title(found)))
        if not found:
            self.query_one("#recovery-well", PlainStatic).update(_well(run is not None))
        self._show_step()
        self.refresh_bindings()

    def _show_step(self) -> None:
        trouble, step = self._trouble, self._step
        if trouble is None or step is None:
            return
        sign = step_sign(trouble.status, self.host.signs)
        style = str(sign.spans[0].style) if sign.spans else ""
        spans: list[Span] = [
            (f"{sign.plain} {status_word(trouble.status)} ", f"{style} bold"),
            (trouble.path, "bold"),
            (f" · {trouble.cause}", MUTED),
        ]
        self.query_one("#recovery-head", PlainStatic).update(spans_content(spans), layout=False)
        self.attempts.show_attempts(step.timeline)
        self._show_attempt()

    def _show_attempt(self) -> None:
        run, step, note = self.run_state, self._step, self._note
        if run is None or step is None:
            return
        diagnostics = note.diagnostics if note is not None else step.diagnostics
        self.findings.show_findings(step.issues, diagnostics)
        self.findings.display = bool(step.issues or diagnostics)
        sides = sides_of(run, step, note)
        shown = (sides, step.id, diagnostics)
        if shown != self._shown_sides:
            self._shown_sides = shown
            self._load_sides(sides, path_of(run, step.id))

    @work(group="load", exclusive=True)
    async def _load_sides(self, sides: Sides, path: str) -> None:
        note, step = self._note, self._step
        diagnostics = note.diagnostics if note is not None else (step.diagnostics if step else ())
        self.query_one("#damaged-title", PlainStatic).update(sides.left_title)
        self.query_one("#good-title", PlainStatic).update(sides.right_title)
        left = await self._text(sides.left)
        right = await self._text(sides.right)
        if left is None:
            self.left.show_words("no text is left of this attempt")
        else:
            self.left.show_text(path, left, diagnostics if note and note.text else ())
        if right is None:
            self.right.show_words("the file does not exist there")
        else:
            self.right.show_text(path, right)
            self.right.show_line(next((d.line for d in diagnostics if d.line), 0))

    async def _text(self, blob: BlobHash | None) -> str | None:
        if blob is None:
            return None
        try:
            return await self.host.ask(GetBlob(blob=blob))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return None

    @on(PickList.Moved, "#troubles")
    def _step_chosen(self) -> None:
        self._show_step()
        self.refresh_bindings()

    @on(PickList.Moved, "#attempts")
    def _attempt_chosen(self) -> None:
        self._show_attempt()

    @on(PickList.Picked, "#troubles")
    def _step_picked(self) -> None:
        self.attempts.focus()

    @on(PickList.Moved, "#findings")
    @on(PickList.Picked, "#findings")
    def _finding_chosen(self) -> None:
        self.left.show_line(self.findings.line)
        self.right.show_line(self.findings.line)

    @on(LineView.Copied)
    def _tell_copied(self, event: LineView.Copied) -> None:
        self.host.say(f"{event.characters} characters copied")

    def action_other_side(self) -> None:
        """Where only one text fits: the other one."""
        self.toggle_class("-other-side")

    # --- actions ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are not offered."""
        run = self.run_state
        is_open = run is not None and not run.commit
        trouble = self._trouble if self.is_ready else None
        match action:
            case "retry":
                return bool(is_open and trouble and trouble.status in _RETRY)
            case "skip":
                is_running = run is not None and run.outcome is None
                return bool(is_running and trouble and trouble.status in _SKIP)
            case "revert_file":
                return bool(is_open and run and trouble and trouble.path in run.changed_files)
            case "revert_run":
                return bool(is_open and run and run.changed_files)
            case _:
                return True

    @work(group="command", exclusive=True)
    async def action_retry(self) -> None:
        """Try the step again, with a note to the agent."""
        trouble = self._trouble
        if trouble is None:
            return
        hint = f"{trouble.path}: {trouble.cause}"
        if trouble.status is StepStatus.CONFLICT:
            hint += "\nThe step starts again from the file as it is on disk now."
        dialog = NoteDialog("Try again: a note to the agent?", hint=hint, answer="Retry")
        note = await self.app.push_screen_wait(dialog)
        if note is not None:
            await self.host.submit(RetryStep(step=trouble.step, note=note))

    @work(group="command", exclusive=True)
    async def action_skip(self) -> None:
        """Give the step up."""
        trouble = self._trouble
        if trouble is None:
            return
        waiting = self._dependents(trouble.step)
        text = f"{trouble.path} is left as it is."
        if waiting:
            text += f" {plural(waiting, 'step')} that wait for it will not be done."
        if await self.app.push_screen_wait(ConfirmDialog("Skip this step?", text, answer="Skip")):
            await self.host.submit(SkipStep(step=trouble.step))

    @work(group="command", exclusive=True)
    async def action_revert_file(self) -> None:
        """Put the file back as it was before the run."""
        trouble = self._trouble
        if trouble is None:
            return
        text = f"{trouble.path} goes back to what it was before the run."
        dialog = ConfirmDialog("Revert this file?", text, answer="Revert")
        if await self.app.push_screen_wait(dialog):
            await self.host.submit(RevertFile(step=trouble.step))

    @work(group="command", exclusive=True)
    async def action_revert_run(self) -> None:
        """Put every file of the run back."""
        run = self.run_state
        count = len(run.changed_files) if run is not None else 0
        text = (
            f"{plural(count, 'file')} go back to what they were before the run."
            " Files you changed since are left alone."
        )
        dialog = ConfirmDialog("Revert the run?", text, answer="Revert all")
        if await self.app.push_screen_wait(dialog):
            await self.host.submit(RevertRun())

    def _dependents(self, step: StepId) -> int:
        run = self.run_state
        steps = run.plan.enabled_steps if run is not None and run.plan is not None else ()
        return sum(step in plan_step.depends_on for plan_step in steps)


def _title(found: tuple[Trouble, ...]) -> list[Span]:
    open_count = sum(not trouble.is_over for trouble in found)
    spans: list[Span] = [("Recovery", "bold")]
    if open_count:
        spans.append((f"   {plural(open_count, 'file')} in trouble", "$text-warning"))
    if over := len(found) - open_count:
        spans.append((f"   {over} came through", MUTED))
    return spans


def _well(has_run: bool) -> str:
    if not has_run:
        return "Nothing is in trouble: no run has begun. F2 opens Home."
    return "Nothing is in trouble. What fails shows up here with its cause and what can be done."
