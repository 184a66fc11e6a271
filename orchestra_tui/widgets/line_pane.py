"""A pane of foreign text that streams: what a model writes, what a test prints.

The rule a reader must not break: `feed` only keeps the piece. Wrapping and drawing happen in
`flush`, which one shared `Ticker` calls for the panes that can be seen, at most 60 times a second.
"""

from collections.abc import Callable
from time import monotonic

from rich.segment import Segment
from textual import events
from textual.message_pump import MessagePump
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from orchestra_tui.widgets.line_buffer import LineBuffer, wrap_words
from orchestra_tui.widgets.line_view import MUTED, LineView, Spans
from orchestra_tui.widgets.signs import signs_of

RATE = 60
KEY_QUIET = 0.045
"""Seconds after a key in which nothing is flushed, so that typing is not held up."""
MAX_PENDING = 1_000_000
"""Characters a hidden pane keeps unwrapped; only their end is shown later."""


class Ticker:
    """One timer for all the panes of a screen."""

    def __init__(
        self, owner: MessagePump, tick: Callable[[], object], *, rate: float = RATE
    ) -> None:
        self._tick = tick
        self._quiet_until = 0.0
        self._timer: Timer = owner.set_interval(1 / rate, self._on_time, pause=True)
        self.is_ticking = False
        """The timer runs."""

    def resume(self) -> None:
        """Begin to tick."""
        self.is_ticking = True
        self._timer.resume()

    def pause(self) -> None:
        """Stop ticking until `resume`; a screen at rest costs nothing."""
        self.is_ticking = False
        self._timer.pause()

    def hold(self) -> None:
        """A key was pressed: let its echo go first."""
        self._quiet_until = monotonic() + KEY_QUIET

    def _on_time(self) -> None:
        if monotonic() >= self._quiet_until:
            self._tick()


class LinePane(LineView):
    """Streamed text that follows its end while the reader is at the bottom."""

    DEFAULT_CSS = """
    LinePane {
        background: transparent;
    }
    """

    is_live: reactive[bool] = reactive(False, init=False)
    """More may come: a caret stands after the last character."""
    placeholder: reactive[str] = reactive("", init=False)
    """Our own words, shown while there is no text."""

    def __init__(
        self,
        *,
        max_lines: int = 5_000,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._buffer = LineBuffer(max_lines=max_lines)
        self._pending: list[str] = []
        self._pending_size = 0
        self._is_following = True
        self._seen_end = 0

    @property
    def first_row(self) -> int:
        """The oldest row kept."""
        return self._buffer.first

    @property
    def end_row(self) -> int:
        """One past the newest row."""
        return self._buffer.end

    @property
    def has_text(self) -> bool:
        """Something was flushed since the last restart."""
        return not self._buffer.is_empty

    @property
    def is_following(self) -> bool:
        """The reader is at the bottom, so new text moves the view."""
        return self._is_following

    @property
    def unseen_rows(self) -> int:
        """Rows that came since the reader left the bottom."""
        return 0 if self._is_following else max(0, self.end_row - self._seen_end)

    def feed(self, text: str) -> None:
        """Take a piece of the stream; it shows at the next flush."""
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size > MAX_PENDING:
            kept = "".join(self._pending)[-MAX_PENDING // 2 :]
            self._pending, self._pending_size = [kept], len(kept)

    def restart(self, text: str = "") -> None:
        """Drop what is shown and begin again with `text`."""
        self._buffer.clear()
        self._strips.clear()
        self._pending.clear()
        self._pending_size = 0
        self._is_following = True
        self.feed(text)
        self.flush()
        self.refresh()

    def flush(self) -> bool:
        """Wrap and draw what was fed; False if there was nothing."""
        if not self._pending or not self.size.width:
            return False
        text = "".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self.forget_row(self._buffer.end - 1)
        self._buffer.append(text)
        self._settle()
        self.refresh()
        return True

    def text(self) -> str:
        """What is kept of the stream, clean."""
        return self._buffer.text()

    def copy_text(self) -> str:
        """Everything that is kept."""
        return self._buffer.text()

    def row_spans(self, row: int) -> Spans:
        """The row as it came."""
        return ((self._buffer.row(row), self.line_style(row)),)

    def line_style(self, row: int) -> str:
        """How a row is coloured; panes of known formats override it."""
        return ""

    def row_text(self, row: int) -> str:
        """The text of a row."""
        return self._buffer.row(row)

    def starts_line(self, row: int) -> bool:
        """False for a row that continues a long line."""
        return self._buffer.starts_line(row)

    def watch_top(self) -> None:
        """Follow again once the reader is back at the bottom."""
        was_following = self._is_following
        self._is_following = self.top >= self.max_top
        if was_following and not self._is_following:
            self._seen_end = self.end_row

    def on_resize(self, event: events.Resize) -> None:
        """Cut the rows at the new width; text that waited for a width shows now."""
        is_following = self._is_following
        self._buffer.resize(event.size.width)
        self._strips.clear()
        self._is_following = is_following
        if not self.flush():
            self._settle()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """The chip leads to the end."""
        chip = self._chip()
        is_on_chip = event.y == self.size.height - 1 and event.x >= self.size.width - len(chip)
        if chip and is_on_chip:
            self.action_scroll_finish()

    def decorate(self, y: int, strips: list[Strip]) -> list[Strip]:
        """The caret of a live stream, the placeholder, and the chip with the new lines."""
        if self._buffer.is_empty:
            words = wrap_words(self.placeholder, max(1, self.size.width))
            for at, text in enumerate(words[y : y + len(strips)]):
                strips[at] = self.make_strip(((text, f"{MUTED} italic"),))
            return strips
        if self.is_live:
            self._draw_caret(y, strips)
        last = self.size.height - 1 - y
        if (chip := self._chip()) and 0 <= last < len(strips):
            left = strips[last].crop(0, max(0, self.size.width - len(chip)))
            drawn = Segment(chip, self.style_of("$block-cursor-foreground on $primary"))
            strips[last] = Strip.join([left, Strip([drawn], len(chip))])
        return strips

    def _settle(self) -> None:
        """Bring `top` in order after the rows changed."""
        if self._is_following:
            self.set_reactive(LineView.top, self.max_top)
        else:
            self.set_reactive(LineView.top, self.validate_top(self.top))

    def _chip(self) -> str:
        count = self.unseen_rows
        return f" {count} new {'line' if count == 1 else 'lines'} " if count else ""

    def _draw_caret(self, y: int, strips: list[Strip]) -> None:
        row = self.end_row - 1
        at = row - self.top - y
        if not 0 <= at < len(strips):
            return
        text = self._buffer.row(row)
        spans = [*self.row_spans(row), (signs_of(self.app).caret, "$accent")]
        if len(text) < self.size.width:
            strips[at] = self.make_strip(spans, self.row_style(row))
