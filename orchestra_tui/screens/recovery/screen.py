"""Recovery: the files in trouble, the damaged text beside the last good one, every attempt.

The rule a reader must not break: nothing here changes a file. What the user wants done is in
`actions`; this module shows. Texts are read when they are looked at, never before.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.getters import query_one
from textual.worker import Worker, WorkerError

from orchestra_tui.dialogs.attempt import AttemptDialog
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import BlobHash, CallKey, StepId
from orchestra_tui.domain.ports import BinaryContent, GetBlob, GetReply, GetRequest, ValidateText
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import SessionState, StepState
from orchestra_tui.domain.step_state import IN_RECOVERY
from orchestra_tui.domain.text import clean_line
from orchestra_tui.screens.recovery.actions import RecoveryActions
from orchestra_tui.screens.recovery.hand import ShownDamage
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.agent_work import working_agents
from orchestra_tui.widgets.attempt_timeline import AttemptTimeline
from orchestra_tui.widgets.attempts import Attempt, attempt_of, attempts_of
from orchestra_tui.widgets.checkpoint_list import CheckpointList
from orchestra_tui.widgets.damaged_text import FileText, as_findings, file_text, with_cut
from orchestra_tui.widgets.hand_editor import HandEditor
from orchestra_tui.widgets.line_view import LineView
from orchestra_tui.widgets.live_pane import LivePane
from orchestra_tui.widgets.pick_list import PickList
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.recovery_offers import offers
from orchestra_tui.widgets.recovery_words import (
    binary_words,
    head_spans,
    now_spans,
    obstacle,
    title_spans,
    well_words,
)
from orchestra_tui.widgets.source_view import SourceView
from orchestra_tui.widgets.trouble import Sides, Trouble, path_of, sides_of, troubles
from orchestra_tui.widgets.trouble_list import TroubleList


@dataclass(frozen=True)
class _Asked:
    """What is to be shown of one attempt at a file."""

    step: StepId
    path: str
    sides: Sides
    found: tuple[Diagnostic, ...]
    message: str


class RecoveryScreen(RecoveryActions):
    """Files in trouble at the left, both texts of the chosen one at the right, attempts below."""

    NAME = "recovery"
    CSS_PATH = "../../styles/recovery.tcss"
    AUTO_FOCUS = "TroubleList"

    files = query_one(TroubleList)
    attempts = query_one(AttemptTimeline)
    checkpoints = query_one(CheckpointList)
    left = query_one("#damaged-text", SourceView)
    right = query_one("#good-text", SourceView)
    live = query_one(LivePane)

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
        self._clock = clock
        self._asked: _Asked | None = None
        self._loading: Worker[None] | None = None
        self._announced: frozenset[StepId] = frozenset()
        self._place = 0
        self._has_findings = False

    def compose_body(self) -> ComposeResult:
        """Title; files and checkpoints; head, texts or editor, attempts; words when all is well."""
        yield PlainStatic(id="recovery-title")
        with Container(id="recovery-body"):
            with Vertical(id="recovery-files"):
                yield TroubleList(id="troubles")
                yield PlainStatic("Checkpoints", id="checkpoints-title", classes="caption")
                yield CheckpointList(id="checkpoints", empty="none yet")
            with Vertical(id="recovery-panel"):
                yield PlainStatic(id="recovery-head", classes="pane-head")
                yield PlainStatic(id="recovery-now")
                with Horizontal(id="texts"):
                    with Vertical(id="damaged"):
                        yield PlainStatic(id="damaged-title", classes="caption")
                        yield SourceView(id="damaged-text")
                    yield HandEditor(id="hand")
                    with Vertical(id="good"):
                        yield PlainStatic(id="good-title", classes="caption")
                        yield SourceView(id="good-text")
                yield AttemptTimeline(id="attempts", empty="nothing was tried yet")
                yield LivePane(lambda: self.host.streams, self._clock, id="live")
        yield PlainStatic(id="recovery-well")

    def on_mount(self) -> None:
        """Nothing can be done with a checkpoint here, so it takes no turn of the tab key."""
        self.checkpoints.can_focus = False

    def on_front(self) -> None:
        """Show what is known."""
        self._show()
        self.live.go_on()

    @on(events.ScreenSuspend)
    def _rest(self) -> None:
        self.live.rest()

    def on_resize(self, event: events.Resize) -> None:
        """Where both texts fit, there is no key for the other one."""
        self.refresh_bindings()

    def on_key(self, event: events.Key) -> None:
        """Let the echo of a key go before the next flush."""
        self.live.hold()

    def watch_session(self, session: SessionState | None) -> None:
        """Everything follows the run."""
        super().watch_session(session)
        self._show()

    # --- what is chosen -----------------------------------------------------------------------

    @property
    def trouble(self) -> Trouble | None:
        """The chosen file."""
        found = troubles(self.run_state)
        chosen = [trouble for trouble in found if trouble.step == self.files.key]
        return chosen[0] if chosen else (found[0] if found else None)

    @property
    def step(self) -> StepState | None:
        """Its step."""
        trouble, run = self.trouble, self.run_state
        return run.steps.get(trouble.step) if trouble is not None and run is not None else None

    @property
    def attempt(self) -> Attempt | None:
        """The chosen attempt at it."""
        run, step = self.run_state, self.step
        if run is None or step is None or not self.attempts.key:
            return None
        return attempt_of(run, step, self.attempts.key)

    # --- showing ------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.is_ready:
            return
        run, signs = self.run_state, self.host.signs
        found = troubles(run)
        self.set_class(not found, "-well")
        self.files.show_troubles(found)
        self._turn_to_waiting(found)
        self.checkpoints.show_checkpoints(run.checkpoints if run is not None else ())
        title = self.query_one("#recovery-title", PlainStatic)
        title.update(spans_content(title_spans(found, signs)), layout=False)
        if not found:
            words = well_words(has_run=run is not None)
            self.query_one("#recovery-well", PlainStatic).update(words)
        self.follow_drafts()
        self._show_step()
        self.refresh_bindings()

    def _turn_to_waiting(self, found: tuple[Trouble, ...]) -> None:
        """Choose a file that began to wait for a decision, unless the user is writing."""
        waiting = frozenset(trouble.step for trouble in found if trouble.waits)
        new = waiting - self._announced
        self._announced = waiting
        if new and not self.is_editing:
            self.files.show_key(next(t.step for t in found if t.step in new))

    def _show_step(self) -> None:
        run, trouble, step = self.run_state, self.trouble, self.step
        if run is None or trouble is None or step is None:
            self.live.show_work(None)
            return
        signs = self.host.signs
        head = self.query_one("#recovery-head", PlainStatic)
        head.update(spans_content(head_spans(trouble, signs)), layout=False)
        now = self.query_one("#recovery-now", PlainStatic)
        now.update(spans_content(now_spans(run, step, trouble, signs)))
        self.attempts.show_attempts(attempts_of(run, step))
        works = [work for work in working_agents(run) if work.activity.step == step.id]
        kept = step.id if step.status in IN_RECOVERY else ""
        self.live.show_work(works[-1] if works else None, kept=kept)
        self.hand.show_obstacle("" if "take_over" in offers(run, step) else obstacle(step))
        self._show_attempt()

    def _show_attempt(self) -> None:
        run, step, attempt = self.run_state, self.step, self.attempt
        if run is None or step is None:
            return
        sides = sides_of(run, step, attempt)
        found = attempt.diagnostics if attempt is not None else step.diagnostics
        if not found and attempt is not None and attempt.result == "issues":
            found = as_findings(step.issues)
        message = clean_line(attempt.message) if attempt is not None and attempt.is_bad else ""
        asked = _Asked(step.id, path_of(run, step.id), sides, found, message)
        if asked != self._asked:
            self._asked = asked
            # What stands here still is another text: nothing may be done with it.
            self.shown_damage, self._has_findings = None, False
            self.refresh_bindings()
            self._loading = self._load_sides(asked)

    @work(group="load", exclusive=True)
    async def _load_sides(self, asked: _Asked) -> None:
        sides, path, found = asked.sides, asked.path, asked.found
        left, right = await self._blob(sides.left), await self._blob(sides.right)
        stored, good = _as_text(left), _as_text(right)
        shown = await asyncio.to_thread(file_text, stored, path) if stored is not None else None
        if shown is not None and shown.is_from_reply and not found:
            found = await self._judged(path, shown.text, good)
        if shown is not None:
            found = with_cut(found, shown, asked.message)
        self._place, self._has_findings = 0, shown is not None and bool(found)
        if shown is not None and not shown.is_edits:
            self.shown_damage = ShownDamage(asked.step, shown.text, found)
        self.query_one("#damaged-title", PlainStatic).update(_left_title(sides, shown, found))
        self.query_one("#good-title", PlainStatic).update(sides.right_title)
        if shown is None:
            words = "no text is left of this attempt" if sides.left else sides.left_title
            self.left.show_words(binary_words(left) or words)
        else:
            self.left.show_text(path, shown.text, found)
        self.set_class(right is None, "-no-good")
        if good is None:
            self.right.show_words(binary_words(right) or "the file does not exist there")
        else:
            self.right.show_text(path, good)
            self.right.show_line(next((d.line for d in found if d.line), 0))
        self.find_draft(asked.step)
        self.refresh_bindings()

    async def _judged(self, path: str, text: str, old: str | None) -> tuple[Diagnostic, ...]:
        """What the validator finds in the text of a reply that was refused before it got there."""
        try:
            return await self.host.ask(ValidateText(path=path, text=text, old=old))
        except OrchestraError:
            return ()

    async def _blob(self, blob: BlobHash | None) -> str | BinaryContent | None:
        if blob is None:
            return None
        try:
            return await self.host.ask(GetBlob(blob=blob))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return None

    def choose(self, step: StepId) -> None:
        """Choose another file."""
        self.files.show_key(step)

    async def damage(self) -> ShownDamage | None:
        """The damaged text that is shown, once it has been read."""
        while self._loading is not None and not self._loading.is_finished:
            # One that was given up for the next one has the next one in its place.
            with contextlib.suppress(WorkerError):
                await self._loading.wait()
        return self.shown_damage

    async def good_text(self, step: StepId) -> str | None:
        """The last good text of the step's file."""
        run = self.run_state
        if run is None or step not in run.steps:
            return None
        return _as_text(await self._blob(sides_of(run, run.steps[step], None).right))

    async def written_text(self, step: StepId) -> str | None:
        """The text that the run has put into the step's file, and that stands there now."""
        run = self.run_state
        if run is None or step not in run.steps:
            return None
        return _as_text(await self._blob(run.steps[step].files.get(path_of(run, step))))

    async def no_text(self, step: StepId) -> str:
        """Why the step's file cannot be written by hand: it is, or was, binary."""
        run = self.run_state
        if run is None or step not in run.steps:
            return ""
        state, path = run.steps[step], path_of(run, step)
        stands = (state.conflict, state.files.get(path), sides_of(run, state, None).right)
        for blob in filter(None, dict.fromkeys(stands)):
            if words := binary_words(await self._blob(blob)):
                return f"{clean_line(path)}: {words}, so it cannot be written by hand"
        return ""

    # --- moving -------------------------------------------------------------------------------

    @on(PickList.Moved, "#troubles")
    def _step_chosen(self) -> None:
        trouble = self.trouble
        if self.is_editing and trouble is not None and trouble.step != self.editing:
            self.leave_editor()
        self._show_step()
        self.refresh_bindings()

    @on(PickList.Moved, "#attempts")
    def _attempt_chosen(self) -> None:
        self._show_attempt()

    @on(PickList.Picked, "#troubles")
    def _step_picked(self) -> None:
        if self.is_editing:
            self.hand.area.focus()
        else:
            self.attempts.focus()

    @on(PickList.Picked, "#attempts")
    def _attempt_picked(self) -> None:
        run, attempt = self.run_state, self.attempt
        if run is None or attempt is None or self.step is None:
            return
        calls = []
        for key in attempt.calls:
            info = run.calls[key].adapter
            about = " ".join(dict.fromkeys(filter(None, (info.name, info.model))))
            calls.append((key, clean_line(about)))
        dialog = AttemptDialog(
            f"{attempt.what} · {attempt.asked or 'nobody was asked'} · {attempt.result}",
            calls,
            self._read_call,
            path=path_of(run, self.step.id),
            message=attempt.message,
        )
        self.app.push_screen(dialog)

    async def _read_call(self, call: CallKey, is_request: bool) -> str | None:
        query = GetRequest(call=call) if is_request else GetReply(call=call)
        try:
            return await self.host.ask(query)
        except OrchestraError as error:
            return str(error)

    @on(LineView.Copied)
    def _tell_copied(self, event: LineView.Copied) -> None:
        self.host.say(f"{event.characters} characters copied")

    def action_finding(self, step: int) -> None:
        """The next finding, in both texts."""
        self._place = self.left.jump(step, self._place)
        self.right.show_line(self._place)

    def action_other_side(self) -> None:
        """Where only one text fits: the other one."""
        self.toggle_class("-other-side")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are not offered."""
        match action:
            case "finding":
                return self._has_findings
            case "other_side":
                return self.size.width < 100 and self.trouble is not None
            case _:
                return super().check_action(action, parameters)


def _as_text(content: str | BinaryContent | None) -> str | None:
    return content if isinstance(content, str) else None


def _left_title(sides: Sides, shown: FileText | None, found: tuple[Diagnostic, ...]) -> str:
    title = sides.left_title
    if shown is not None and shown.is_edits:
        title += " · a reply with edits, as it came"
    if found:
        title += f" · {len(found)} found, ] next"
    return title
