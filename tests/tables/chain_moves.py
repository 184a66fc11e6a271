"""What the chain does after an outcome: the real one, on a clock that nobody waits for.

The rule a reader must not break: nothing here knows the table of decisions. The outcome is played
as often as it is asked for, and what the chain did is read from its journal.
"""

import asyncio
from dataclasses import dataclass, field, replace

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.fallback_joint import anchor_of
from tests.engine.chain_doubles import Notes, Says, ScriptedAdapter, chain_of, run_timeless
from tests.tables.cases import Outcome

FIRST, SECOND = "first", "second"
AGES = 1e6


@dataclass(frozen=True)
class Moves:
    """Who was asked, in order, and how long the first was left to rest after its first failure."""

    calls: tuple[object, ...]
    rest: float | None
    is_answered: bool

    def __str__(self) -> str:
        """In words."""
        if not self.is_answered:
            return "stop"
        rest = "" if self.rest is None else f", rests {_span(self.rest)}"
        match self.calls:
            case (_,):
                return "used"
            case (_, again) if again == FIRST:
                return "continue from the cut"
            case (_, again, *_) if again == FIRST:
                return f"same again, then next{rest}"
        return f"next{rest}"


@dataclass
class _Journal(Notes):
    rests: list[float | None] = field(default_factory=list)

    async def failed(
        self, error: AdapterError, *, retry_in: float | None, cooling_for: float | None
    ) -> None:
        self.rests.append(cooling_for)


def moves_after(outcome: Outcome) -> Moves:
    """What a chain of two does when its first adapter's call comes to this."""
    return run_timeless(_play(outcome))


async def _play(outcome: Outcome) -> Moves:
    journal = _Journal()
    first = ScriptedAdapter(FIRST, *_script(outcome))
    answering = asyncio.create_task(chain_of(first, ScriptedAdapter(SECOND)).answer(journal))
    if outcome.kind == "cancelled":
        await asyncio.sleep(1.0)
        answering.cancel()
    await asyncio.wait({answering})
    is_answered = not answering.cancelled() and answering.exception() is None
    return Moves(tuple(journal.calls), next(iter(journal.rests), None), is_answered)


def _script(outcome: Outcome) -> tuple[Says, ...]:
    if outcome.error is not None:
        return (Says(error=outcome.error),)
    if outcome.completion is None:
        return (Says(seconds=AGES),)
    said = Says(outcome.completion.text, finish=outcome.completion.finish)
    if said.finish is not FinishReason.LENGTH:
        return (said,)
    rest = f"{anchor_of(said.text)} And this is its end."
    return said, replace(said, text=rest, finish=FinishReason.STOP)


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:.1f} s".replace(".0 ", " ")
