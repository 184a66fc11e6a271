"""Git's index file: read, edited at known paths, and written back without losing a flag.

Own reading and writing instead of libgit2's, because libgit2 through pygit2 drops the
skip-worktree and assume-unchanged flags of an entry it replaces. The rule a reader must not break:
an entry that is not edited keeps its every byte, and a format we do not fully know is refused.
The format is git's gitformat-index, versions 2 to 4.
"""

import hashlib
import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.plumbing import Entry

ASSUME_UNCHANGED = 0x8000
_EXTENDED = 0x4000
_STAGE = 0x3000
_NAME = 0x0FFF
SKIP_WORKTREE = 0x4000
INTENT_TO_ADD = 0x2000

_KEPT_EXTENSIONS = {b"REUC"}
"""Resolve-undo is the user's; the others are caches that git builds again."""

_REFUSED = {
    b"link": "it is split; run: git update-index --no-split-index",
    b"sdir": "it is sparse; run: git sparse-checkout reapply --no-sparse-index",
}
_HEADS = {width: struct.Struct(f">24sL12s{width}sH") for width in (20, 32)}
_NO_STAT = b"\0" * 24
_NO_OWNER = b"\0" * 12


class IndexEntry(NamedTuple):
    """One entry. `stat` (times, device, inode) and `owner` (uid, gid, size) are kept as bytes.

    A named tuple, because a large repository has a hundred thousand of them.
    """

    path: bytes
    mode: int
    oid: bytes
    stat: bytes = _NO_STAT
    owner: bytes = _NO_OWNER
    flags: int = 0
    extended: int = 0

    @property
    def stage(self) -> int:
        """0, or 1 to 3 for the sides of an unresolved conflict."""
        return (self.flags & _STAGE) >> 12

    @property
    def is_intent_to_add(self) -> bool:
        """True for `git add -N`: the path is announced, its content is not staged."""
        return bool(self.extended & INTENT_TO_ADD)

    def as_entry(self) -> Entry:
        """The mode and id alone."""
        return Entry(mode=self.mode, oid=self.oid.hex())


@dataclass(frozen=True, slots=True)
class Index:
    """A whole index; entries are in git's order (path, then stage)."""

    entries: tuple[IndexEntry, ...] = ()
    version: int = 2
    extensions: tuple[tuple[bytes, bytes], ...] = ()

    def by_path(self) -> dict[bytes, IndexEntry]:
        """The entries that are no part of a conflict, by path."""
        return {entry.path: entry for entry in self.entries if entry.stage == 0}

    def conflicts(self) -> tuple[str, ...]:
        """The paths with an unresolved conflict."""
        paths = {entry.path for entry in self.entries if entry.stage}
        return tuple(sorted(path.decode(errors="replace") for path in paths))

    def with_edits(self, edits: Mapping[bytes, Entry | None]) -> "Index":
        """The index with these paths set (None removes); kept entries keep their flags."""
        entries = {(entry.path, entry.stage): entry for entry in self.entries}
        for path, entry in edits.items():
            old = entries.pop((path, 0), None)
            if entry is not None:
                entries[path, 0] = _edited(old, path, entry)
        ordered = tuple(entries[key] for key in sorted(entries))
        return replace(self, entries=ordered)


def parse_index(data: bytes, hash_name: str) -> Index:
    """The index in these bytes; no bytes are an empty index.

    Raises:
        GitError: the file is damaged, or of a kind that is refused (split, sparse, newer).
    """
    if not data:
        return Index()
    try:
        return _parse(data, hash_name)
    except (struct.error, ValueError, IndexError) as error:
        raise GitError("git's index cannot be read: run git status to see why") from error


def index_bytes(index: Index, hash_name: str) -> bytes:
    """The file content of an index, with its checksum."""
    needs_extended = any(entry.extended for entry in index.entries)
    version = max(index.version, 3) if needs_extended else index.version
    parts = [struct.pack(">4sLL", b"DIRC", version, len(index.entries))]
    previous = b""
    for entry in index.entries:
        parts.append(_entry_bytes(entry, previous, version))
        previous = entry.path
    parts.extend(struct.pack(">4sL", name, len(body)) + body for name, body in index.extensions)
    body = b"".join(parts)
    return body + hashlib.new(hash_name, body, usedforsecurity=False).digest()


def _edited(old: IndexEntry | None, path: bytes, entry: Entry) -> IndexEntry:
    # Without stat data git compares the content the next time it looks, so it is never fooled.
    oid = bytes.fromhex(entry.oid)
    if old is None:
        return IndexEntry(path=path, mode=entry.mode, oid=oid, flags=min(len(path), _NAME))
    extended = old.extended & ~INTENT_TO_ADD
    flags = old.flags if extended else old.flags & ~_EXTENDED
    return IndexEntry(path=path, mode=entry.mode, oid=oid, flags=flags, extended=extended)


def _parse(data: bytes, hash_name: str) -> Index:
    width = hashlib.new(hash_name, usedforsecurity=False).digest_size
    signature, version, count = struct.unpack_from(">4sLL", data)
    if signature != b"DIRC" or version not in {2, 3, 4}:
        raise GitError(f"git's index has the version {version}, which is not known here")
    _check_sum(data, width, hash_name)
    entries: list[IndexEntry] = []
    position, previous = 12, b""
    for _ in range(count):
        entry, position = _parse_entry(data, position, width=width, version=version, last=previous)
        entries.append(entry)
        previous = entry.path
    return Index(tuple(entries), version, _parse_extensions(data, position, len(data) - width))


def _check_sum(data: bytes, width: int, hash_name: str) -> None:
    body, found = data[:-width], data[-width:]
    # All zero is git's index.skipHash.
    if any(found) and found != hashlib.new(hash_name, body, usedforsecurity=False).digest():
        raise ValueError("checksum")


def _parse_entry(
    data: bytes, start: int, *, width: int, version: int, last: bytes
) -> tuple[IndexEntry, int]:
    stat, mode, owner, oid, flags = _HEADS[width].unpack_from(data, start)
    position = start + 42 + width
    extended = 0
    if flags & _EXTENDED:
        (extended,) = struct.unpack_from(">H", data, position)
        position += 2
    if version == 4:
        strip, position = _varint(data, position)
        end = data.index(b"\0", position)
        path = last[: len(last) - strip] + data[position:end]
        following = end + 1
    else:
        end = data.index(b"\0", position)
        path = data[position:end]
        following = start + (end - start + 8) // 8 * 8
    return IndexEntry(path, mode, oid, stat, owner, flags, extended), following


def _parse_extensions(data: bytes, start: int, end: int) -> tuple[tuple[bytes, bytes], ...]:
    kept = []
    while start < end:
        name, size = struct.unpack_from(">4sL", data, start)
        if name in _REFUSED:
            raise GitError(f"git's index cannot be written here: {_REFUSED[name]}")
        if name[:1].islower():
            raise GitError(f"git's index uses {name!r}, which is not known here")
        if name in _KEPT_EXTENSIONS:
            kept.append((name, data[start + 8 : start + 8 + size]))
        start += 8 + size
    return tuple(kept)


def _entry_bytes(entry: IndexEntry, previous: bytes, version: int) -> bytes:
    flags = entry.flags | _EXTENDED if entry.extended else entry.flags & ~_EXTENDED
    layout = _HEADS[len(entry.oid)]
    head = layout.pack(entry.stat, entry.mode, entry.owner, entry.oid, flags)
    if entry.extended:
        head += struct.pack(">H", entry.extended)
    if version == 4:
        common = _common(previous, entry.path)
        return head + _to_varint(len(previous) - common) + entry.path[common:] + b"\0"
    length = len(head) + len(entry.path)
    return head + entry.path + b"\0" * (8 - length % 8)


def _common(left: bytes, right: bytes) -> int:
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _varint(data: bytes, position: int) -> tuple[int, int]:
    byte = data[position]
    value = byte & 127
    while byte & 128:
        position += 1
        byte = data[position]
        value = ((value + 1) << 7) + (byte & 127)
    return value, position + 1


def _to_varint(value: int) -> bytes:
    out = [value & 127]
    while value := value >> 7:
        value -= 1
        out.insert(0, 128 | (value & 127))
    return bytes(out)
