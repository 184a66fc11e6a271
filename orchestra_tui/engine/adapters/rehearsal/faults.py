"""What goes wrong in a rehearsal, and where.

The rule a reader must not break: a fault is keyed by who is asked, about which kind of file, and
on which try; never by the order in which parallel calls happen to arrive.
"""

from dataclasses import dataclass

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.rehearsal.context import Ask
from orchestra_tui.engine.adapters.rehearsal.recipe import FileKind


@dataclass(frozen=True)
class TooManyRequests:
    """429 with `Retry-After`, in seconds."""

    retry_after: int = 1


@dataclass(frozen=True)
class CutStream:
    """The connection breaks after this share of the reply."""

    share: float = 0.6


@dataclass(frozen=True)
class Silence:
    """Nothing more comes after this share of the reply, and the line stays open."""

    share: float = 0.4


@dataclass(frozen=True)
class Truncated:
    """The reply ends early, without its end mark, and this is the reason it gives."""

    finish: str
    share: float = 0.6


@dataclass(frozen=True)
class Garbage:
    """A friendly sentence instead of the format that was asked for."""


@dataclass(frozen=True)
class EscapingPath:
    """A plan whose first step leaves the project."""


Fault = TooManyRequests | CutStream | Silence | Truncated | Garbage | EscapingPath


def fault_for(scenario: Scenario, ask: Ask, kind: FileKind | None) -> Fault | None:
    """The fault of this one call, None for most; `kind` is that of the file asked about.

    | scenario | asked | about | on | fault |
    |---|---|---|---|---|
    | storm | Architect | - | first call | path escape |
    | storm | Executor | implementation | first call | 429 |
    | storm | Executor | tests | first call | cut stream |
    | storm | Auditor | implementation | first call | garbage |
    | storm | Consultant | implementation | first call | truncated |
    | stall | Executor | implementation | first call | silence |
    | hopeless | Consultant | leaf | every call | truncated |
    """
    match scenario:
        case Scenario.CALM:
            return None
        case Scenario.STORM:
            return _STORM.get((ask.role, kind)) if ask.is_first else None
        case Scenario.STALL:
            is_struck = ask.role is Role.EXECUTOR and kind is FileKind.IMPLEMENTATION
            return Silence() if is_struck and ask.is_first else None
        case Scenario.HOPELESS:
            if ask.role is not Role.CONSULTANT or kind is not FileKind.LEAF:
                return None
            return Truncated("stop" if (ask.attempt + ask.call) % 2 == 0 else "length")


_STORM: dict[tuple[Role, FileKind | None], Fault] = {
    (Role.ARCHITECT, None): EscapingPath(),
    (Role.EXECUTOR, FileKind.IMPLEMENTATION): TooManyRequests(),
    (Role.EXECUTOR, FileKind.TESTS): CutStream(),
    (Role.AUDITOR, FileKind.IMPLEMENTATION): Garbage(),
    (Role.CONSULTANT, FileKind.IMPLEMENTATION): Truncated("length"),
}
