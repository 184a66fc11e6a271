"""The fenced code blocks of a Markdown text, by the rules of CommonMark.

The rule a reader must not break: a fence is closed only by one of its own character that is at
least as long, so that a fence of four may show a fence of three.
"""

import re
from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def fenced_blocks(lines: Sequence[str]) -> Iterator[tuple[int, int | None]]:
    """The first and last line of each block, from 1; the last is None where it stays open."""
    mark, opened = "", 0
    for number, line in enumerate(lines, start=1):
        match = _FENCE.match(line)
        if match is None:
            continue
        fence, rest = match.groups()
        if not mark:
            if fence[0] == "~" or "`" not in rest:
                mark, opened = fence, number
        elif fence[0] == mark[0] and len(fence) >= len(mark) and not rest.strip():
            yield opened, number
            mark = ""
    if mark:
        yield opened, None


def fence_left_open(lines: Sequence[str]) -> int | None:
    """The line of a fence that stays open to the end."""
    return next((first for first, last in fenced_blocks(lines) if last is None), None)


def fenced_lines(lines: Sequence[str]) -> frozenset[int]:
    """The numbers of the lines in blocks, their fences among them."""
    return frozenset(
        number
        for first, last in fenced_blocks(lines)
        for number in range(first, (last or len(lines)) + 1)
    )
