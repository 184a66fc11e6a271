"""The plan as Markdown, to read; nothing in it can be followed or run."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.text import clean


class PreviewDialog(Dialog[bool]):
    """Shows a Markdown text; links and images do not open anything."""

    CANCEL_TEXT = "Close"
    TITLE_TEXT = "Plan as Markdown"
    DEFAULT_CSS = """
    PreviewDialog #dialog { width: 110; height: 90%; }
    PreviewDialog VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    """

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self._markdown = markdown

    def compose_body(self) -> ComposeResult:
        """The text."""
        # Its parser costs a tenth of the start-up, and most runs never open a preview.
        from textual.widgets import Markdown

        with VerticalScroll():
            yield Markdown(clean(self._markdown), open_links=False)
