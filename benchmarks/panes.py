"""How our line widgets compare with the stock ones, as ratios measured in one run.

    python benchmarks/panes.py [--panes 4] [--chunks 4000]

Streams the same chunks into panes of our own and into RichLogs, and opens the same long diff in
our view and in a RichLog. Absolute figures belong to one machine and one day: read the ratios.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Sequence

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.widget import Widget
from textual.widgets import RichLog

from orchestra_tui.engine.git.diff import diff_bytes
from orchestra_tui.widgets.diff_view import DiffView
from orchestra_tui.widgets.line_pane import LinePane, Ticker

SIZE = (160, 48)
ROUNDS = 3
CHUNK = "some streamed words of a model, "
BURST = 50
"""Chunks between two turns of the event loop, as they come off sockets."""


class PanesApp(App[None]):
    """A grid of panes of one kind."""

    CSS = "Grid { grid-size: 2; }"

    def __init__(self, make: Callable[[], Widget], count: int) -> None:
        super().__init__()
        self._make = make
        self._count = count

    def compose(self) -> ComposeResult:
        """The panes."""
        with Grid():
            for _ in range(self._count):
                yield self._make()

    def on_mount(self) -> None:
        """Our panes share one timer."""
        panes = list(self.query(LinePane))
        self.ticker = Ticker(self, lambda: [pane.flush() for pane in panes])
        if panes:
            self.ticker.resume()


class DiffApp(App[None]):
    """One widget for a diff."""

    def __init__(self, make: Callable[[], Widget]) -> None:
        super().__init__()
        self._make = make

    def compose(self) -> ComposeResult:
        """The widget."""
        yield self._make()


async def chunks_per_second(make: Callable[[], Widget], panes: int, chunks: int) -> float:
    """Stream `chunks` round robin, every one of them drawn at the end."""
    app = PanesApp(make, panes)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        widgets = [*app.query(LinePane), *app.query(RichLog)]
        started = time.perf_counter()
        for number in range(chunks):
            text = CHUNK + ("\n" if number % 3 == 2 else "")
            widget = widgets[number % panes]
            if isinstance(widget, LinePane):
                widget.feed(text)
            else:
                widget.write(text)
            if number % BURST == BURST - 1:
                await asyncio.sleep(0)
        await pilot.pause()
        for pane in app.query(LinePane):
            pane.flush()
        await pilot.pause()
        return chunks / (time.perf_counter() - started)


def long_diff(lines: int) -> tuple[bytes, bytes]:
    """Both sides of a file in which every tenth line changes."""
    old = [f"value_{n} = compute({n}, 'text')  # line {n}\n" for n in range(lines)]
    new = [
        line.replace("compute", "measure") if n % 10 == 0 else line for n, line in enumerate(old)
    ]
    return "".join(old).encode(), "".join(new).encode()


async def open_own(lines: int) -> float:
    """Seconds from the diff to the painted screen in our view."""
    diff = diff_bytes("long.py", *long_diff(lines))
    app = DiffApp(DiffView)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        started = time.perf_counter()
        app.query_one(DiffView).show_file(diff)
        await pilot.pause()
        return time.perf_counter() - started


async def open_log(lines: int) -> float:
    """Seconds for the same lines, uncoloured, in a RichLog."""
    diff = diff_bytes("long.py", *long_diff(lines))
    app = DiffApp(RichLog)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        log = app.query_one(RichLog)
        started = time.perf_counter()
        for hunk in diff.hunks:
            for line in hunk.lines:
                log.write(line.text.rstrip("\n"))
        await pilot.pause()
        return time.perf_counter() - started


def median(values: Sequence[float]) -> float:
    """The middle of the rounds, which are interleaved."""
    return statistics.median(values)


async def measure(panes: int, chunks: int) -> None:
    """All comparisons, interleaved."""
    own, stock, own_diff, stock_diff, short_diff = [], [], [], [], []
    for _ in range(ROUNDS):
        own.append(await chunks_per_second(LinePane, panes, chunks))
        stock.append(await chunks_per_second(RichLog, panes, chunks // 4))
        short_diff.append(await open_own(1_000))
        own_diff.append(await open_own(10_000))
        stock_diff.append(await open_log(10_000))
    print(
        f"chunks per second, {panes} panes: LinePane / RichLog = {median(own) / median(stock):.1f}"
    )
    print(f"10,000-line diff: RichLog / DiffView = {median(stock_diff) / median(own_diff):.1f}")
    print(f"DiffView, 10,000 / 1,000 lines = {median(own_diff) / median(short_diff):.1f}")
    print(f"(here and now: {median(own):,.0f} chunks/s, {median(own_diff) * 1000:.0f} ms)")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panes", type=int, default=4)
    parser.add_argument("--chunks", type=int, default=4_000)
    options = parser.parse_args()
    asyncio.run(measure(options.panes, options.chunks))


if __name__ == "__main__":
    main()
