"""Doctor: what can work on this machine, who would be asked, and taking that or changing it.

The rule a reader must not break: looking costs nothing and is all that happens by itself. A test
is one key press for one link, a proposal is used after a dialog that shows what is written.
"""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from orchestra_tui.dialogs.chains import ChainDialog, ChainLink
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.paste_key import PasteKeyDialog
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.commands import ConfigureAgents
from orchestra_tui.domain.doctor import (
    ENVIRONMENT_ADAPTER,
    Configuration,
    DoctorLine,
    LinkTrial,
    Offer,
)
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.ports import GetConfiguration, ListProbes, Probe, StoreKey, TryLink
from orchestra_tui.domain.proposal import Proposal, is_taken, open_offers, propose
from orchestra_tui.domain.text import clean_line
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.chain_words import chains_text
from orchestra_tui.widgets.doctor_rows import (
    ASKING,
    REST,
    details_of,
    doctor_rows,
    trial_words,
)
from orchestra_tui.widgets.frame import short_path
from orchestra_tui.widgets.pick_list import PickList
from orchestra_tui.widgets.plain_static import PlainStatic

_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
_MAX_PLACE = 60


class ProbeList(PickList):
    """The lines; here the letter that moves up in other lists is a command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "k",
            "screen.paste",
            "paste a key",
            show=False,
            tooltip="keep a key for this",
            id="doctor.list.key",
        ),
    ]


class DoctorScreen(OrchestraScreen):
    """The lines as they are probed, the chains below them."""

    NAME = "doctor"
    CSS_PATH = "../styles/doctor.tcss"
    AUTO_FOCUS = "#lines"
    VERTICAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "use", "use this", tooltip="save the proposed chains", id="doctor.use"),
        Binding("t", "test", "test", tooltip="send one tiny prompt to this link", id="doctor.test"),
        Binding("e", "edit", "edit chains", tooltip="change who is asked", id="doctor.edit"),
        Binding("k", "paste", "paste a key", tooltip="keep a key for this", id="doctor.key"),
        Binding("r", "again", "probe again", tooltip="look for everything anew", id="doctor.again"),
        Binding(
            "h", "rehearse", "rehearse", tooltip="try it with scripted agents", id="doctor.rehearse"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, DoctorLine] = {}
        self._trials: dict[str, LinkTrial] = {}
        self._configured = Configuration(place="")
        self._is_whole = False

    def compose_body(self) -> ComposeResult:
        """The question, the lines, one of them in detail, the chains."""
        with Vertical(id="body"):
            yield PlainStatic("What can work here?", id="question")
            yield ProbeList(id="lines", empty="looking ...")
            with VerticalScroll(id="detail-box", can_focus=False):
                yield PlainStatic(id="details")
            yield PlainStatic(id="title", classes="heading")
            yield PlainStatic(id="chains")
            with Horizontal(id="actions"):
                yield Button("Use this u", id="use", variant="primary", compact=True)
                yield Button("Edit chains e", id="edit", compact=True)
                yield Button("Rehearse first h", id="rehearse", compact=True)

    def on_front(self) -> None:
        """Look once; what is configured may have changed since."""
        if not self._lines:
            self.action_again()
        else:
            self._load_configuration()

    # --- looking ------------------------------------------------------------------------------

    def action_again(self) -> None:
        """Look for everything anew."""
        self._trials.clear()
        self._look()

    @work(group="doctor", exclusive=True)
    async def _look(self) -> None:
        try:
            self._configured = await self.host.ask(GetConfiguration())
            lines = await self.host.ask(ListProbes())
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        self._lines = {line.key: line for line in lines}
        self._show()
        waiting = [line for line in lines if line.state == "looking"]
        await asyncio.gather(*(self._probe(line) for line in waiting))

    async def _probe(self, line: DoctorLine) -> None:
        try:
            found = await self.host.ask(Probe(key=line.key))
        except OrchestraError as error:
            found = line.model_copy(update={"state": "broken", "detail": str(error)})
        self._lines[line.key] = found
        self._show()

    @work(group="configuration", exclusive=True)
    async def _load_configuration(self) -> None:
        try:
            self._configured = await self.host.ask(GetConfiguration())
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        self._show()

    # --- what is shown ------------------------------------------------------------------------

    @property
    def _line(self) -> DoctorLine | None:
        return self._lines.get(self.query_one("#lines", PickList).key)

    @property
    def _is_looking(self) -> bool:
        return any(line.state == "looking" for line in self._lines.values())

    @property
    def _proposal(self) -> Proposal:
        return propose(self._lines.values(), self._configured)

    @property
    def _is_rehearsal(self) -> bool:
        return self.project is not None and self.project.provider is ProviderKind.REHEARSAL

    def _show(self) -> None:
        signs = self.host.signs
        shown = [line for line in self._lines.values() if not self._is_repeated(line)]
        rows = doctor_rows(shown, self._trials, signs=signs, is_whole=self._is_whole)
        self.query_one("#lines", PickList).show_rows(rows)
        proposal = self._proposal
        self.query_one("#title", PlainStatic).update(self._title(proposal))
        self.query_one("#chains", PlainStatic).update(chains_text(proposal.chains, signs))
        self.query_one("#use", Button).display = self._is_usable(proposal)
        self.query_one("#edit", Button).display = bool(self._links())
        self._show_details()
        self.refresh_bindings()

    def _is_repeated(self, line: DoctorLine) -> bool:
        """It was found, and it is configured: the line of its adapter says the same."""
        return line.offer is not None and is_taken(line.offer, self._configured)

    def _is_usable(self, proposal: Proposal) -> bool:
        """Using it would change something: the file, scripts for agents, or who is asked since
        the file was edited elsewhere."""
        is_waiting = self._is_rehearsal or not self._configured.is_in_use
        return proposal.is_new or (is_waiting and bool(proposal.chains))

    def _title(self, proposal: Proposal) -> Content:
        place = short_path(self._configured.place, _MAX_PLACE)
        if not proposal.chains:
            words = "looking" if self._is_looking else "Nothing yet but the rehearsal"
            hint = "   paste a key, or install an agent program"
            return Content.assemble(words, (hint, "$muted not bold"))
        if not proposal.is_new:
            hint = "u leaves the rehearsal for these" if self._is_rehearsal else clean_line(place)
            if not self._is_rehearsal and not self._configured.is_in_use:
                words = "   the file was edited, u takes it; until then others are asked"
                return Content.assemble("As the file says", (words, "$text-warning not bold"))
            return Content.assemble("Who is asked", (f"   {hint}", "$muted not bold"))
        hint = "   nothing is sent before you use it"
        return Content.assemble("Proposed", (hint, "$muted not bold"))

    @on(PickList.Moved)
    def _show_details(self) -> None:
        line = self._line
        words = details_of(line, self._trials.get(line.key)) if line is not None else Content("")
        self.query_one("#details", PlainStatic).update(words)
        self.refresh_bindings()

    @on(PickList.Picked)
    def _open_details(self, event: PickList.Picked) -> None:
        if event.key == REST:
            self._is_whole = True
            self._show()
            return
        self.toggle_class("-detailed")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it does something."""
        if not self.is_ready:
            return super().check_action(action, parameters)
        line = self._line
        match action:
            case "test":
                return line is not None and line.can_be_tried
            case "paste":
                return line is not None and bool(line.key_variable)
            case "use":
                return self._is_usable(self._proposal) and not self._is_looking
            case "edit":
                return bool(self._links())
        return super().check_action(action, parameters)

    # --- one link -----------------------------------------------------------------------------

    def action_test(self) -> None:
        """Send one tiny prompt to the link under the cursor; again stops it."""
        line = self._line
        if line is None or not line.can_be_tried:
            return
        is_running = self._trials.get(line.key) is ASKING
        # One at a time: the worker is exclusive, and what had not ended is over.
        self._trials = {key: trial for key, trial in self._trials.items() if trial is not ASKING}
        if is_running:
            self.workers.cancel_group(self, "trial")
        else:
            self._trials[line.key] = ASKING
            self._test(line)
        self._show()

    @work(group="trial", exclusive=True)
    async def _test(self, line: DoctorLine) -> None:
        self._trials[line.key] = await self._try_link(line.adapter, line.offer)
        self._show()

    async def _try_link(self, name: str, offer: Offer | None) -> LinkTrial:
        try:
            return await self.host.ask(TryLink(name=name, offer=offer))
        except OrchestraError as error:
            return LinkTrial(seconds=0, error="not asked", detail=str(error))

    def action_paste(self) -> None:
        """Keep a key for the line under the cursor."""
        line = self._line
        if line is not None and line.key_variable:
            self._paste(line.key_variable)

    @work(group="paste", exclusive=True)
    async def _paste(self, variable: str) -> None:
        value = await self.app.push_screen_wait(PasteKeyDialog(variable))
        if value is None:
            return
        try:
            kept = await self.host.ask(StoreKey(name=variable, value=value))
        except OrchestraError as error:
            self.host.say(str(error), is_error=True)
            return
        self.host.say(f"{variable} is kept: {kept.length} characters, {kept.place}")
        if any(adapter.api_key_env == variable for adapter in self._configured.adapters):
            # Adapters keep the key they were opened with: they are opened anew.
            await self.host.submit(ConfigureAgents())
        self.action_again()

    # --- the chains ---------------------------------------------------------------------------

    @on(Button.Pressed, "#use")
    @work(group="use", exclusive=True)
    async def action_use(self) -> None:
        """Save the proposed adapters and chains, after showing what is written."""
        proposal = self._proposal
        if not proposal.is_new:
            if self._is_rehearsal and proposal.chains:
                await self._leave_rehearsal()
            elif self._is_usable(proposal):
                await self._configure(ConfigureAgents())
            return
        text = _what_is_written(proposal, self._configured.place)
        dialog = ConfirmDialog("Use these agents?", text, answer="Use")
        if await self.app.push_screen_wait(dialog):
            await self._configure(ConfigureAgents(offers=proposal.offers, chains=proposal.chains))

    @on(Button.Pressed, "#edit")
    @work(group="edit", exclusive=True)
    async def action_edit(self) -> None:
        """Change who is asked, in which order."""
        offers = {offer.name: offer for offer in self._offers()}

        async def tried(name: str) -> str:
            trial = await self._try_link(name, offers.get(name))
            return f"{trial_words(trial)} {trial.detail}"

        dialog = ChainDialog(self._links(), self._proposal.chains, tried)
        chains = await self.app.push_screen_wait(dialog)
        if chains is None:
            return
        named = {name for chain in chains.values() for name in chain}
        wanted = tuple(offer for name, offer in offers.items() if name in named)
        await self._configure(ConfigureAgents(offers=wanted, chains=chains))

    async def _configure(self, command: ConfigureAgents) -> None:
        if await self.host.submit(command) is None:
            return
        if self._is_rehearsal:
            await self._leave_rehearsal()
            return
        self.host.say("saved: the next call goes to these agents")
        self.action_again()

    async def _leave_rehearsal(self) -> None:
        """What was saved is not for scripts: the project is opened with it."""
        if self.run_state is not None and self.run_state.outcome is None:
            text = "It stays as it is, and `orchestra resume` goes on with it."
            dialog = ConfirmDialog("Leave this rehearsal for real agents?", text, answer="Leave")
            if not await self.app.push_screen_wait(dialog):
                self.action_again()
                return
        self.host.start_over(rehearse=False)

    @on(Button.Pressed, "#rehearse")
    def action_rehearse(self) -> None:
        """Go on with scripted agents; what is configured stays as it is."""
        if self._is_rehearsal:
            self.host.go("home")
        else:
            self.host.start_over(rehearse=True)

    def _offers(self) -> tuple[Offer, ...]:
        return open_offers(self._lines.values(), self._configured)

    def _links(self) -> list[ChainLink]:
        free = {line.adapter for line in self._lines.values() if line.is_free}
        own = [
            ChainLink(adapter.name, adapter.model or str(adapter.kind), adapter.name in free)
            for adapter in self._configured.adapters
            if adapter.name != ENVIRONMENT_ADAPTER
        ]
        found = [
            ChainLink(
                offer.name,
                f"{offer.fields.get('model') or offer.fields.get('kind', '')}, found here",
                offer.is_free,
            )
            for offer in self._offers()
        ]
        return [*own, *found]


def _what_is_written(proposal: Proposal, place: str) -> str:
    chains = [f"{role.value:<11}{' > '.join(proposal.chains.get(role, ()))}" for role in Role]
    entries = [
        f"[adapters.{offer.name}] "
        + ", ".join(f'{field} = "{value}"' for field, value in offer.fields.items())
        for offer in proposal.offers
    ]
    ending = f"It is written to {place}; what is there stays, in a backup too."
    return "\n".join([*chains, "", *entries, "", ending])
