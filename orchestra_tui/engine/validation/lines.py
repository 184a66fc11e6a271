"""The line view of two texts: what the new one removed, and where.

The rule a reader must not break: line numbers count from 1, and texts are compared without
their trailing blanks, so that a change of line ends removes nothing.
"""

import difflib
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

TRIVIAL = frozenset({"", "}", "{", ")", "]", "};", ");", "],", "},", "),", "end", "fi", "done"})


HARMLESS = 4 * 1024
REPETITION = 20
"""A text of at least `HARMLESS` characters that packs to a twentieth is out of the ordinary."""


def repeats_itself(text: str) -> bool:
    """True for a text that says the same over and over, as replies that ran away do.

    Also proven grammars take seconds and gigabytes for 60 KB of one broken line again and again,
    and hold the interpreter meanwhile: such a text is not for this process.
    """
    if len(text) < HARMLESS:
        return False
    return REPETITION * len(zlib.compress(text.encode("utf-8", "replace"), 1)) < len(text)


@dataclass(frozen=True)
class Hunk:
    """One changed region: old lines [old_start, old_end), new lines [new_start, new_end)."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


class LinePair:
    """Two texts as lines; `old` is None for a new file. Computed on demand, then kept."""

    def __init__(self, new: str, old: str | None) -> None:
        self.new = [line.rstrip() for line in new.split("\n")]
        self.old = None if old is None else [line.rstrip() for line in old.split("\n")]

    @cached_property
    def known(self) -> frozenset[str]:
        """The stripped lines of the old text."""
        return frozenset(line.strip() for line in self.old or ())

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """The changed regions in order, joined where only trivial lines part them."""
        return self._joined(list(self.changes))

    @cached_property
    def changes(self) -> tuple[Hunk, ...]:
        """The changed regions in order, as the comparison found them."""
        if self.old is None:
            return ()
        head = _common_prefix(self.old, self.new)
        tail = _common_prefix(self.old[head:][::-1], self.new[head:][::-1])
        old = self.old[head : len(self.old) - tail]
        new = self.new[head : len(self.new) - tail]
        return tuple(
            Hunk(i1 + head + 1, i2 + head + 1, j1 + head + 1, j2 + head + 1)
            for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(a=old, b=new).get_opcodes()
            if tag != "equal"
        )

    @cached_property
    def removed_in_all(self) -> int:
        """How many lines of the old text went, net, wherever the comparison sees the gap."""
        gone = Counter(line.strip() for line in self.old or ())
        gone.subtract(line.strip() for line in self.new)
        return sum(count for line, count in gone.items() if line not in TRIVIAL)

    def removed_at(self, line: int) -> tuple[int, str]:
        """How many old lines the change around new `line` removed net, and their text."""
        found = [self._removed_in(hunk, line) for hunk in (*self.hunks, *self.changes)]
        return max(found, key=lambda item: item[0], default=(0, ""))

    def _removed_in(self, hunk: Hunk, line: int) -> tuple[int, str]:
        if self.old is None or not hunk.new_start <= line <= hunk.new_end:
            return 0, ""
        gone = [text for text in self.old[hunk.old_start - 1 : hunk.old_end - 1] if text]
        came = [
            text
            for number, text in enumerate(self.new[hunk.new_start - 1 : hunk.new_end - 1])
            if text and hunk.new_start + number != line
        ]
        return len(gone) - len(came), "\n".join(gone[:8])

    def lost_tail(self) -> tuple[int, int]:
        """How many old lines at the end have nothing in their place, and the first of them."""
        if self.old is None or not self.hunks:
            return 0, 0
        last = self.hunks[-1]
        if any(self.new[last.new_end - 1 :]) or any(self.new[last.new_start - 1 :]):
            return 0, 0
        gone = [text for text in self.old[last.old_start - 1 :] if text]
        return len(gone), last.old_start

    def _joined(self, changes: list[Hunk]) -> tuple[Hunk, ...]:
        joined: list[Hunk] = []
        for change in changes:
            if joined and self._is_trivial(joined[-1].new_end, change.new_start):
                change = Hunk(
                    joined[-1].old_start, change.old_end, joined[-1].new_start, change.new_end
                )
                joined.pop()
            joined.append(change)
        return tuple(joined)

    def _is_trivial(self, start: int, end: int) -> bool:
        between = self.new[start - 1 : end - 1]
        return len(between) <= 3 and all(line.strip() in TRIVIAL for line in between)


def _common_prefix(left: list[str], right: list[str]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
