"""One agent at work: who, on what, for how long, and what it writes as it writes it.

The rule a reader must not break: the text is pulled from the stream buffers at the shared tick
(`pull`); records only change the header and the notice (`show_work`).
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.domain.money import usd_text
from orchestra_tui.domain.state import CallState, CallStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.agent_work import AgentWork, WorkState
from orchestra_tui.widgets.call_context import CallContext, context_summary
from orchestra_tui.widgets.figures import clock_text, count_text
from orchestra_tui.widgets.frame import REHEARSAL_LABEL
from orchestra_tui.widgets.line_pane import LinePane
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import justify
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import role_style, signs_of
from orchestra_tui.widgets.streams import StreamBuffers

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for text in flight; the provider's own count replaces it at the end."""
_REPLY_MARKS = ("=== ", "<<<<<<< ", ">>>>>>> ")


def spans_content(spans: list[Span]) -> Content:
    """Clean spans as content, for widgets that are no line view."""
    return Content.assemble(*[(text, style) for text, style in spans])


class ReplyPane(LinePane):
    """A reply as it streams; the marks of the reply format stand back."""

    def line_style(self, row: int) -> str:
        """Mute the marker lines, so that the code stands out."""
        text = self.row_text(row)
        return MUTED if text.startswith(_REPLY_MARKS) or text == "=======" else ""


@dataclass
class _Flow:
    """How fast a stream comes in: counted, as the provider says nothing until the end."""

    characters: int = 0
    first_at: datetime | None = None

    @property
    def tokens(self) -> int:
        return self.characters // CHARACTERS_PER_TOKEN

    def add(self, text: str, now: datetime) -> None:
        if text:
            self.first_at = self.first_at or now
            self.characters += len(text)

    def rate(self, now: datetime) -> int:
        seconds = (now - self.first_at).total_seconds() if self.first_at else 0.0
        return int(self.tokens / seconds) if seconds >= 0.5 else 0


class AgentPane(Vertical):
    """A header, the streamed text (or what the call was sent), and a notice."""

    DEFAULT_CSS = """
    AgentPane {
        background: $surface;
        .pane-head { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; }
        .pane-note {
            height: 1; padding: 0 1; color: $text-muted;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        .pane-body { height: 1fr; padding: 0 1; }
        CallContext { display: none; }
        &.-context { CallContext { display: block; } ReplyPane { display: none; } }
        &.-current .pane-head { background: $primary 25%; }
        &.-ended .pane-head { opacity: 0.6; }
    }
    """

    class Chosen(Message):
        """The user turned to this pane."""

        def __init__(self, pane: "AgentPane") -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> "AgentPane":
            """The pane."""
            return self.pane

    shows_context: reactive[bool] = reactive(False, init=False)
    """What was sent is shown in place of what comes back."""

    reply = query_one(ReplyPane)
    context = query_one(CallContext)

    def __init__(self, work: AgentWork) -> None:
        super().__init__()
        self.work = work
        self.slot = work.slot
        self.is_ended = False
        """Its work is over."""
        self.ended_at: datetime | None = None
        """When that was first seen."""
        self._stream = ""
        self._place = 0
        self._flow = _Flow()
        self._failed_at: datetime | None = None
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Header, body, notice."""
        yield PlainStatic(classes="pane-head")
        with Vertical(classes="pane-body"):
            yield ReplyPane()
            yield CallContext()
        yield PlainStatic(classes="pane-note")

    def show_work(self, work: AgentWork) -> None:
        """Take the work as it is now."""
        if work.call != self.work.call:
            self._failed_at = None
        self.work = work
        self.is_ended, self.ended_at = False, None
        self.remove_class("-ended")

    def finish(self, call: CallState | None = None) -> None:
        """Its work is over; the pane stays a moment. `call` is its newest call as it came out."""
        if call is not None:
            self.work = replace(self.work, call=call)
        self.is_ended = True
        self.add_class("-ended")

    def pull(self, streams: StreamBuffers, now: datetime) -> None:
        """Show what has come since, and the figures as of `now`."""
        reply = self.reply
        if self.is_ended:
            self.ended_at = self.ended_at or now
        if self.work.state is WorkState.RETRYING:
            self._failed_at = self._failed_at or now
        if self.work.stream != self._stream:
            self._stream = self.work.stream
            self._place, self._flow = 0, _Flow()
            reply.restart()
        if self._stream and not self.is_ended:
            piece = streams.since(self._stream, self._place)
            if piece.is_restart:
                self._flow = _Flow()
                reply.restart(piece.text)
            elif piece.text:
                reply.feed(piece.text)
            self._flow.add(piece.text, now)
            self._place = piece.end
        reply.flush()
        self._show_figures(now)

    def action_toggle_context(self) -> None:
        """Show what the call was sent, or its reply again."""
        self.shows_context = not self.shows_context

    def watch_shows_context(self, shows_context: bool) -> None:
        """One body or the other; the focus goes along."""
        had_focus = self.has_focus_within
        self.set_class(shows_context, "-context")
        if shows_context and self.work.call is not None:
            self.context.show_context(self.work.call.context, self.work.call.patience)
        if had_focus:
            self.focus_body()

    def focus_body(self) -> None:
        """Take the keys."""
        (self.context if self.shows_context else self.reply).focus()

    def let_go(self) -> None:
        """Leave the screen, and neither keep nor get the focus.

        Textual gives the focus of a widget that goes to a neighbour, even to one that goes in the
        same moment, and a `focus()` takes effect later: every key would then go to nobody.
        """
        self.disabled = True
        self.remove()

    def on_descendant_focus(self) -> None:
        """The pane in use is marked, and its owner told."""
        self.post_message(self.Chosen(self))

    def _show_figures(self, now: datetime) -> None:
        """Header and notice, drawn only when they say something new."""
        state = WorkState.ENDED if self.is_ended else self.work.state
        elapsed = self.work.elapsed(now)
        rate = self._flow.rate(now)
        is_waiting = state is WorkState.RETRYING or self.work.wait is not None
        wait = self._wait(now) if is_waiting else 0
        shown = (
            self.work, state, int(elapsed or 0), rate, self._flow.tokens, wait, self.size.width,
        )  # fmt: skip
        if shown == self._shown:
            return
        self._shown = shown
        reply = self.reply
        reply.is_live = state is WorkState.CALLING and reply.has_text
        reply.placeholder = _placeholder(state, self.work)
        width = max(0, self.size.width - 2)
        head = justify(self._who(), self._figures(elapsed, rate), width)
        self.query_one(".pane-head", PlainStatic).update(spans_content(head), layout=False)
        label: list[Span] = []
        if self.work.is_rehearsal:
            label.append((REHEARSAL_LABEL, "$text-warning"))
        note = justify([self._note(state, wait)], label, width)
        self.query_one(".pane-note", PlainStatic).update(spans_content(note), layout=False)
        if self.shows_context and self.work.call is not None:
            self.context.show_context(self.work.call.context, self.work.call.patience)

    def _who(self) -> list[Span]:
        role, *tries = self.work.title.split(" · ")
        spans: list[Span] = [(role, f"{role_style(self.work.role)} bold")]
        spans += [(f" · {word}", "$text-warning") for word in tries]
        spans.append((f" · {self.work.path}", ""))
        if self.work.adapter:
            spans.append((f" · {self.work.adapter}", MUTED))
        return spans

    def _figures(self, elapsed: float | None, rate: int) -> list[Span]:
        """Time, tokens and speed in columns of a fixed width."""
        call = self.work.call
        counted = call.usage.output_tokens if call is not None else None
        tokens = f"{count_text(counted)}" if counted is not None else ""
        if counted is None and self._flow.characters:
            tokens = f"~{count_text(self._flow.tokens)}"
        clock = clock_text(elapsed) if elapsed is not None else ""
        room = self.size.width
        parts = [f"{clock:>5}"]
        if room >= 44:
            parts.append(f"{tokens:>6} tok" if tokens else " " * 10)
        if room >= 54 and call is not None and call.cost is not None and call.cost.usd:
            parts.append(f"{usd_text(call.cost.usd):>7}")
        elif room >= 60:
            parts.append(f"{rate:>4}/s" if rate else " " * 6)
        return [(" ".join(parts), MUTED)]

    def _wait(self, now: datetime) -> int:
        """Seconds until the next try."""
        call = self.work.call
        if self.work.wait is not None:
            return max(0, round((self.work.wait.until - now).total_seconds()))
        if call is None or call.retry_in is None or self._failed_at is None:
            return 0
        return max(0, math.ceil(call.retry_in - (now - self._failed_at).total_seconds()))

    def _note(self, state: WorkState, wait: int) -> Span:
        """What must be known now: a wait, a refusal, else what was sent."""
        call, signs = self.work.call, signs_of(self.app)
        if self.work.wait is not None and state is not WorkState.ENDED:
            who = clean_line(self.work.wait.adapter)
            reason = clean_line(self.work.wait.reason)
            return f"{signs.cooling} waits for {who}, {wait} s at most: {reason}", "$text-warning"
        if state is WorkState.RETRYING and call is not None:
            when = f"retrying in {wait} s" if wait else "retrying now"
            return f"{signs.cooling} {when}: {clean_line(call.error)}", "$text-warning"
        if call is not None and call.refused:
            return f"{signs.failed} refused: {clean_line(call.refused)}", "$text-error"
        if call is not None and call.doubt and state is not WorkState.ENDED:
            return f"{signs.partial} {clean_line(call.doubt)}", "$text-warning"
        if self.work.refusal and state is not WorkState.ENDED:
            text = f"{signs.recovering} the last reply was refused: {self.work.refusal}"
            return text, "$text-warning"
        if state is WorkState.ENDED:
            return self._end_note()
        if call is not None and call.is_cached:
            saved = call.saved_cost
            price = f", {usd_text(saved.usd)} saved" if saved is not None and saved.usd else ""
            return f"{signs.accepted} from an earlier run: nobody was asked{price}", MUTED
        if call is not None and call.hops:
            left = clean_line(call.hops[-1].left)
            cause = clean_line(call.hops[-1].cause).removeprefix(f"{left}: ")
            text = f"instead of {left}: {cause}"
            return f"{signs.cooling} {text}", "$text-warning"
        return context_summary(call.context) if call is not None else "", MUTED

    def _end_note(self) -> Span:
        call, signs = self.work.call, signs_of(self.app)
        match call.status if call is not None else None:
            case CallStatus.FAILED if call is not None:
                return f"{signs.failed} {clean_line(call.error)}", "$text-error"
            case CallStatus.ABANDONED:
                return "stopped", MUTED
        return f"{signs.accepted} done", "$text-success"


def _placeholder(state: WorkState, work: AgentWork) -> str:
    """What the empty body says; a cause stands here in full, the notice may cut it."""
    if work.refusal and state in {WorkState.PREPARING, WorkState.CALLING}:
        return f"the last reply was refused: {work.refusal}"
    match state:
        case WorkState.PREPARING if work.wait is not None:
            return f"waits for {clean_line(work.wait.adapter)}: {clean_line(work.wait.reason)}"
        case WorkState.PREPARING:
            return "reading the files it needs…"
        case WorkState.CALLING:
            return "asked; waiting for the first byte…"
        case WorkState.RETRYING:
            return f"the call failed: {clean_line(work.call.error)}" if work.call else ""
        case WorkState.CHECKING:
            return "answered; the reply is being checked…"
        case WorkState.ENDED:
            return ""
