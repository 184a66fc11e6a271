"""The agent that works at the chosen file right now, streamed as on the run screen."""

from collections.abc import Callable
from datetime import datetime

from textual.containers import Vertical

from orchestra_tui.widgets.agent_pane import AgentPane
from orchestra_tui.widgets.agent_work import AgentWork
from orchestra_tui.widgets.line_pane import Ticker
from orchestra_tui.widgets.streams import StreamBuffers


class LivePane(Vertical):
    """One agent pane for one step; it is there while something is tried, and costs nothing else."""

    DEFAULT_CSS = """
    LivePane { height: 10; margin: 1 0 0 0; display: none; }
    LivePane.-at-work { display: block; }
    """

    def __init__(
        self,
        streams: Callable[[], StreamBuffers],
        clock: Callable[[], datetime],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._streams = streams
        self._clock = clock
        self._pane: AgentPane | None = None
        self._ticker: Ticker | None = None

    @property
    def pane(self) -> AgentPane | None:
        """The pane; None while nobody works at the file."""
        return self._pane

    def on_mount(self) -> None:
        """The one timer."""
        self._ticker = Ticker(self, self._pull)

    def show_work(self, work: AgentWork | None, *, kept: str = "") -> None:
        """Show this work; without one the ended pane of the slot `kept` stays, as the next attempt
        is coming."""
        pane = self._pane
        if pane is not None and pane.slot != (work.slot if work is not None else kept):
            pane.let_go()
            pane = self._pane = None
        if work is None:
            if pane is not None:
                pane.finish()
        elif pane is None:
            pane = self._pane = AgentPane(work)
            self.mount(pane)
        else:
            pane.show_work(work)
        self.set_class(pane is not None, "-at-work")
        if pane is not None:
            self.go_on()
        else:
            self.rest()

    def go_on(self) -> None:
        """The screen is in front: draw what comes."""
        if self._ticker is not None and self._pane is not None:
            self._ticker.resume()

    def rest(self) -> None:
        """Behind another screen nothing is drawn."""
        if self._ticker is not None:
            self._ticker.pause()

    def hold(self) -> None:
        """A key was pressed: let its echo go first."""
        if self._ticker is not None:
            self._ticker.hold()

    def _pull(self) -> None:
        if self._pane is not None and self._pane.is_mounted:
            self._pane.pull(self._streams(), self._clock())
