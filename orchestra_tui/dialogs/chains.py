"""The editor of chains: for each role who is asked, in which order, and one link tested.

The rule a reader must not break: nothing is saved before ^s or the button, and a test is sent
only on its key.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button

from orchestra_tui.dialogs.base import Dialog
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.line_view import MUTED
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import role_style, role_title

TryLink = Callable[[str], Awaitable[str]]
"""Sends one tiny prompt to the adapter of this name; says how it went."""
Chains = dict[Role, tuple[str, ...]]
_ROLES = tuple(Role)
_NAME_WIDTH = 18


@dataclass(frozen=True)
class ChainLink:
    """An adapter that can be in a chain: its name, what it is, whether asking it costs."""

    name: str
    about: str = ""
    is_free: bool = False


class ChainDialog(Dialog[Chains]):
    """Gives the chains as edited, of every role; None if they were left."""

    AUTO_FOCUS = "#links"
    TITLE_TEXT = "Who is asked, first choice first"
    DEFAULT_CSS = """
    ChainDialog {
        #roles { height: 1; margin: 0 0 1 0; }
        #links { height: 12; max-height: 25vh; }
        #result { height: 2; color: $text-muted; }
        #moves { height: 1; }
        #moves Button { margin: 0 2 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "save", tooltip="save the chains", id="chains.save"),
        Binding(
            "left", "role(-1)", "role", show=False, tooltip="the role before", id="chains.left"
        ),
        Binding("right", "role(1)", "role", tooltip="the next role", id="chains.right"),
        Binding("space", "swap", "in/out", tooltip="add or remove this link", id="chains.toggle"),
        Binding("K", "shift(-1)", "up", tooltip="ask this link earlier", id="chains.up"),
        Binding("J", "shift(1)", "down", tooltip="ask this link later", id="chains.down"),
        Binding("t", "test", "test", tooltip="send one tiny prompt to this link", id="chains.test"),
    ]

    def __init__(
        self,
        links: Sequence[ChainLink],
        chains: Mapping[Role, Sequence[str]],
        try_link: TryLink,
        *,
        role: Role = Role.ARCHITECT,
    ) -> None:
        super().__init__()
        self._links = {link.name: link for link in links}
        self._chains: Chains = {
            role: tuple(name for name in chains.get(role, ()) if name in self._links)
            for role in _ROLES
        }
        self._try_link = try_link
        self._role = role
        self._results: dict[str, str] = {}

    def compose_body(self) -> ComposeResult:
        """The roles, the links of one, what can be done with them."""
        yield PlainStatic(id="roles")
        yield PickList(id="links", empty="Nothing is configured or found: f9 looks again")
        yield PlainStatic(id="result")
        with Horizontal(id="moves"):
            yield Button("Up K", id="up", compact=True)
            yield Button("Down J", id="down", compact=True)
            yield Button("In/out space", id="toggle", compact=True)
            yield Button("Test t", id="test", compact=True)

    def compose_buttons(self) -> ComposeResult:
        """Save or not."""
        yield from super().compose_buttons()
        yield Button("Save ^s", id="save", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Show the first role."""
        self._show()

    # --- what is shown ------------------------------------------------------------------------

    @property
    def _chain(self) -> tuple[str, ...]:
        return self._chains[self._role]

    @property
    def _picked(self) -> str:
        return self.query_one("#links", PickList).key

    def _show(self, key: str = "") -> None:
        titles = [
            (
                f" {role_title(role)} ",
                f"{role_style(role)} bold reverse" if role is self._role else role_style(role),
            )
            for role in _ROLES
        ]
        self.query_one("#roles", PlainStatic).update(Content.assemble(*titles))
        links = self.query_one("#links", PickList)
        links.show_rows(self._rows())
        if key:
            links.show_key(key)
        self._show_result()

    def _rows(self) -> list[PickRow]:
        rows = [self._row(name, f"{place}.") for place, name in enumerate(self._chain, 1)]
        if not rows and self._links:
            words = "nobody yet: all configured adapters are asked, in the order of the file"
            rows.append(PickRow("", ((words, f"{MUTED} italic"),)))
        others = [name for name in self._links if name not in self._chain]
        if others:
            rows.append(PickRow("", (("not in this chain", f"{MUTED} italic"),)))
            rows += [self._row(name, "") for name in others]
        return rows

    def _row(self, name: str, place: str) -> PickRow:
        link = self._links[name]
        style = "" if place else MUTED
        left = (
            (f"{place:>3} ", MUTED),
            (fit(name, _NAME_WIDTH), style),
            (clean_line(link.about), MUTED),
        )
        return PickRow(name, left, (("free" if link.is_free else "spends", MUTED),))

    def _show_result(self) -> None:
        link = self._links.get(self._picked)
        words = ""
        if link is not None:
            costs = "costs nothing" if link.is_free else "spends a little"
            words = self._results.get(link.name) or f"a test of {link.name} {costs}"
        self.query_one("#result", PlainStatic).update(clean_line(words))

    @on(PickList.Moved)
    def _follow_cursor(self) -> None:
        self._show_result()

    # --- what is done -------------------------------------------------------------------------

    def action_role(self, step: int) -> None:
        """Show the chain of the next role."""
        place = (_ROLES.index(self._role) + step) % len(_ROLES)
        self._role = _ROLES[place]
        self._show()

    @on(PickList.Picked)
    @on(Button.Pressed, "#toggle")
    def action_swap(self) -> None:
        """Put the link under the cursor at the end of the chain, or take it out."""
        if name := self._picked:
            chain = self._chain
            others = tuple(other for other in chain if other != name)
            self._chains[self._role] = others if name in chain else (*chain, name)
            self._show(name)

    def action_shift(self, step: int) -> None:
        """Ask the link under the cursor earlier or later."""
        chain = list(self._chain)
        name = self._picked
        if name not in chain:
            return
        place = chain.index(name)
        chain.insert(min(max(0, place + step), len(chain) - 1), chain.pop(place))
        self._chains[self._role] = tuple(chain)
        self._show(name)

    @on(Button.Pressed, "#up")
    def _up(self) -> None:
        self.action_shift(-1)

    @on(Button.Pressed, "#down")
    def _down(self) -> None:
        self.action_shift(1)

    @on(Button.Pressed, "#test")
    def action_test(self) -> None:
        """Test the link under the cursor."""
        if name := self._picked:
            # The worker is exclusive: a test that had not ended is over now.
            self._results = {k: v for k, v in self._results.items() if v != f"{k}: asking"}
            self._results[name] = f"{name}: asking"
            self._show_result()
            self._test(name)

    @work(group="test", exclusive=True)
    async def _test(self, name: str) -> None:
        self._results[name] = f"{name}: {await self._try_link(name)}"
        self._show_result()

    @on(Button.Pressed, "#save")
    def action_answer(self) -> None:
        """Give the chains."""
        self.dismiss(self._chains)
