"""Changes to a file as hunks of lines, and the two pure things done with them: compose and merge.

The rule a reader must not break: a line keeps its own line ending (`\\n`, `\\r\\n`, or none at the
end of the file), so joining lines gives back the very bytes. Only strict UTF-8 text has hunks;
anything else is binary and is taken or left as a whole.
"""

import hashlib
import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.ids import BlobHash
from orchestra_tui.domain.plan import ChangeKind


class LineKind(StrEnum):
    """Which side of the change a line stands on."""

    CONTEXT = "context"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line with its own ending; `old_number` and `new_number` count from 1.

    A dataclass, not a model: a long diff holds tens of thousands of them.
    """

    kind: LineKind
    text: str
    old_number: int | None
    new_number: int | None

    @property
    def has_newline(self) -> bool:
        """False only for the last line of a file without a final newline."""
        return self.text.endswith("\n")


class Hunk(BaseModel):
    """One run of changed lines with its context, numbered as in a unified diff.

    `id` depends on the changed lines alone: it stays when the context or the hunks above change.
    `*_start` counts from 1; where `*_lines` is 0 it names the line *after* which the hunk stands.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    lines: tuple[DiffLine, ...]
    is_whitespace_only: bool = False

    @property
    def old_index(self) -> int:
        """The index, from 0, of the first old line the hunk covers or stands before."""
        return self.old_start - 1 if self.old_lines else self.old_start

    @property
    def old_text(self) -> bytes:
        """The bytes the hunk covers on the old side."""
        return _joined(line for line in self.lines if line.kind is not LineKind.ADDED)

    @property
    def new_text(self) -> bytes:
        """The bytes the hunk stands for on the new side."""
        return _joined(line for line in self.lines if line.kind is not LineKind.REMOVED)


class FileDiff(BaseModel):
    """The change of one file. Hashes are git blob ids; None where the side does not exist.

    `is_binary` and `is_too_large` files have no hunks and are taken or left as a whole; so are
    an empty file that comes or goes and a rename without an edit.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    old_path: str | None = None
    kind: ChangeKind
    old_hash: BlobHash | None = None
    new_hash: BlobHash | None = None
    is_binary: bool = False
    is_too_large: bool = False
    hunks: tuple[Hunk, ...] = ()
    added: int = 0
    removed: int = 0

    @property
    def is_whole(self) -> bool:
        """True when there is nothing to choose from inside the file."""
        return not self.hunks

    @property
    def is_whitespace_only(self) -> bool:
        """True when every hunk only moves white space."""
        return bool(self.hunks) and all(hunk.is_whitespace_only for hunk in self.hunks)


class HunkMismatchError(ValueError):
    """The hunks were not made from the bytes they are applied to."""


def split_lines(data: bytes) -> list[bytes]:
    """The lines of `data` with their endings, split at `\\n` alone, as git does."""
    lines = data.split(b"\n")
    last = lines.pop()
    whole = [line + b"\n" for line in lines]
    return [*whole, last] if last else whole


def hunk_id(changed: Sequence[tuple[LineKind, str]], *, occurrence: int = 1) -> str:
    """The stable name of a hunk from its lines, first to last changed one, context trimmed.

    `occurrence` counts equal hunks of one file from 1.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    for kind, text in _trimmed(changed):
        digest.update(f"{kind.value}\0{text}\0".encode())
    name = digest.hexdigest()[:10]
    return name if occurrence == 1 else f"{name}-{occurrence}"


def is_whitespace_change(changed: Sequence[tuple[LineKind, str]]) -> bool:
    """True when both sides are the same text once all white space is left out."""
    old = "".join(text for kind, text in changed if kind is not LineKind.ADDED)
    new = "".join(text for kind, text in changed if kind is not LineKind.REMOVED)
    return "".join(old.split()) == "".join(new.split())


def compose(old: bytes, hunks: Sequence[Hunk], accepted: Collection[str]) -> bytes:
    """The old file with only the accepted hunks (by id) applied, byte exact.

    All accepted gives the new bytes, none the old ones. A created file with nothing accepted
    composes to no bytes: that the file then does not exist is the caller's to know.

    Raises:
        HunkMismatchError: `hunks` do not belong to `old`.
    """
    lines = split_lines(old)
    pieces: list[bytes] = []
    position = 0
    for hunk in hunks:
        end = hunk.old_index + hunk.old_lines
        covered = b"".join(lines[hunk.old_index : end])
        if hunk.old_index < position or covered != hunk.old_text:
            raise HunkMismatchError(f"hunk {hunk.id} does not fit at line {hunk.old_start}")
        pieces.extend(lines[position : hunk.old_index])
        pieces.append(hunk.new_text if hunk.id in accepted else covered)
        position = end
    pieces.extend(lines[position:])
    return b"".join(pieces)


def merge(base: bytes, ours: Sequence[Hunk], theirs: Sequence[Hunk]) -> bytes | None:
    """Both sides' changes to `base` in one file, or None where they touch each other.

    Both sides are hunks *without context* (`diff_bytes(..., context=0)`) against `base`. Equal
    hunks count once. Changes of neighbouring lines are a conflict, as in git's own merge.
    """
    both = {_place(hunk): hunk for hunk in (*ours, *theirs)}
    merged = sorted(both.values(), key=lambda hunk: hunk.old_index)
    for before, after in itertools.pairwise(merged):
        if before.old_index + before.old_lines >= after.old_index:
            return None
    return compose(base, merged, {hunk.id for hunk in merged})


def _place(hunk: Hunk) -> tuple[int, int, bytes]:
    return hunk.old_index, hunk.old_lines, hunk.new_text


def _joined(lines: Iterable[DiffLine]) -> bytes:
    return "".join(line.text for line in lines).encode()


def _trimmed(lines: Sequence[tuple[LineKind, str]]) -> Sequence[tuple[LineKind, str]]:
    changed = [at for at, (kind, _) in enumerate(lines) if kind is not LineKind.CONTEXT]
    return lines[changed[0] : changed[-1] + 1] if changed else lines
