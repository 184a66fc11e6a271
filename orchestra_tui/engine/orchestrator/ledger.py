"""The books of the budget: what each call may use is set aside before it is made.

The rule a reader must not break: between the look at what is left and the entry in the books
nothing is awaited, so two calls never see the same room.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from orchestra_tui.domain.budget import BudgetStop, Reserve
from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.ids import CallKey, Role, RunId
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.domain.spending import calls_of, largest, stop_before
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.engine.adapters.fallback import Link
from orchestra_tui.engine.adapters.patience import MOST
from orchestra_tui.engine.adapters.prices import PriceBook
from orchestra_tui.engine.event_log import utc_now

BYTES_PER_TOKEN = 2
"""Fewer than any language or code is known to take, so that a prompt is not counted too small."""
EXPECTED_OUTPUT = 8192
"""Tokens of an answer that nothing limits, until a longer one was seen."""
PROGRAM_INPUT = 20_000
"""Tokens that an agent program sends of its own: its instructions, tools, and files it reads."""
_TURNS = 3
"""How often an agent program sends the prompt again as it works, until more was seen."""
_CAREFUL = Decimal("1.25")
"""On top of the most that was seen."""

Told = Callable[[str, float], Awaitable[None]]
"""Takes the reason of a wait that begins, and the seconds after which it is given up."""


class BudgetStopped(Exception):
    """The call was not made; `stop` says which limit it might have passed."""

    def __init__(self, stop: BudgetStop) -> None:
        super().__init__(stop.message)
        self.stop = stop


@dataclass(frozen=True)
class Asked:
    """A call that is about to be made: `size` is the prompt in bytes."""

    run: RunId
    key: CallKey
    role: Role
    link: Link
    size: int


@dataclass
class Ledger:
    """Sets room aside for calls and gives it back; one for all runs of an engine."""

    session: Callable[[], SessionState]
    prices: PriceBook = field(default_factory=PriceBook)
    now: Callable[[], datetime] = utc_now
    _held: dict[CallKey, tuple[Role, Reserve]] = field(default_factory=dict)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, asked: Asked, told: Told) -> Reserve:
        """Set aside what the call may use, once it fits beside the calls in flight.

        It waits for them where they alone are in its way, as long as one call may take. Raises
        BudgetStopped where they are not, and at the end of that time.
        """
        reserve = await self._reserve(asked)
        until: float | None = None
        while True:
            stop = self._stop(asked, reserve, self._held)
            if stop is None:
                self._held[asked.key] = (asked.role, reserve)
                return reserve
            if alone := self._stop(asked, reserve, dict.fromkeys(self._held, _NOTHING)):
                raise BudgetStopped(alone)
            released = self._released
            if until is None:
                longest = asked.link.timeouts.total * MOST
                until = asyncio.get_running_loop().time() + longest
                await told(stop.message, longest)
            try:
                async with asyncio.timeout_at(until):
                    await released.wait()
            except TimeoutError:
                raise BudgetStopped(stop) from None

    def release(self, key: CallKey) -> None:
        """The call has ended: from here on the log says what it used."""
        if self._held.pop(key, None) is not None:
            self.look_again()

    def look_again(self) -> None:
        """There is more room now: every call that waits for some looks whether it fits."""
        self._released.set()
        self._released = asyncio.Event()

    async def cost(
        self, link: Link, usage: Usage, *, model: str = "", said: Cost | None = None
    ) -> Cost | None:
        """What a call cost: `said` by the provider itself, else by its tokens; None is unknown."""
        if link.adapter.info().kind is ProviderKind.REHEARSAL:
            return None
        if said is not None:
            return said
        if (usage.input_tokens, usage.output_tokens) == (0, 0):
            return Cost(usd=Decimal(0), basis=CostBasis.FREE)
        return await asyncio.to_thread(self.prices.cost, link.tariff, usage, model=model)

    async def _reserve(self, asked: Asked) -> Reserve:
        usage = self._estimate(asked)
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        if asked.link.adapter.info().kind is ProviderKind.REHEARSAL:
            return Reserve(tokens=tokens, usd=Decimal(0))
        cost = await self.cost(asked.link, usage)
        if cost is None and asked.link.runs_program:
            return Reserve(tokens=tokens, usd=self._most_reported(asked))
        return Reserve(tokens=tokens, usd=cost.usd if cost else None)

    def _estimate(self, asked: Asked) -> Usage:
        """What the call may use: more than it will, as far as can be told before it."""
        link, role = asked.link, asked.role
        known = [call for call in calls_of(self.session()) if call.adapter.name == link.name]
        sent = asked.size // BYTES_PER_TOKEN + 1
        if link.runs_program:
            sent = max(sent * _TURNS + PROGRAM_INPUT, _more(largest(known).input_tokens))
        elif link.max_output_tokens:
            return Usage(input_tokens=sent, output_tokens=link.max_output_tokens)
        answers = largest(call for call in known if call.role is role)
        answer = max(EXPECTED_OUTPUT, _more(answers.output_tokens))
        return Usage(input_tokens=sent, output_tokens=answer)

    def _most_reported(self, asked: Asked) -> Decimal | None:
        """A program without a list price may still have said what its calls cost."""
        said = [
            call.cost.usd
            for call in calls_of(self.session())
            if call.adapter.name == asked.link.name and call.cost is not None
        ]
        return max(said) * _CAREFUL if said else None

    def _stop(
        self, asked: Asked, reserve: Reserve, in_flight: Mapping[CallKey, tuple[Role, Reserve]]
    ) -> BudgetStop | None:
        session = self.session()
        run = _run(session, asked.run)
        return stop_before(session, run, asked.role, reserve, in_flight=in_flight, now=self.now())


_NOTHING = (Role.ARCHITECT, Reserve())


def _more(seen: int | None) -> int:
    return int((seen or 0) * _CAREFUL)


def _run(session: SessionState, run_id: RunId) -> RunState:
    for run in session.runs:
        if run.id == run_id:
            return run
    raise KeyError(run_id)
