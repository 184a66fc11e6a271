"""A reply that runs away: it says the same thing over and over, or grows far beyond its purpose.

The rule a reader must not break: an intact file is never stopped. Only a long tail that is one
block again and again, character by character, counts as repetition; tables and lists, whose lines
differ, do not. What the file itself already held that way is no repetition of the model's.
"""

from dataclasses import dataclass, field

from orchestra_tui.domain.ids import Role

WINDOW = 16_384
"""Characters of a tail that must be one block repeated."""

MAX_PERIOD = WINDOW // 8
"""So the block is there eight times at least."""

STEP = 1_024
"""Characters between two looks: what a look costs is spread over them."""

_PROBE = 64
ANSWER_LIMIT = 400_000
FILE_LIMIT = 1_200_000
GROWTH = 3
ALLOWANCE = 200_000


def size_limit(role: Role, old: str | None) -> int:
    """Characters a reply of this role may have; `old` is the file it is to change, if any."""
    if role in {Role.ARCHITECT, Role.AUDITOR}:
        return ANSWER_LIMIT
    return FILE_LIMIT if old is None else GROWTH * len(old) + ALLOWANCE


@dataclass
class RunawayWatch:
    """Looks at a reply as it streams. `limit` is its greatest size, `old` the file before."""

    limit: int
    old: str = ""
    length: int = 0
    reason: str = ""
    """Why the reply must be stopped; empty while it need not be."""
    _tail: str = ""
    _pieces: list[str] = field(default_factory=list)
    _waiting: int = 0

    def feed(self, piece: str) -> str:
        """Take the next piece; the reason to stop, or empty. Costs next to nothing per piece."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        self.length += len(piece)
        if self._waiting >= STEP and not self.reason:
            self._tail = (self._tail + "".join(self._pieces))[-WINDOW:]
            self._pieces.clear()
            self._waiting = 0
            self.reason = self._look()
        return self.reason

    def _look(self) -> str:
        if self.length > self.limit:
            return f"it grew to more than {self.limit} characters, far beyond what was asked for"
        period = repeated(self._tail)
        if not period or (self.old and self._tail in self.old):
            return ""
        return f"it repeated itself: the same {period} characters, over and over"


def repeated(tail: str) -> int:
    """The length of the block that `tail` consists of; 0 if it is shorter than `WINDOW`, or does
    not repeat. A part of the block may stand at either end."""
    if len(tail) < WINDOW:
        return 0
    end = len(tail)
    at = tail.rfind(tail[end - _PROBE :], 0, end - 1)
    # The nearest copy of the last characters gives the period; a multiple of it is one as well.
    while at >= 0 and (period := end - _PROBE - at) <= MAX_PERIOD:
        if tail[period:] == tail[:-period]:
            return period
        at = tail.rfind(tail[end - _PROBE :], 0, at + _PROBE - 1)
    return 0


def runaway_reason(text: str) -> str:
    """Why a reply that was stopped is of no use, told from its text."""
    period = repeated(text[-WINDOW - STEP :][:WINDOW]) or repeated(text[-WINDOW:])
    if period:
        return f"the reply ran away and was stopped: the same {period} characters, over and over"
    return f"the reply ran away and was stopped after {len(text)} characters"
