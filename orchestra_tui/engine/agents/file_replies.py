"""The reply of Executor and Consultant: one file, whole or as edits, between marker lines.

The rule a reader must not break: a reply counts only with `=== END REPLY` as its last line, and
what it holds lies between its first marker line and the *last* closing one, so that a file about
this very format can be written.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.prompt_blocks import NO_NEWLINE
from orchestra_tui.engine.agents.edits import EditBlock, EditRefused, apply_edits
from orchestra_tui.engine.agents.parsing import ReplyRefused, check_finish

END_REPLY = "=== END REPLY"
MAX_BLOCKS = 500
_OPENING = re.compile(r"=== (?P<kind>FILE|EDIT) (?P<path>.+)")
_SEARCH = re.compile(r"(?P<mark><{7,}) SEARCH")


@dataclass(frozen=True)
class WholeFile:
    """A reply that gives the whole new text."""

    path: str
    text: str


@dataclass(frozen=True)
class FileEdits:
    """A reply that gives edits to the base; none at all is for a rename only."""

    path: str
    blocks: tuple[EditBlock, ...]


def parse_file_reply(
    text: str, finish: FinishReason, *, path: str, other_paths: Collection[str] = ()
) -> WholeFile | FileEdits:
    """The one file of a reply, which must be `path`; `other_paths` are the plan's other files.

    A whole file that is not empty ends in one newline here; `composed` fits it to the base.
    Raises ReplyRefused.
    """
    check_finish(text, finish)
    lines = _between_blank_lines(text.replace("\r\n", "\n").split("\n"))
    if lines[-1].rstrip() != END_REPLY:
        raise ReplyRefused(
            f"the last line is not {END_REPLY}: the reply is incomplete", is_cut=True
        )
    opening = _OPENING.fullmatch(lines[0].rstrip())
    if opening is None:
        raise ReplyRefused(
            f"the reply does not begin with the line === FILE {path} or === EDIT {path}"
        )
    if opening["path"] != path:
        raise ReplyRefused(f"the reply is about {opening['path'][:200]}; the step's file is {path}")
    body = _between_blank_lines(lines[:-1])
    closing = f"=== END {opening['kind']}"
    # Prompts close a file without final newline with a remark, which models repeat.
    if len(body) < 2 or body[-1].rstrip().removesuffix(NO_NEWLINE) != closing:
        raise ReplyRefused(f"the line before {END_REPLY} is not {closing}", is_cut=True)
    content = body[1:-1]
    _refuse_second_file(content, {path, *other_paths})
    if opening["kind"] == "EDIT":
        return FileEdits(path, _blocks(content))
    return WholeFile(path, "".join(f"{line}\n" for line in content))


def begun_file(reply: str, path: str) -> str | None:
    """As much as a reply that broke off holds of a whole file, without its last line, which may
    be half a line; None if it does not begin as one."""
    lines = _between_blank_lines(reply.replace("\r\n", "\n").split("\n"))
    if not lines or lines[0].rstrip() != f"=== FILE {path}":
        return None
    text = [line for line in lines[1:-1] if line.rstrip() not in {END_REPLY, "=== END FILE"}]
    return "".join(f"{line}\n" for line in text) if any(map(str.strip, text)) else None


def composed(reply: WholeFile | FileEdits, base: str | None, *, is_rename: bool = False) -> str:
    r"""The new text of the file. `base` is its text now (`\n` line ends), None if it is new.

    A whole file ends without a newline if the base does. Raises ReplyRefused if edits do not
    fit the base; then none of them was applied.
    """
    match reply:
        case WholeFile(text=text):
            is_open = base is not None and base != "" and not base.endswith("\n")
            return text.removesuffix("\n") if is_open else text
        case FileEdits(path=path) if base is None:
            raise ReplyRefused(
                f"{path} does not exist yet, so there is nothing to edit: send it whole"
            )
        case FileEdits(blocks=()) if not is_rename:
            raise ReplyRefused("the reply holds no edit block, so it changes nothing")
        case FileEdits(blocks=blocks):
            try:
                return apply_edits(base or "", blocks)
            except EditRefused as error:
                raise ReplyRefused(str(error)) from error


def _between_blank_lines(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


def _refuse_second_file(content: list[str], paths: Collection[str]) -> None:
    """Content may hold marker-like lines, but a file of the plan opened after a closing one is
    a second file, and would be written into the first."""
    is_closed = False
    for line in content:
        opening = _OPENING.fullmatch(line.rstrip())
        if is_closed and opening and opening["path"] in paths:
            raise ReplyRefused(f"the reply holds a second file, {opening['path']}: send one only")
        if line.strip():
            is_closed = line.rstrip() in {"=== END FILE", "=== END EDIT", END_REPLY}


def _blocks(lines: list[str]) -> tuple[EditBlock, ...]:
    blocks: list[EditBlock] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        opening = _SEARCH.fullmatch(lines[at].rstrip())
        if opening is None:
            raise ReplyRefused(
                f"line {at + 2} of the reply is in no edit block: {lines[at][:80]!r}"
                if not lines[at].startswith(("=======", ">>>>>>>"))
                else f"edit block {len(blocks)} is closed twice: lengthen its marker lines"
            )
        block, at = _block(lines, at + 1, len(opening["mark"]), number=len(blocks) + 1)
        blocks.append(block)
        if len(blocks) > MAX_BLOCKS:
            raise ReplyRefused(f"more than {MAX_BLOCKS} edit blocks: send the whole file")
    return tuple(blocks)


def _block(lines: list[str], start: int, size: int, *, number: int) -> tuple[EditBlock, int]:
    """One block whose SEARCH begins at `start`, and the line after it."""
    divider, closing = "=" * size, ">" * size + " REPLACE"
    dividers: list[int] = []
    for at in range(start, len(lines)):
        line = lines[at].rstrip()
        if line == divider:
            dividers.append(at)
        elif line == closing:
            if len(dividers) != 1:
                raise ReplyRefused(_divider_problem(number, len(dividers), divider))
            middle = dividers[0]
            block = EditBlock(tuple(lines[start:middle]), tuple(lines[middle + 1 : at]))
            return block, at + 1
        elif (found := _SEARCH.fullmatch(line)) and len(found["mark"]) == size:
            break
    raise ReplyRefused(f"edit block {number} does not end in {closing}")


def _divider_problem(number: int, count: int, divider: str) -> str:
    if count == 0:
        return f"edit block {number} has no {divider} line between SEARCH and REPLACE"
    return (
        f"edit block {number} has {count} {divider} lines: write all three marker lines of the "
        "block with one character more, or send the whole file"
    )
