r"""Search/replace edits: how the blocks of a reply change a text.

The rule a reader must not break: all or nothing. Every SEARCH is looked up in the *base*, never
in a half-edited text, and one block that does not match exactly once refuses them all.

Texts have `\n` line ends. Matching is by whole lines: first exactly, then without trailing
blanks, then with the common indentation taken off (the REPLACE is indented as the base is).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestra_tui.domain.errors import OrchestraError

MAX_CANDIDATES = 64
_SHOWN = 60


class EditRefused(OrchestraError):
    """The blocks do not fit the base; nothing was changed. The message can go to the model."""


@dataclass(frozen=True)
class EditBlock:
    """Lines to find and lines to put in their place; none to put means they are deleted."""

    search: tuple[str, ...]
    replace: tuple[str, ...]


@dataclass(frozen=True)
class _Placed:
    """A block with its place: it replaces the base's lines `start` up to `end`."""

    number: int
    start: int
    end: int
    lines: tuple[str, ...]


def apply_edits(base: str, blocks: Sequence[EditBlock]) -> str:
    """The base with every block applied; its final newline, or the lack of one, is kept.

    Raises EditRefused if a SEARCH is not in the base or is there more than once, or if two
    blocks touch the same lines.
    """
    lines = _lines(base)
    placed = sorted(
        (_place(lines, block, number) for number, block in enumerate(blocks, start=1)),
        key=lambda one: (one.start, one.end),
    )
    result: list[str] = []
    at = 0
    for before, one in zip([None, *placed], placed, strict=False):
        if before is not None and one.start < before.end:
            raise EditRefused(
                f"edit blocks {before.number} and {one.number} change the same lines: "
                "join them into one block"
            )
        result += lines[at : one.start]
        result += one.lines
        at = one.end
    result += lines[at:]
    ends_in_newline = base == "" or base.endswith("\n")
    return "\n".join(result) + "\n" * (ends_in_newline and bool(result))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _place(base: list[str], block: EditBlock, number: int) -> _Placed:
    search = list(block.search)
    if not search:
        if base:
            raise EditRefused(f"edit block {number} has an empty SEARCH, but the file is not empty")
        return _Placed(number, 0, 0, block.replace)
    for normal in (str, str.rstrip):
        starts = _find([normal(line) for line in base], [normal(line) for line in search], limit=3)
        if starts:
            start = _only(starts, number)
            return _Placed(number, start, start + len(search), block.replace)
    return _place_indented(base, block, number)


def _place_indented(base: list[str], block: EditBlock, number: int) -> _Placed:
    """Match without the common indentation; the block's other blanks must still agree."""
    size = len(block.search)
    found = _find(
        [line.strip() for line in base], [line.strip() for line in block.search], MAX_CANDIDATES + 1
    )
    if len(found) > MAX_CANDIDATES:
        raise EditRefused(
            f"the SEARCH of edit block {number} is in too many places: make it longer"
        )
    wanted = _dedented(block.search)
    starts = [start for start in found if _dedented(base[start : start + size]) == wanted]
    if not starts:
        raise EditRefused(_missing(base, block, number))
    start = _only(starts, number)
    old, new = _indent(block.search), _indent(base[start : start + size])
    lines = tuple(_moved(line, old, new, number) for line in block.replace)
    return _Placed(number, start, start + size, lines)


def _moved(line: str, old: str, new: str, number: int) -> str:
    if not line.strip():
        return line
    if not line.startswith(old):
        raise EditRefused(
            f"the SEARCH of edit block {number} has another indentation than the file, and its "
            "REPLACE cannot be moved with it: copy the indentation of the file"
        )
    return new + line.removeprefix(old)


def _find(base: list[str], search: list[str], limit: int) -> list[int]:
    """Up to `limit` line numbers (from 0) where `search` stands in `base`.

    One search in the joined text is linear; comparing window by window is not.
    """
    text, wanted = "\n" + "\n".join(base) + "\n", "\n" + "\n".join(search) + "\n"
    starts: list[int] = []
    line, seen, at = 0, 0, text.find(wanted)
    while at >= 0 and len(starts) < limit:
        line += text.count("\n", seen, at)
        seen = at
        starts.append(line)
        at = text.find(wanted, at + 1)
    return starts


def _only(starts: list[int], number: int) -> int:
    if len(starts) > 1:
        places = ", ".join(str(start + 1) for start in starts[:2])
        raise EditRefused(
            f"the SEARCH of edit block {number} is in the file more than once (lines {places}"
            f"{', ...' if len(starts) > 2 else ''}): add lines around it until it is there once"
        )
    return starts[0]


def _missing(base: list[str], block: EditBlock, number: int) -> str:
    """Why a block does not fit, with the place its author probably meant."""
    first = next((line.strip() for line in block.search if line.strip()), "")
    near = [str(at) for at, line in enumerate(base, start=1) if first and line.strip() == first]
    shown = first if len(first) <= _SHOWN else first[:_SHOWN] + "..."
    where = (
        f"its line {shown!r} is at line {', '.join(near[:3])}, but what follows differs"
        if near
        else f"no line of the file reads {shown!r}"
    )
    return (
        f"the SEARCH of edit block {number} is not in the file: {where}. "
        "Copy the lines exactly as they are, or send the whole file"
    )


def _indent(lines: Sequence[str]) -> str:
    """The white space that every line that is not blank begins with."""
    starts = [line[: len(line) - len(line.lstrip())] for line in lines if line.strip()]
    if not starts:
        return ""
    low, high = min(starts), max(starts)
    return low[: next(_differences(low, high), len(low))]


def _differences(left: str, right: str) -> Iterator[int]:
    return (at for at, char in enumerate(left) if right[at : at + 1] != char)


def _dedented(lines: Sequence[str]) -> list[str]:
    size = len(_indent(lines))
    return [line[size:].rstrip() if line.strip() else "" for line in lines]
