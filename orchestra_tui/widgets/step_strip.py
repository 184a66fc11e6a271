"""The steps of the plan with their states, flowing over at most a few rows."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.state import RunState, StepStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.line_view import MUTED
from orchestra_tui.widgets.signs import Signs, signs_of, status_word, step_sign

MAX_ROWS = 4
MAX_ROWS_LOW = 2
"""On a screen of fewer than 30 rows."""
_GAP = 2
_QUIET = {StepStatus.WAITING, StepStatus.ACCEPTED}
_MAX_PATH = 44


@dataclass(frozen=True)
class StripItem:
    """One step, or several of one state put together (`step` empty)."""

    step: str
    status: StepStatus
    text: str

    @property
    def width(self) -> int:
        """Cells it takes with its sign."""
        return len(self.text) + 2


def strip_items(run: RunState | None) -> tuple[StripItem, ...]:
    """The enabled steps of a run in plan order."""
    if run is None or run.plan is None:
        return ()
    items = []
    for step in run.plan.enabled_steps:
        state = run.steps.get(step.id)
        status = state.status if state is not None else StepStatus.WAITING
        items.append(StripItem(step=step.id, status=status, text=_short(clean_line(step.path))))
    return tuple(items)


def flow(items: Sequence[StripItem], width: int, rows: int = MAX_ROWS) -> list[list[StripItem]]:
    """Items over rows of `width` cells; what does not fit is put together by state."""
    for folded in ((), (StepStatus.ACCEPTED,), _QUIET, tuple(StepStatus)):
        lines = _lines(_folded(items, folded), width)
        if len(lines) <= rows:
            return lines
    return lines[:rows]


class StepStrip(Widget):
    """Every step by sign and path; a click opens where it can be looked at."""

    DEFAULT_CSS = """
    StepStrip { height: auto; max-height: 4; padding: 0 1; }
    """
    ALLOW_SELECT = False

    class StepClicked(Message):
        """The user pointed at a step."""

        def __init__(self, step: StepId, status: StepStatus) -> None:
            super().__init__()
            self.step = step
            self.status = status

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: tuple[StripItem, ...] = ()

    def show_run(self, run: RunState | None) -> None:
        """Take the run as it is now; drawn only when a step changed."""
        items = strip_items(run)
        if items == self._items:
            return
        had_same_room = len(items) == len(self._items)
        self._items = items
        self.display = bool(items)
        self.refresh(layout=not had_same_room)

    def render(self) -> Content:
        """The rows."""
        return strip_content(self._lines_now(), signs_of(self.app))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the steps need at this width."""
        return max(1, len(flow(self._items, max(10, width), self._most_rows)))

    def on_resize(self) -> None:
        """Another width flows differently."""
        self.refresh(layout=True)

    def on_click(self, event: events.Click) -> None:
        """Tell which step was clicked."""
        lines = self._lines_now()
        x, y = event.x - self.styles.padding.left, event.y
        if not 0 <= y < len(lines):
            return
        at = 0
        for item in lines[y]:
            if at <= x < at + item.width and item.step:
                self.post_message(self.StepClicked(StepId(item.step), item.status))
                return
            at += item.width + _GAP

    def _lines_now(self) -> list[list[StripItem]]:
        return flow(self._items, max(10, self.content_size.width), self._most_rows)

    @property
    def _most_rows(self) -> int:
        return MAX_ROWS if self.app.size.height >= 30 else MAX_ROWS_LOW


def strip_content(lines: Sequence[Sequence[StripItem]], signs: Signs) -> Content:
    """The rows as content: sign in its colour, quiet text for what rests."""
    rows = []
    for line in lines:
        parts = [
            Content.assemble(
                step_sign(item.status, signs),
                " ",
                (item.text, MUTED if item.status in _QUIET else ""),
            )
            for item in line
        ]
        rows.append(Content(" " * _GAP).join(parts))
    return Content("\n").join(rows)


def _folded(items: Sequence[StripItem], statuses: Collection[StepStatus]) -> list[StripItem]:
    """Items of these statuses put together, each group where its first member stood."""
    counts = Counter(item.status for item in items)
    kept: dict[str, StripItem] = {}
    for item in items:
        if item.status not in statuses:
            kept[item.step] = item
            continue
        text = f"{counts[item.status]} {status_word(item.status)}"
        kept.setdefault(f"all {item.status}", StripItem("", item.status, text))
    return list(kept.values())


def _lines(items: Sequence[StripItem], width: int) -> list[list[StripItem]]:
    lines: list[list[StripItem]] = []
    left = 0
    for item in items:
        if not lines or item.width > left:
            lines.append([])
            left = width
        lines[-1].append(item)
        left -= item.width + _GAP
    return lines


def _short(path: str) -> str:
    return path if len(path) <= _MAX_PATH else "…" + path[-(_MAX_PATH - 1) :]
