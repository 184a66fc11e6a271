"""A damaged file taken over by hand: edited in place, judged while it is typed.

The rule a reader must not break: the text is the user's. It leaves here as it was typed, in
messages; nothing in here drops it, and what is shown of it is not what is kept of it.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.timer import Timer
from textual.widgets import TextArea

from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.issue_list import IssueList
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import signs_of

_QUIET = 0.4
"""Seconds without a key after which the text is judged and kept."""


def keeps_every_character(text: str) -> bool:
    """False for a text that the field would change: it takes form feeds, line separators and lone
    carriage returns for line ends, and gives line feeds back."""
    normal = text.replace("\r\n", "\n")
    return normal.removesuffix("\n").split("\n") == (normal.splitlines() or [""])


class CodeArea(TextArea):
    """A text field with line numbers; lines with findings carry a sign in the gutter."""

    def __init__(self) -> None:
        # Without wrapping a row is a line, which the signs in the gutter rely on.
        super().__init__(
            "",
            show_line_numbers=True,
            soft_wrap=False,
            tab_behavior="indent",
            highlight_cursor_line=True,
        )
        self._found: frozenset[int] = frozenset()

    def mark_lines(self, lines: frozenset[int]) -> None:
        """Put the sign at these lines, counted from 1."""
        if lines != self._found:
            self._found = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line, with its sign where something was found."""
        strip = super().render_line(y)
        if self.scroll_offset.y + y + 1 not in self._found:
            return strip
        width = self.gutter_width
        gutter = strip.crop(width - 2, width)
        under = next((part.style for part in gutter if part.style), RichStyle())
        error = Style.parse("$text-error", self.app.theme_variables).rich_style
        sign = Segment(f"{signs_of(self.app).needs_user} ", under + RichStyle(color=error.color))
        return Strip.join([strip.crop(0, width - 2), Strip([sign]), strip.crop(width)])


class HandEditor(Vertical):
    """A head, the field, what was found in the text, and what can be done with it."""

    DEFAULT_CSS = """
    HandEditor {
        height: 1fr;
        #hand-head { height: 1; padding: 0 1; color: $text-warning; text-wrap: nowrap; text-overflow: ellipsis; }
        CodeArea { height: 1fr; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
        CodeArea:focus { border: none; background: $panel; }
        #hand-findings { height: auto; max-height: 5; }
        #hand-note { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        #hand-note.-obstacle { height: auto; max-height: 5; text-wrap: wrap; }
    }
    """  # noqa: E501
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "write", "write it", id="hand.write", priority=True,
                tooltip="Put this text in place of the file, if nothing is wrong with it"),
        Binding("escape", "leave", "leave, keep draft", id="hand.leave", priority=True,
                tooltip="Back to the console; what you wrote is kept"),
        Binding("ctrl+o", "open_editor", "$EDITOR", id="hand.editor", priority=True,
                tooltip="Go on with this text in your editor"),
        Binding("ctrl+t", "other_start", "begin from", id="hand.other_start", priority=True,
                tooltip="Begin from another text: the damaged, the written, the last good one"),
        Binding("ctrl+g", "take_anyway", "accept anyway", id="hand.accept_anyway", priority=True,
                tooltip="Take this text although something is found in it, with a reason"),
        Binding("ctrl+n", "next_finding", "next finding", show=False, id="hand.next_finding",
                priority=True, tooltip="To the next finding"),
    ]  # fmt: skip

    class Edited(Message):
        """The user stopped typing; `text` is the whole text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Wanted(Message):
        """The user wants something done with the text: `write`, `leave`, `open_editor`,
        `other_start` or `take_anyway`."""

        def __init__(self, what: str, text: str) -> None:
            super().__init__()
            self.what = what
            self.text = text

    area = query_one(CodeArea)
    findings = query_one("#hand-findings", IssueList)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._timer: Timer | None = None
        self._told = ""
        self._obstacle = ""
        self._judged: tuple[Sequence[Diagnostic] | None, str] = (None, "")

    def compose(self) -> ComposeResult:
        """Head, field, findings, note."""
        yield PlainStatic(id="hand-head")
        yield CodeArea()
        yield IssueList(id="hand-findings")
        yield PlainStatic(id="hand-note")

    @property
    def text(self) -> str:
        """The text as it stands."""
        return self.area.text

    def begin(self, path: str, text: str, told: str) -> None:
        """Edit `text`; `told` says what it is."""
        self._stop()
        self.query_one("#hand-head", PlainStatic).update(
            f"by hand: {clean_line(path)} · {clean_line(told)}", layout=False
        )
        self._told = text
        self.area.load_text(text)
        self.show_findings(None)
        self.area.focus()
        self.post_message(self.Edited(text))

    def begin_again(self, text: str, told: str) -> None:
        """Put another text in the field; undo brings the one before back."""
        area = self.area
        area.replace(text, area.document.start, area.document.end)
        area.move_cursor((0, 0))
        self.app.notify(f"Now: {clean_line(told)}. ^z brings yours back.", markup=False, timeout=4)

    def show_findings(self, found: Sequence[Diagnostic] | None, problem: str = "") -> None:
        """Show what the validator says; None is not asked yet, `problem` why it says nothing."""
        self._judged = (found, problem)
        shown = found or ()
        self.findings.show_findings((), shown)
        self.findings.display = bool(shown)
        self.area.mark_lines(frozenset(each.line for each in shown if each.line))
        note = self.query_one("#hand-note", PlainStatic)
        note.set_class(bool(self._obstacle), "-obstacle")
        note.update(spans_content(self._note(found, problem)), layout=bool(self._obstacle))

    def show_obstacle(self, words: str) -> None:
        """Say why the text cannot be written now, whatever is found in it; empty if it can."""
        if words != self._obstacle:
            self._obstacle = words
            self.show_findings(*self._judged)

    def _note(self, found: Sequence[Diagnostic] | None, problem: str) -> list[Span]:
        signs = signs_of(self.app)
        if self._obstacle:
            return [(f"{signs.needs_user} {self._obstacle}", "$text-warning bold")]
        if problem:
            return [(f"{signs.failed} {clean_line(problem)}", "$text-error")]
        if found is None:
            return [("looking at it…", MUTED)]
        if not found:
            return [(f"{signs.accepted} nothing is found in it: ^s writes it", "$text-success")]
        words = f"{signs.needs_user} {plural(len(found), 'finding')}: ^s is refused while it is"
        return [(f"{words} damaged, ^g takes it with a reason", "$text-warning")]

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.area.text == self._told:
            return
        self._stop()
        self._timer = self.set_timer(_QUIET, self._tell)

    def tell_now(self) -> None:
        """Hand the text over at once, before the screen is left."""
        if self._timer is not None:
            self._tell()

    def _tell(self) -> None:
        self._stop()
        self._told = self.area.text
        self.show_findings(None)
        self.post_message(self.Edited(self._told))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    @on(PickList.Picked, "#hand-findings")
    def _go_to_finding(self, event: PickList.Picked) -> None:
        event.stop()
        self._go_to(self.findings.line)

    @on(PickList.Moved, "#hand-findings")
    def _moved(self, event: PickList.Moved) -> None:
        event.stop()

    def action_next_finding(self) -> None:
        """Put the cursor on the line of the next finding."""
        rows = self.findings.rows
        lines = sorted({int(row.key.rsplit(":", 1)[-1]) for row in rows if row.key} - {0})
        at = self.area.cursor_location[0] + 1
        if lines:
            self._go_to(next((line for line in lines if line > at), lines[0]))

    def _go_to(self, line: int) -> None:
        if line:
            self.area.move_cursor((min(line, self.area.document.line_count) - 1, 0), center=True)
            self.area.focus()

    def action_write(self) -> None:
        """Put the text in place of the file."""
        self._want("write")

    def action_leave(self) -> None:
        """Back to the console; the draft stays."""
        self._want("leave")

    def action_open_editor(self) -> None:
        """Go on in $EDITOR."""
        self._want("open_editor")

    def action_other_start(self) -> None:
        """Begin from another text."""
        self._want("other_start")

    def action_take_anyway(self) -> None:
        """Take the text with a reason."""
        self._want("take_anyway")

    def _want(self, what: str) -> None:
        # These keys go before others, also before letters that the field has not taken yet.
        self.area.call_later(self._hand_over, what)

    def _hand_over(self, what: str) -> None:
        self.tell_now()
        self.post_message(self.Wanted(what, self.area.text))
