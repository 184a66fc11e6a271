"""A large number with what it counts below it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Digits

from orchestra_tui.widgets.metric_words import Tile
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import ASCII, signs_of


class MetricTile(Vertical):
    """One tile; terminals without line drawing get the number in bold."""

    DEFAULT_CSS = """
    MetricTile {
        width: 1fr;
        height: 4;
        Digits { width: 1fr; color: $accent; }
        .value { height: 3; color: $accent; text-style: bold; content-align: left bottom; }
        .label { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def compose(self) -> ComposeResult:
        """Number and label."""
        is_plain = signs_of(self.app) == ASCII
        yield PlainStatic(classes="value") if is_plain else Digits()
        yield PlainStatic(classes="label")

    def show_tile(self, tile: Tile) -> None:
        """Show this number."""
        for digits in self.query(Digits):
            digits.update(tile.value)
        for value in self.query(".value").results(PlainStatic):
            value.update(tile.value)
        self.query_one(".label", PlainStatic).update(tile.label)
