"""The panes of all working agents: as many as fit side by side, the others as tabs.

The rule a reader must not break: a pane keeps its place while its step is worked on, whoever works
on it; nothing jumps because an audit follows the writing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.getters import query_one
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.domain.ids import CallKey
from orchestra_tui.domain.state import CallState
from orchestra_tui.widgets.agent_pane import AgentPane, spans_content
from orchestra_tui.widgets.agent_work import AgentWork
from orchestra_tui.widgets.line_view import Span, spans_text
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import role_style
from orchestra_tui.widgets.streams import StreamBuffers

MIN_WIDTH = 56
MIN_HEIGHT = 10
MAX_PANES = 12
LINGER = timedelta(seconds=4)
"""How long the pane of an ended work stays, unless its place is needed."""


@dataclass(frozen=True)
class GridShape:
    """How many panes stand beside and below each other."""

    columns: int
    rows: int

    @property
    def places(self) -> int:
        """How many panes can be seen."""
        return self.columns * self.rows


def grid_shape(count: int, size: Size) -> GridShape:
    """The calmest grid for `count` panes in `size` cells; at least one pane is shown."""
    most_columns = max(1, size.width // MIN_WIDTH)
    most_rows = max(1, size.height // MIN_HEIGHT)
    wanted = max(1, min(count, MAX_PANES, most_columns * most_rows))
    columns = min(most_columns, math.ceil(math.sqrt(wanted)))
    rows = min(most_rows, math.ceil(wanted / columns))
    return GridShape(columns=min(most_columns, math.ceil(wanted / rows)), rows=rows)


class PaneTabs(PlainStatic):
    """The panes by name, shown when not all of them can be seen; a click turns to one."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; padding: 0 1; display: none; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Clicked(Message):
        """A name was clicked."""

        def __init__(self, slot: str) -> None:
            super().__init__()
            self.slot = slot

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, int, str]] = []

    def show_panes(self, panes: Sequence[AgentPane], current: str) -> None:
        """Show these panes in order, the current one marked."""
        spans: list[Span] = []
        self._places = []
        at = 1
        for pane in panes:
            work = pane.work
            style = role_style(work.role)
            if pane.slot == current:
                style += " bold reverse"
            text = f" {work.path.rsplit('/', 1)[-1]} "
            self._places.append((at, at + len(text), pane.slot))
            at += len(text) + 1
            spans += [(text, style), (" ", "")]
        self.update(spans_content(spans), layout=False)
        self.tooltip = spans_text(spans)

    def on_click(self, event: events.Click) -> None:
        """Tell whose name it was."""
        for start, end, slot in self._places:
            if start <= event.x < end:
                self.post_message(self.Clicked(slot))


class PaneGrid(Vertical):
    """Panes by step, shown, kept and let go."""

    DEFAULT_CSS = """
    PaneGrid {
        height: 1fr;
        #panes { layout: grid; grid-gutter: 1 1; height: 1fr; }
    }
    """

    current: reactive[str] = reactive("", init=False)
    """The slot of the pane that the keys speak of."""
    is_zoomed: reactive[bool] = reactive(False, init=False)
    """Only the current pane is shown."""

    tabs = query_one(PaneTabs)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._panes: dict[str, AgentPane] = {}

    def compose(self) -> ComposeResult:
        """Tabs above the grid."""
        yield PaneTabs()
        yield Container(id="panes")

    @property
    def panes(self) -> tuple[AgentPane, ...]:
        """Every pane, oldest first, those that cannot be seen included."""
        return tuple(self._panes.values())

    @property
    def visible_panes(self) -> tuple[AgentPane, ...]:
        """The panes that can be seen."""
        return tuple(pane for pane in self._panes.values() if pane.display)

    @property
    def current_pane(self) -> AgentPane | None:
        """The pane that the keys speak of; None when nobody works."""
        return self._panes.get(self.current)

    def show_works(self, works: Sequence[AgentWork], calls: Mapping[CallKey, CallState]) -> None:
        """Bring the panes in line with who works now; `calls` tell how ended work came out."""
        working = {work.slot for work in works}
        new: list[AgentPane] = []
        for work in works:
            pane = self._panes.get(work.slot)
            if pane is None:
                pane = self._panes[work.slot] = AgentPane(work)
                new.append(pane)
            else:
                pane.show_work(work)
        for slot, pane in self._panes.items():
            if slot not in working:
                pane.finish(calls.get(CallKey(pane.work.stream)))
        if new:
            self.query_one("#panes").mount_all(new)
        if new:
            self._let_go()
        if self.current not in self._panes:
            self.current = next(iter(self._panes), "")
        self.place_panes()

    def pull(self, streams: StreamBuffers, now: datetime) -> None:
        """The shared tick: text for the panes that can be seen, and farewell to the ended."""
        for pane in self.visible_panes:
            if pane.is_mounted:
                pane.pull(streams, now)
        if self._let_go(now):
            self.place_panes()

    def clear(self) -> None:
        """Another run is shown: no pane of the old one stays."""
        for pane in self._panes.values():
            pane.let_go()
        self._panes.clear()
        self.current = ""

    def turn(self, step: int) -> None:
        """Make the pane `step` places on the current one and give it the keys."""
        slots = list(self._panes)
        if not slots:
            return
        at = slots.index(self.current) if self.current in slots else 0
        self.current = slots[(at + step) % len(slots)]
        self.place_panes()
        self._panes[self.current].focus_body()

    def place_panes(self) -> None:
        """Choose the shape and which panes are seen; the current one always is."""
        count = 1 if self.is_zoomed else len(self._panes)
        room = self.size if self.size.width else self.app.size
        shape = grid_shape(count, room)
        slots = list(self._panes)
        places = min(shape.places, len(slots))
        at = slots.index(self.current) if self.current in slots else 0
        start = min(max(0, at - places + 1), max(0, len(slots) - places))
        seen = set(slots[start : start + places])
        grid = self.query_one("#panes")
        grid.styles.grid_size_columns = shape.columns
        grid.styles.grid_size_rows = shape.rows
        for slot, pane in self._panes.items():
            pane.display = slot in seen
            pane.set_class(slot == self.current and len(slots) > 1, "-current")
        self.tabs.display = len(slots) > len(seen)
        if self.tabs.display:
            self.tabs.show_panes(self.panes, self.current)

    def on_resize(self) -> None:
        """Another size may hold more or fewer panes."""
        self.place_panes()

    def watch_is_zoomed(self) -> None:
        """One pane, or as many as fit."""
        self.place_panes()

    @on(AgentPane.Chosen)
    def _choose(self, event: AgentPane.Chosen) -> None:
        event.stop()
        if event.pane.slot != self.current:
            self.current = event.pane.slot
            self.place_panes()

    @on(PaneTabs.Clicked)
    def _turn_to(self, event: PaneTabs.Clicked) -> None:
        event.stop()
        self.current = event.slot
        self.place_panes()
        if self.current_pane is not None:
            self.current_pane.focus_body()

    def _let_go(self, now: datetime | None = None) -> bool:
        """Remove ended panes whose time is over, and the oldest ones where there is no room."""
        room = self.size if self.size.width else self.app.size
        excess = len(self._panes) - grid_shape(MAX_PANES, room).places
        gone: list[str] = []
        for slot, pane in self._panes.items():
            if not pane.is_ended or (slot == self.current and pane.has_focus_within):
                continue
            if excess > len(gone) or _has_lingered(pane, now):
                gone.append(slot)
        for slot in gone:
            self._panes.pop(slot).let_go()
        if self.current in gone:
            self.current = next(iter(self._panes), "")
        return bool(gone)


def _has_lingered(pane: AgentPane, now: datetime | None) -> bool:
    return now is not None and pane.ended_at is not None and now - pane.ended_at > LINGER
