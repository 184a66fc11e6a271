"""How long a call is waited for: by the size of what is asked, and by how fast this adapter was.

The rule a reader must not break: what the user configured is the measure. Nothing is waited for
less than half of it or more than four times it, whatever was measured.

The wait for the first piece follows the estimator of TCP (RFC 6298, section 2): a smoothed time
and a smoothed deviation, so that an adapter that varies gets more room than one that does not.
"""

from dataclasses import dataclass

from orchestra_tui.domain.calls import CallPatience

LEAST, MOST = 0.5, 4.0
"""The bounds, in times of what was configured."""
UNMEASURED = 60.0
"""Characters a second of an adapter of which nothing is known: a slow local model."""
ENOUGH = 2
"""So many answers must have been measured before a wait is made shorter."""
_ROOM = 3.0
"""Times what is expected: models think for a while, and are not always alone on their machine."""
_CHARACTERS_READ = 40_000
"""A prompt of so many characters doubles the wait for the first piece, where nothing is known."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds a call may take: for the first piece, between pieces, and in all."""

    first_byte: float = 60.0
    idle: float = 30.0
    total: float = 600.0


@dataclass(frozen=True)
class Size:
    """What is asked: characters of the prompt and, as expected, of the answer. `complexity` is 1
    for plain text and 2 for deeply nested code with many definitions."""

    prompt: int = 0
    answer: int = 4_000
    complexity: float = 1.0


class Speed:
    """What one adapter was measured at, answer by answer."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0.0
        """Seconds to the first piece, smoothed."""
        self.deviation = 0.0
        """How far they are apart, smoothed."""
        self.rate = 0.0
        """Characters a second after the first piece, smoothed; 0 while unknown."""

    def took(self, *, first: float, seconds: float, characters: int) -> None:
        """An answer of so many characters took `seconds`, its first piece came after `first`."""
        if self.count == 0:
            self.first, self.deviation = first, first / 2
        else:
            self.deviation = 0.75 * self.deviation + 0.25 * abs(self.first - first)
            self.first = 0.875 * self.first + 0.125 * first
        self.count += 1
        streamed = seconds - first
        if characters and streamed > 0:
            rate = characters / streamed
            # Slower at once, faster by and by: a wait too long costs less than an answer cut off.
            self.rate = min(rate, 0.75 * self.rate + 0.25 * rate) if self.rate else rate


def adapted(base: Timeouts, size: Size, speed: Speed | None = None) -> CallPatience:
    """The waits for one call, in seconds, with the reason in words."""
    is_known = speed is not None and speed.count >= ENOUGH and speed.rate > 0
    if speed is not None and is_known:
        first = _ROOM * size.complexity * (speed.first + 4 * speed.deviation)
        rate, least = speed.rate, LEAST
    else:
        first = base.first_byte * size.complexity * (1 + size.prompt / _CHARACTERS_READ)
        rate, least = UNMEASURED, 1.0
    first = _within(first, base.first_byte, least)
    needed = size.answer * size.complexity / rate
    return CallPatience(
        first_byte=first,
        idle=_within(base.idle * size.complexity, base.idle, 1.0),
        total=_within(first + _ROOM * needed, base.total, least),
        why=_why(size, rate if is_known else None),
    )


def complexity_of(text: str) -> float:
    """1 for flat text up to 2: the depth of its nesting and the number of its definitions.

    Told by indentation and by lines that end as a block begins, for any language.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return 1.0
    depth = max(_depth(line) for line in lines)
    blocks = sum(line.rstrip().endswith(("{", ":", "(", "[")) for line in lines)
    return 1.0 + min(depth, 8) / 16 + min(blocks, 100) / 200


def _depth(line: str) -> int:
    blank = line[: len(line) - len(line.lstrip())]
    return blank.count("\t") + blank.count(" ") // 4


def _within(seconds: float, base: float, least: float) -> float:
    return round(min(max(seconds, base * least), base * MOST), 1)


def _why(size: Size, rate: float | None) -> str:
    known = "not measured yet" if rate is None else f"{rate:.0f} characters a second so far"
    return f"about {size.answer} characters, complexity {size.complexity:.1f}; {known}"
