"""LinePane and its buffer: the same rows however the stream is cut, and a reader left in peace."""

import random

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region

from orchestra_tui.domain.text import clean
from orchestra_tui.widgets.line_buffer import LineBuffer, wrap_cells
from orchestra_tui.widgets.line_pane import LinePane, Ticker
from orchestra_tui.widgets.line_view import LineView, Spans
from orchestra_tui.widgets.plain_static import Sanitize

OSC_52 = "\x1b]52;c;ZXZpbA==\x07"
_TEXT = st.text(alphabet="ab \t\n\r漢é\u0301\x1b\u202e[", max_size=120)


def rows_of(buffer: LineBuffer) -> list[str]:
    """Every row that is kept."""
    return [buffer.row(number) for number in range(buffer.first, buffer.end)]


@given(text=_TEXT, width=st.integers(1, 20), data=st.data())
def test_rows_do_not_depend_on_how_a_stream_is_cut(
    text: str, width: int, data: st.DataObject
) -> None:
    """A piece may end inside a line, an escape or a line end."""
    whole, pieces = LineBuffer(), LineBuffer()
    whole.resize(width)
    pieces.resize(width)
    whole.append(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        pieces.append(text[start:end])
    assert pieces.text() == whole.text() == clean(text.removesuffix("\r"))
    assert "".join(rows_of(pieces)) == "".join(rows_of(whole))


@given(text=st.text(alphabet="ab 漢é\u0301", max_size=80), width=st.integers(2, 20))
def test_wrapping_keeps_every_character_within_the_width(text: str, width: int) -> None:
    """Rows join to the text, and none is wider than the pane."""
    rows = wrap_cells(text, width)
    assert "".join(rows) == text
    assert all(cell_len(row) <= width for row in rows)


def test_buffer_is_bounded_and_keeps_its_row_numbers() -> None:
    """Old lines go, the numbers of the rows that stay do not change."""
    buffer = LineBuffer(max_lines=100)
    for number in range(1_000):
        buffer.append(f"line {number}\n")
    assert buffer.end == 1_001
    assert buffer.end - buffer.first <= 130
    assert buffer.row(999) == "line 999"


def test_one_endless_line_is_bounded() -> None:
    """Megabytes without a newline cost neither memory nor time out of proportion."""
    buffer = LineBuffer(max_chars=100_000)
    for _ in range(2_000):
        buffer.append("x" * 1_000)
    assert len(buffer.text()) <= 100_000 + 65_536 + 25_000


def test_a_pile_of_combining_marks_is_cut() -> None:
    """A million marks on one letter make bounded rows, and none is lost."""
    text = "a" + "\u0301" * 100_000
    rows = wrap_cells(text, 40)
    assert "".join(rows) == text
    assert max(map(len, rows)) <= 8 * 40


class PaneApp(App[None]):
    """One pane with the shared ticker."""

    def compose(self) -> ComposeResult:
        """The pane alone."""
        yield LinePane(id="pane")

    def on_mount(self) -> None:
        """Tick."""
        self.ticker = Ticker(self, self.query_one(LinePane).flush)
        self.ticker.resume()
        self.query_one(LinePane).focus()


def wheel_up(pane: LinePane) -> events.MouseScrollUp:
    """One notch of the wheel over the pane; a pilot has no wheel of its own."""
    return events.MouseScrollUp(
        pane, 1, 1, delta_x=0, delta_y=-1, button=0, shift=False, meta=False, ctrl=False
    )


def shown(view: LineView) -> list[str]:
    """The rows as they are on the screen."""
    strips = view.render_lines(Region(0, 0, *view.size))
    return [strip.text.rstrip() for strip in strips]


async def test_feed_only_keeps_and_the_tick_draws() -> None:
    """Nothing is wrapped or drawn until the shared tick."""
    app = PaneApp()
    async with app.run_test(size=(20, 5)) as pilot:
        pane = app.query_one(LinePane)
        app.ticker.pause()
        pane.feed("one\ntwo")
        assert not pane.has_text
        app.ticker.resume()
        await pilot.pause(0.1)
        assert shown(pane)[:2] == ["one", "two"]


async def test_reader_who_scrolled_up_is_left_in_peace() -> None:
    """The view follows at the bottom only; else a chip counts what came."""
    app = PaneApp()
    async with app.run_test(size=(30, 6)) as pilot:
        pane = app.query_one(LinePane)
        pane.feed("".join(f"line {n}\n" for n in range(40)))
        pane.flush()
        assert shown(pane)[-2] == "line 39"
        await pilot.press("pageup")
        before = shown(pane)[:-1]
        pane.feed("more\nand more\n")
        pane.flush()
        assert shown(pane)[:-1] == before
        assert shown(pane)[-1].endswith("2 new lines")
        await pilot.press("end")
        assert shown(pane)[-2] == "and more"
        pane.feed("last\n")
        pane.flush()
        assert shown(pane)[-2] == "last"


async def test_chip_and_wheel_work_with_the_mouse() -> None:
    """The wheel leaves the bottom, a click on the chip goes back."""
    app = PaneApp()
    async with app.run_test(size=(30, 6)) as pilot:
        pane = app.query_one(LinePane)
        pane.feed("".join(f"line {n}\n" for n in range(40)))
        pane.flush()
        pane.post_message(wheel_up(pane))
        await pilot.pause()
        assert not pane.is_following
        pane.feed("new\n")
        pane.flush()
        await pilot.click("#pane", offset=(28, 5))
        assert pane.is_following


async def test_resize_wraps_anew_and_keeps_following() -> None:
    """Another width changes rows, not text."""
    app = PaneApp()
    async with app.run_test(size=(40, 6)) as pilot:
        pane = app.query_one(LinePane)
        pane.feed("0123456789" * 5 + "\nend")
        pane.flush()
        await pilot.resize_terminal(10, 8)
        await pilot.pause()
        assert shown(pane)[:6] == ["0123456789"] * 5 + ["end"]
        assert pane.is_following


async def test_selection_copies_text_without_soft_breaks() -> None:
    """What was wrapped is copied as the one line it is."""
    app = PaneApp()
    async with app.run_test(size=(10, 6)) as pilot:
        pane = app.query_one(LinePane)
        pane.feed("0123456789abcdef\nsecond")
        pane.flush()
        await pilot.pause()
        await pilot.mouse_down(pane, offset=(8, 0))
        await pilot.hover(pane, offset=(3, 1))
        await pilot.mouse_up(pane, offset=(3, 1))
        await pilot.press("y")
        assert app.clipboard == "89abcd"


class Dirty(LineView):
    """A view that breaks the rule and hands out raw text."""

    end_row = 1

    def row_spans(self, row: int) -> Spans:
        """Raw."""
        return ((f"a{OSC_52}\u202eb", ""),)


class Shout(LineFilter):
    """A filter whose work can be seen."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Upper case."""
        return [Segment(text.upper(), style, control) for text, style, control in segments]


class DirtyApp(App[None]):
    """The App's own filters over a view that forgot to clean."""

    def compose(self) -> ComposeResult:
        """Both kinds."""
        yield Dirty()
        yield LinePane()

    def get_line_filters(self) -> list[LineFilter]:
        """Two that can be told apart."""
        return [*super().get_line_filters(), Sanitize(), Shout()]


async def test_line_filters_see_every_row() -> None:
    """Overriding render_lines must not open the last line of defence."""
    app = DirtyApp()
    async with app.run_test(size=(40, 10)):
        text = shown(app.query_one(Dirty))[0]
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert text.startswith("A␛]52;C;ZXZPBA==␇")


async def test_hostile_text_is_shown_not_obeyed() -> None:
    """Escapes split over chunks, markup and bidi come out as visible characters."""
    app = PaneApp()
    async with app.run_test(size=(60, 10)):
        pane = app.query_one(LinePane)
        seeded = random.Random(7)
        hostile = f"{OSC_52}[@click=app.quit]x[/] Optional[str] \u202eevil \x9b2J\r\nnext\rback"
        at = 0
        while at < len(hostile):
            size = seeded.randint(1, 4)
            pane.feed(hostile[at : at + size])
            pane.flush()
            at += size
        text = "\n".join(shown(pane))
        assert "[@click=app.quit]x[/] Optional[str]" in text
        assert "␛]52;c;ZXZpbA==␇" in text
        assert "next␍back" in text
        assert not any(character in text for character in "\x1b\x07\x9b\u202e\r")
