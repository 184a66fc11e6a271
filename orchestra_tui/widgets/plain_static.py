"""The one way from foreign text to the screen: cleaned, and never markup.

The rule a reader must not break: a computed `str` reaches the terminal through here, because
`[@click=...]` in a `str` runs an action and an OSC 52 sequence writes the clipboard (measured
with textual 8.2.8 in nearly every widget).
"""

from collections.abc import Iterable

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.visual import VisualType
from textual.widgets import Static

from orchestra_tui.domain.text import clean, clean_line


def plain(text: str, style: str = "") -> Content:
    """`text` as content that cannot act: cleaned, no markup; newlines stay."""
    return Content.styled(clean(text), style) if style else Content(clean(text))


def plain_line(text: str, style: str = "") -> Content:
    """`text` on one line as content that cannot act."""
    return Content.styled(clean_line(text), style) if style else Content(clean_line(text))


class PlainStatic(Static):
    """A Static that takes any `str` safely; `Content` made by us is shown as it is."""

    def __init__(
        self,
        content: str | Content = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        shown = plain(content) if isinstance(content, str) else content
        super().__init__(shown, markup=False, name=name, id=id, classes=classes)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show something else; with `layout` False its size must not change."""
        shown = plain(content) if isinstance(content, str) else content
        super().update(shown, layout=layout)


class Sanitize(LineFilter):
    """The last line of defence: no rendered segment carries a control or bidi character."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments with every character a terminal might obey replaced."""
        return list(_clean_segments(segments))


def _clean_segments(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        text, style, control = segment
        # Nearly all text is printable ASCII; that test is far cheaper than a translation.
        if control or (text.isascii() and text.isprintable()):
            yield segment
        else:
            yield Segment(clean_line(text), style, control)
