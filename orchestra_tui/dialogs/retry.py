"""The dialog for another attempt: a note to the agent, and who is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, TextArea

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.line_view import MUTED
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.plain_static import PlainStatic

_NAME_WIDTH = 18


@dataclass(frozen=True)
class RetryAnswer:
    """A note, and adapters in the order in which they are asked; empty for the usual chain."""

    note: str
    agents: tuple[str, ...] = ()


class AgentPicks(PickList):
    """The configured adapters; those that were chosen carry their place in the chain."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "swap", "choose", tooltip="ask this agent, or not", id="retry.choose"),
    ]

    def __init__(self, agents: Mapping[str, str], chosen: tuple[str, ...]) -> None:
        """`agents` is name -> what it is."""
        super().__init__(id="agents", empty="no agent is configured")
        self._agents = agents
        self.chosen = tuple(name for name in chosen if name in agents)

    def on_mount(self) -> None:
        """Show them."""
        self._draw()

    def action_swap(self) -> None:
        """Put the agent under the cursor at the end of the chain, or take it out."""
        if name := self.key:
            others = tuple(other for other in self.chosen if other != name)
            self.chosen = others if name in self.chosen else (*others, name)
            self._draw()

    @on(PickList.Picked)
    def _pick(self, event: PickList.Picked) -> None:
        event.stop()
        self.action_swap()

    def _draw(self) -> None:
        rows = []
        for name, about in self._agents.items():
            is_chosen = name in self.chosen
            place = f"{self.chosen.index(name) + 1}." if is_chosen else ""
            left = (
                (f"{place:>3} ", "$accent bold"),
                (fit(name, _NAME_WIDTH), "bold" if is_chosen else ""),
                (clean_line(about), MUTED),
            )
            rows.append(PickRow(name, left))
        self.show_rows(rows)


class RetryDialog(Dialog[RetryAnswer]):
    """Gives note and agents; None if it was left. With `needs_choice` one of them must be there."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    RetryDialog {
        .hint { color: $text-muted; }
        .hint { max-height: 4; }
        .caption { color: $text-muted; }
        #note { height: 4; max-height: 13vh; }
        #agents { height: auto; max-height: 15vh; }
        #problem { color: $text-error; height: auto; display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "try again", tooltip="make this attempt", id="retry.send"),
    ]

    def __init__(
        self,
        title: str,
        hint: str,
        agents: Mapping[str, str],
        *,
        chosen: tuple[str, ...] = (),
        needs_choice: bool = False,
        starts_with_agents: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._agents = agents
        self._chosen = chosen
        self._needs_choice = needs_choice
        self._starts_with_agents = starts_with_agents

    def title_text(self) -> str:
        """Which step."""
        return self._title

    def compose_body(self) -> ComposeResult:
        """What happens, the note, the agents."""
        yield PlainStatic(self._hint, classes="hint")
        yield PlainStatic("A note to the agent (may stay empty)", classes="caption")
        yield TextArea(id="note", highlight_cursor_line=False, tab_behavior="focus")
        yield PlainStatic("Who is asked, in this order; none is the usual chain", classes="caption")
        yield AgentPicks(self._agents, self._chosen)
        yield PlainStatic(id="problem")

    def compose_buttons(self) -> ComposeResult:
        """Try again or not."""
        yield from super().compose_buttons()
        yield Button(Content("Try again ^s"), id="send", variant="primary", compact=True)

    def on_mount(self) -> None:
        """The part that was asked for has the keys."""
        self.query_one("#agents" if self._starts_with_agents else "#note").focus()

    @on(Button.Pressed, "#send")
    def action_answer(self) -> None:
        """Give both."""
        note = self.query_one("#note", TextArea).text.strip()
        agents = self.query_one(AgentPicks).chosen
        if self._needs_choice and not note and not agents:
            words = "An attempt is under way: write a note for the next one, or choose who makes it"
            problem = self.query_one("#problem", PlainStatic)
            problem.update(words)
            problem.display = True
            return
        self.dismiss(RetryAnswer(note, agents))
