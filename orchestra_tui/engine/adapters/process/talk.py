"""How a running client is led from its first input to its last word.

The rule a reader must not break: a talk only feeds the reader and shows pieces. Whether the run
succeeded is what the reader read; the talk ends when that is decided or the client is gone.
"""

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from orchestra_tui.engine.adapters.base import InvalidResponse, OnDelta
from orchestra_tui.engine.adapters.clocks import ReplyClock
from orchestra_tui.engine.adapters.process.events import Event, EventReader
from orchestra_tui.engine.adapters.process.private_tree import PrivateCopy
from orchestra_tui.engine.adapters.process.transport import Run

MAX_GARBAGE = 1000
"""Lines that are no events, before an output is not taken for an event stream."""


@dataclass(frozen=True)
class Turn:
    """One question to one running client. `show` takes what the pane shows."""

    label: str
    run: Run
    reader: EventReader
    clock: ReplyClock
    copy: PrivateCopy
    prompt: str
    may_write: bool
    show: OnDelta

    def no_events(self) -> InvalidResponse:
        """The error for an output that is something else."""
        return InvalidResponse(f"{self.label}: its output is no stream of events")


class Talk(Protocol):
    """One way to speak with a client."""

    is_two_way: bool
    """False: the prompt is all it is ever told, and its standard input is closed behind it."""

    async def lead(self, turn: Turn) -> None:
        """Until the reader knows the outcome or the client is gone. Raises AdapterError."""
        ...


class EventStream:
    """The prompt goes in, and one JSON object per line comes out."""

    is_two_way = False

    async def lead(self, turn: Turn) -> None:
        """Feed each event to the reader. Raises InvalidResponse for too much of anything else."""
        garbage = 0
        async with aclosing(turn.run.lines()) as lines:
            async for line in lines:
                event = event_of(line)
                if event is None:
                    garbage += bool(line.strip())
                    if garbage > MAX_GARBAGE:
                        raise turn.no_events()
                    continue
                hear_event(turn, event)
                if turn.reader.is_over or turn.reader.hopeless():
                    return


def hear_event(turn: Turn, event: Event) -> None:
    """Feed one event: show its piece, and wind the clock if the model is at work."""
    alive = turn.reader.alive
    piece = turn.reader.feed(event)
    if turn.reader.alive > alive:
        turn.clock.progress()
    if piece:
        turn.show(piece)


def event_of(line: bytes) -> dict[str, object] | None:
    """One event; None for anything that is not a JSON object."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
