"""Differences between two texts, through libgit2's buffer diff; no repository is needed.

The rule a reader must not break: these functions are pure and may take milliseconds on a long
file, so the event loop calls them through `asyncio.to_thread`.
"""

from collections import Counter

import pygit2
from pygit2.enums import DiffOption

from orchestra_tui.domain.changes import (
    DiffLine,
    FileDiff,
    Hunk,
    LineKind,
    hunk_id,
    is_whitespace_change,
    merge,
)
from orchestra_tui.domain.ids import blob_hash
from orchestra_tui.domain.plan import ChangeKind

MAX_DIFF_BYTES = 5 * 1024 * 1024
"""A side longer than this is shown as "too large" and taken or left as a whole."""

_KINDS = {" ": LineKind.CONTEXT, "+": LineKind.ADDED, "-": LineKind.REMOVED}
_FLAGS = DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC


def diff_bytes(
    path: str,
    old: bytes | None,
    new: bytes | None,
    *,
    context: int = 3,
    old_path: str | None = None,
) -> FileDiff:
    """The change from `old` to `new` as hunks with `context` lines around them.

    None means that the side does not exist. `old_path` makes it a rename. Text is strict UTF-8
    without NUL; anything else is binary and has no hunks.
    """
    sides = [side for side in (old, new) if side is not None]
    is_binary = any(_is_binary(side) for side in sides)
    is_too_large = any(len(side) > MAX_DIFF_BYTES for side in sides)
    hunks = () if is_binary or is_too_large or old == new else _hunks(old, new, context)
    lines = Counter(line.kind for hunk in hunks for line in hunk.lines)
    return FileDiff(
        path=path,
        old_path=old_path,
        kind=_kind(old, new, old_path),
        old_hash=None if old is None else blob_hash(old),
        new_hash=None if new is None else blob_hash(new),
        is_binary=is_binary,
        is_too_large=is_too_large,
        hunks=hunks,
        added=lines[LineKind.ADDED],
        removed=lines[LineKind.REMOVED],
    )


def merge_bytes(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """A three-way merge, byte exact; None where both sides changed the same or touching lines.

    Binary sides merge only when one of them is the base or both are equal. No merge driver and
    no attribute of a repository has a say, and there are never conflict marks in the result.
    """
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    left, right = (diff_bytes("", base, side, context=0) for side in (ours, theirs))
    if left.is_whole or right.is_whole:
        return None
    return merge(base, left.hunks, right.hunks)


def _kind(old: bytes | None, new: bytes | None, old_path: str | None) -> ChangeKind:
    if old_path is not None:
        return ChangeKind.RENAME
    if old is None:
        return ChangeKind.CREATE
    return ChangeKind.DELETE if new is None else ChangeKind.MODIFY


def _is_binary(data: bytes) -> bool:
    if b"\0" in data:
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def _hunks(old: bytes | None, new: bytes | None, context: int) -> tuple[Hunk, ...]:
    patch = pygit2.Patch.create_from(old, new, flag=_FLAGS, context_lines=context)
    seen: Counter[str] = Counter()
    return tuple(_hunk(raw, seen) for raw in patch.hunks)


def _hunk(raw: pygit2.DiffHunk, seen: Counter[str]) -> Hunk:
    # The other origins ("=", "<", ">") are libgit2's notes that a final newline is missing; the
    # line itself already says so by ending without one.
    lines = tuple(_line(line) for line in raw.lines if line.origin in _KINDS)
    texts = [(line.kind, line.text) for line in lines]
    name = hunk_id(texts)
    seen[name] += 1
    return Hunk(
        id=hunk_id(texts, occurrence=seen[name]),
        old_start=raw.old_start,
        old_lines=raw.old_lines,
        new_start=raw.new_start,
        new_lines=raw.new_lines,
        lines=lines,
        is_whitespace_only=is_whitespace_change(texts),
    )


def _line(raw: pygit2.DiffLine) -> DiffLine:
    return DiffLine(
        kind=_KINDS[raw.origin],
        text=raw.raw_content.decode(),
        old_number=raw.old_lineno if raw.old_lineno > 0 else None,
        new_number=raw.new_lineno if raw.new_lineno > 0 else None,
    )
