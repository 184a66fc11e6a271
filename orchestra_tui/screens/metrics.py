"""Metrics: what the calls of this session, or of all sessions here, used and how well they went.

The rule a reader must not break: the figures are `domain.metrics` of the state; nothing is counted
here. They are made anew at most a few times a second, and only while somebody looks.
"""

from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer

from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.metrics import Metrics, metrics_of
from orchestra_tui.domain.ports import GetMetrics
from orchestra_tui.domain.state import SessionState
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.metric_tile import MetricTile
from orchestra_tui.widgets.metric_words import metric_lines, tiles
from orchestra_tui.widgets.plain_static import PlainStatic

_PAUSE = 0.25
_TILES = 4
_EMPTY = (
    "No model has been asked yet.\n"
    "F2 gives a task; figures appear with the first call.\n"
    "a shows the figures of all sessions of this project."
)


class MetricsScreen(OrchestraScreen):
    """Large numbers, bars, tables."""

    NAME = "metrics"
    CSS_PATH = "../styles/metrics.tcss"
    AUTO_FOCUS = "#metric-scroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a",
            "all_sessions",
            "all sessions",
            id="metrics.all",
            tooltip="this session alone, or all sessions of this project",
        ),
    ]

    _shows_all = False
    _metrics: Metrics | None = None
    _timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """What is counted, the tiles, the lines."""
        yield PlainStatic(id="metric-title")
        with Horizontal(id="metric-tiles"):
            for _ in range(_TILES):
                yield MetricTile()
        with VerticalScroll(id="metric-scroll"):
            yield PlainStatic(id="metric-lines")

    def on_front(self) -> None:
        """Sessions may have ended while other screens were in front."""
        if self._shows_all:
            self._load_all()

    def watch_session(self, session: SessionState | None) -> None:
        """Count again, soon: many records may come at once."""
        super().watch_session(session)
        if self._timer is None:
            self._timer = self.set_timer(_PAUSE, self._count)
        if self._metrics is None:
            self._count()

    def on_resize(self, event: events.Resize) -> None:
        """Lines are made for a width."""
        self.call_after_refresh(self._show)

    def action_all_sessions(self) -> None:
        """This session alone, or all of this project."""
        self._shows_all = not self._shows_all
        if self._shows_all:
            self._load_all()
        else:
            self._count()

    @work(group="metrics", exclusive=True)
    async def _load_all(self) -> None:
        try:
            found = await self.host.ask(GetMetrics())
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        if self._shows_all:
            self._metrics = found
            self._show()

    def _count(self) -> None:
        self._timer = None
        if not self._shows_all:
            self._metrics = metrics_of([self.session] if self.session is not None else [])
            self._show()

    def _show(self) -> None:
        metrics = self._metrics
        if metrics is None:
            return
        scope = plural(metrics.sessions, "session") + " of this project"
        title = f"Metrics  {scope if self._shows_all else 'this session'}"
        self.query_one("#metric-title", PlainStatic).update(title)
        for widget, tile in zip(self.query(MetricTile), tiles(metrics), strict=True):
            widget.show_tile(tile)
        lines = self.query_one("#metric-lines", PlainStatic)
        width = self.query_one("#metric-scroll").scrollable_content_region.width - 2
        is_empty = not metrics.total.calls
        lines.update(_EMPTY if is_empty else metric_lines(metrics, width, self.host.signs))
        self.query_one("#metric-tiles").display = not is_empty
