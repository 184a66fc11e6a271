"""Run: the agents at work, each in a pane, the steps with their states, and the checks.

The rule a reader must not break: text moves only at this screen's one `Ticker`, and the ticker
rests while nobody works or another screen is in front.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Container, Middle
from textual.getters import query_one

from orchestra_tui.dialogs.budget import BudgetDialog
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.domain.commands import (
    CancelRun,
    ChangeLimits,
    ContinueRun,
    PauseRun,
    RaiseBudget,
    RetryStep,
)
from orchestra_tui.domain.events import Outcome
from orchestra_tui.domain.settings import MAX_CONCURRENCY, Mode
from orchestra_tui.domain.state import RunState, SessionState, StepState, StepStatus
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.agent_work import working_agents
from orchestra_tui.widgets.budget_words import budget_bar, spent_words
from orchestra_tui.widgets.check_pane import CheckPane
from orchestra_tui.widgets.line_pane import Ticker
from orchestra_tui.widgets.line_view import LineView
from orchestra_tui.widgets.pane_grid import PaneGrid
from orchestra_tui.widgets.pick_list import justify
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.run_words import rest_lines, title_left, title_right
from orchestra_tui.widgets.step_strip import StepStrip

Clock = Callable[[], datetime]
_MODES = (Mode.SEQUENTIAL, Mode.PARALLEL, Mode.PIPELINE)
_CAN_CONTINUE = {Outcome.CANCELLED, Outcome.UNAVAILABLE, Outcome.MISCONFIGURED}
_ROOM_FOR_BAR = 100


def utc_now() -> datetime:
    """The wall clock that elapsed times are measured with."""
    return datetime.now(UTC)


class RunScreen(OrchestraScreen):
    """Watch the agents, pause, stop, change how many work at once."""

    NAME = "run"
    CSS_PATH = "../styles/run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "pause/go on", id="run.pause", tooltip="Start nothing new, or go on"),
        Binding("s", "stop", "stop", id="run.stop", tooltip="Stop what runs; can be resumed"),
        Binding("tab", "turn(1)", "next pane", id="run.next", tooltip="Turn to the next agent"),
        Binding(
            "shift+tab", "turn(-1)", "previous pane", show=False, id="run.previous",
            tooltip="Turn to the agent before",
        ),
        Binding("z", "zoom", "zoom", id="run.zoom", tooltip="This pane alone, or all of them"),
        Binding(
            "c,enter", "context", "what was sent", id="run.context",
            tooltip="What this call was sent and what was left out, or its reply",
        ),
        Binding(
            "b", "budget", "budget", id="run.budget",
            tooltip="What the session may use; gives more to a run that waits for it",
        ),
        Binding("r", "retry", "retry", id="run.retry", tooltip="Try the failed step again"),
        Binding(
            "plus,equals_sign", "concurrency(1)", "more", id="run.more",
            tooltip="Let one more agent work at once", key_display="+",
        ),
        Binding(
            "minus", "concurrency(-1)", "fewer", id="run.fewer",
            tooltip="Let one agent fewer work at once", key_display="-",
        ),
        Binding(
            "f10", "mode", "mode", id="run.mode", tooltip="Sequential, parallel or pipeline",
        ),
    ]  # fmt: skip

    grid = query_one(PaneGrid)
    checks = query_one(CheckPane)
    steps = query_one(StepStrip)

    def __init__(self, *, clock: Clock = utc_now) -> None:
        super().__init__()
        self._clock = clock
        self._ticker: Ticker | None = None
        self._run_id = ""
        self._shown_title: tuple[object, ...] = ()

    @property
    def is_ticking(self) -> bool:
        """Somebody works, so text may come."""
        return self._ticker is not None and self._ticker.is_ticking

    def compose_body(self) -> ComposeResult:
        """Title, panes, checks, words while nobody works, steps."""
        yield PlainStatic(id="run-title")
        yield PlainStatic(id="run-budget")
        with Container(id="run-body"):
            yield PaneGrid(id="run-grid")
            yield CheckPane(id="run-checks")
            with Middle(id="run-rest"), Center():
                yield PlainStatic(id="run-words")
        yield StepStrip(id="run-steps")

    def on_mount(self) -> None:
        """The one timer of this screen."""
        self._ticker = Ticker(self, self.tick)
        self._show()

    def on_screen_resume(self) -> None:
        """Catch up and go on ticking."""
        self._show()

    def on_screen_suspend(self) -> None:
        """Behind another screen nothing is drawn."""
        if self._ticker is not None:
            self._ticker.pause()

    def on_key(self, event: events.Key) -> None:
        """Let the echo of a key go before the next flush."""
        if self._ticker is not None:
            self._ticker.hold()

    def watch_session(self, session: SessionState | None) -> None:
        """Panes, steps and title follow the run."""
        super().watch_session(session)
        self._show()

    def _show(self) -> None:
        if self._ticker is None:
            return
        run = self.run_state
        run_id = f"{self.session.id}/{run.id}" if run is not None and self.session else ""
        if run_id != self._run_id:
            self._run_id = run_id
            self.grid.clear()
        works = working_agents(run) if run is not None else ()
        self.grid.show_works(works, run.calls if run is not None else {})
        self.checks.show_run(run)
        self.steps.show_run(run)
        self._show_rest(run)
        self._show_title(run)
        self._show_stop(run)
        self.refresh_bindings()
        if run is not None and (run.running or self.grid.panes) and self.is_current:
            self._ticker.resume()
        self.tick()

    def tick(self) -> None:
        """Show what has come since the last time."""
        run = self.run_state
        now = self._clock()
        self.grid.pull(self.host.streams, now)
        self.checks.pull(self.host.streams, now)
        self._show_title(run)
        if self._ticker is not None and not self.grid.panes and not (run and run.running):
            self._ticker.pause()
            self._show_rest(run)

    def _show_rest(self, run: RunState | None) -> None:
        has_panes = bool(self.grid.panes)
        self.grid.display = has_panes
        rest = self.query_one("#run-rest")
        rest.display = not has_panes and not self.checks.display
        if rest.display:
            self.query_one("#run-words", PlainStatic).update(rest_lines(run, self.host.signs))

    def _show_title(self, run: RunState | None) -> None:
        width = max(0, self.size.width - 2)
        is_over = run is not None and run.outcome is not None
        last = self.session.last_at if self.session else None
        now = last if is_over and last is not None else self._clock()
        shown = (run, int(now.timestamp()), width)
        if shown == self._shown_title:
            return
        self._shown_title = shown
        title = self.query_one("#run-title", PlainStatic)
        if run is None:
            title.update("")
            return
        left = title_left(run, self.host.signs, has_room=width >= _ROOM_FOR_BAR)
        title.update(spans_content(justify(left, title_right(run, now), width)), layout=False)

    def _show_stop(self, run: RunState | None) -> None:
        """The bar that asks for more budget, while a limit stands in the way."""
        is_open = run is not None and run.outcome is None
        text = budget_bar(run, self.host.signs) if run is not None and is_open else None
        bar = self.query_one("#run-budget", PlainStatic)
        bar.display = text is not None
        if text is not None:
            bar.update(text)

    # --- actions ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that can do nothing now is not offered."""
        run = self.run_state
        is_open = run is not None and run.outcome is None
        match action:
            case "pause":
                return is_open or (run is not None and run.outcome in _CAN_CONTINUE)
            case "stop" | "concurrency" | "mode" | "budget":
                return is_open
            case "zoom" | "context" | "turn":
                return bool(self.grid.panes) if self.is_mounted else False
            case "retry":
                return bool(_retryable(run))
            case _:
                return True

    def action_turn(self, step: int) -> None:
        """Turn to another agent's pane."""
        self.grid.turn(step)

    def action_zoom(self) -> None:
        """The current pane alone, or as many as fit."""
        self.grid.is_zoomed = not self.grid.is_zoomed

    def action_context(self) -> None:
        """What the current pane's call was sent, or its reply again."""
        if self.grid.current_pane is not None:
            self.grid.current_pane.action_toggle_context()

    @work(group="command")
    async def action_pause(self) -> None:
        """Pause, or go on after a pause, a stop or an unavailable provider."""
        run = self.run_state
        if run is None:
            return
        goes_on = run.is_paused or run.outcome is not None
        await self.host.submit(ContinueRun() if goes_on else PauseRun())

    @work(group="command", exclusive=True)
    async def action_stop(self) -> None:
        """Stop the run after asking."""
        wants_stop = await self.app.push_screen_wait(
            ConfirmDialog(
                "Stop this run?",
                "What the agents are writing now is dropped. Files already written stay;"
                " p goes on later, and Recovery takes files back.",
                answer="Stop the run",
            )
        )
        if wants_stop:
            await self.host.submit(CancelRun())

    @work(group="command", exclusive=True)
    async def action_budget(self) -> None:
        """Ask for other limits; a run that waits at one goes on or is stopped."""
        run, session = self.run_state, self.session
        if run is None or session is None:
            return
        stop = next(iter(run.budget_stops.values()), None)
        spent = spent_words(session, stop.role if stop is not None else None, self._clock())
        dialog = BudgetDialog(run.settings.budget, spent, stop)
        while (answer := await self.app.push_screen_wait(dialog)) is not None:
            command = CancelRun() if answer.budget is None else RaiseBudget(budget=answer.budget)
            if await self.host.submit(command) is not None or answer.budget is None:
                return
            # Refused, and it was said why: what was typed is there to be mended.
            dialog = BudgetDialog(answer.budget, spent, stop, is_typed=True)

    @work(group="command")
    async def action_retry(self) -> None:
        """Try the one failed step again; with several, Recovery lets the user choose."""
        run = self.run_state
        trouble = _retryable(run)
        if len(trouble) == 1:
            await self.host.submit(RetryStep(step=trouble[0].id))
        elif trouble:
            self.host.go("recovery")

    @work(group="command")
    async def action_concurrency(self, change: int) -> None:
        """Let more or fewer agents work at once."""
        run = self.run_state
        if run is None:
            return
        wanted = min(max(1, run.settings.max_concurrency + change), MAX_CONCURRENCY)
        if wanted != run.settings.max_concurrency:
            await self.host.submit(ChangeLimits(max_concurrency=wanted))

    @work(group="command")
    async def action_mode(self) -> None:
        """Take the next mode."""
        run = self.run_state
        if run is None:
            return
        at = _MODES.index(run.settings.mode) if run.settings.mode in _MODES else -1
        await self.host.submit(ChangeLimits(mode=_MODES[(at + 1) % len(_MODES)]))

    @on(StepStrip.StepClicked)
    def _open_step(self, event: StepStrip.StepClicked) -> None:
        """A step in trouble leads to Recovery, a working one to its pane, others to the diff."""
        if event.status.is_trouble:
            self.host.go("recovery")
        elif event.step in {pane.slot for pane in self.grid.panes}:
            self.grid.current = event.step
            self.grid.place_panes()
        else:
            self.host.go("diff")

    @on(LineView.Copied)
    def _tell_copied(self, event: LineView.Copied) -> None:
        self.host.say(f"{event.characters} characters copied")


def _retryable(run: RunState | None) -> list[StepState]:
    """The steps that can be tried again; a blocked one goes on by itself with the one before."""
    steps = run.ordered_steps if run is not None and not run.commit else ()
    return [s for s in steps if s.status.is_trouble and s.status is not StepStatus.BLOCKED]
