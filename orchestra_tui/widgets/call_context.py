"""What one model call was sent, and what was left out for its size."""

from collections.abc import Sequence

from orchestra_tui.domain.calls import CallPatience, ContextItem
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import plural, size_text
from orchestra_tui.widgets.line_view import MUTED, LineView, Span, Spans
from orchestra_tui.widgets.pick_list import justify

_SIZE = 8


def context_summary(context: Sequence[ContextItem]) -> str:
    """One line: `sent 6 items, 12.4 kB; left out 2, 31.0 kB`."""
    if not context:
        return "sent the task and the plan, no files"
    sent = [item for item in context if item.sent]
    cut = [item for item in context if not item.is_whole]
    text = f"sent {plural(len(sent), 'item')}, {size_text(sum(item.sent for item in sent))}"
    if cut:
        missing = sum(item.size - item.sent for item in cut)
        text += f"; left out {size_text(missing)} of {plural(len(cut), 'item')}"
    return text


class CallContext(LineView):
    """The context of a call as a table: what was left out first, then what was sent."""

    DEFAULT_CSS = """
    CallContext { background: transparent; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._items: tuple[ContextItem, ...] = ()
        self._patience: CallPatience | None = None
        self._rows: list[tuple[list[Span], list[Span]]] = []

    @property
    def end_row(self) -> int:
        """The number of rows."""
        return len(self._rows)

    def show_context(
        self, context: Sequence[ContextItem], patience: CallPatience | None = None
    ) -> None:
        """Show what this call was sent, and how long it is waited for."""
        context = tuple(context)
        if (context, patience) == (self._items, self._patience) and self._rows:
            return
        self._items, self._patience = context, patience
        cut = [item for item in context if not item.is_whole]
        whole = [item for item in context if item.is_whole]
        self._rows = []
        if not context:
            self._caption("the task and the plan were sent, no files")
        if cut:
            self._caption("left out for its size")
            self._rows += [_item_row(item) for item in cut]
        if whole:
            self._caption("sent whole")
            self._rows += [_item_row(item) for item in whole]
        if patience is not None:
            self._caption("waited for, at most")
            self._rows += [([(line, MUTED)], []) for line in _patience_lines(patience)]
        self.top = 0
        self.forget_rows()

    def row_spans(self, row: int) -> Spans:
        """An item, its reason and its sizes in fixed columns."""
        left, right = self._rows[row]
        return justify(left, right, self.size.width)

    def _caption(self, text: str) -> None:
        self._rows.append(([(text, f"{MUTED} bold")], []))


def _patience_lines(patience: CallPatience) -> tuple[str, ...]:
    waits = (
        f"  {patience.first_byte:g} s for the first piece, {patience.idle:g} s between pieces, "
        f"{patience.total:g} s in all"
    )
    return (waits, f"  for {patience.why}") if patience.why else (waits,)


def _item_row(item: ContextItem) -> tuple[list[Span], list[Span]]:
    left: list[Span] = [
        (f"  {clean_line(item.what)}", "" if item.sent else "$text-warning"),
        (f"  {clean_line(item.why)}", MUTED),
    ]
    sent = f"{size_text(item.sent):>{_SIZE}}"
    if item.is_whole:
        return left, [(sent, "")]
    whole = f" of {size_text(item.size):>{_SIZE}}"
    return left, [(sent, "$text-warning"), (whole, MUTED)]
