"""Texts of other moments: a commit's and the index's, read with the `git` program alone.

For the command line, which looks at files and owns no run. The rule a reader must not break:
nothing here loads libgit2, writes, or runs a filter of the repository; so bytes are as git stores
them, and a working file that a filter changes differs from them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.git.hardened import run_git


@dataclass(frozen=True)
class Revisions:
    """The stored texts of one work tree; paths are relative to `top`, with `/`."""

    top: Path

    @classmethod
    def around(cls, folder: Path) -> "Revisions":
        """The repository whose work tree holds `folder`. Raises GitError where there is none."""
        done = run_git(folder, ["rev-parse", "--show-toplevel"])
        found = done.stdout.decode(errors="surrogateescape").removesuffix("\n")
        if done.returncode or not found:
            raise GitError(
                f"{folder} is in no git work tree that can be read: {_said(done.stderr)}"
            )
        return cls(Path(found))

    def commit(self, name: str) -> str:
        """The commit that `name` means. Raises GitError if there is none."""
        wanted = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
        found = run_git(self.top, wanted).stdout.decode().strip()
        if not found:
            raise GitError(f"there is no commit {name} here")
        return found

    def head(self) -> str:
        """The commit HEAD stands on; before the first one, the tree without files."""
        try:
            return self.commit("HEAD")
        except GitError:
            return self._run(["hash-object", "-t", "tree", "--stdin"]).decode().strip()

    def staged(self, base: str) -> dict[str, str]:
        """Each path whose index entry differs from `base`, with the path it had there.

        Deleted paths are left out.
        """
        words = ["diff-index", "--cached", "-z", "--name-status", "-M", "--diff-filter=AMRT", base]
        fields = self._run([*words, "--"]).decode(errors="surrogateescape").split("\0")
        changes = {}
        at = 0
        while at + 1 < len(fields):
            is_rename = fields[at].startswith("R")
            changes[fields[at + 1 + is_rename]] = fields[at + 1]
            at += 2 + is_rename
        return changes

    def changed(self, base: str) -> tuple[str, ...]:
        """The tracked paths whose working file may differ from `base`; never a deleted one."""
        words = ["diff-index", "-z", "--name-only", "--diff-filter=AMT", base, "--"]
        return tuple(self._run(words).decode(errors="surrogateescape").split("\0")[:-1])

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        """The content of each `REV:path` or `:path` (the index); None for what is no file there."""
        strange = [name for name in names if "\n" in name]
        if strange:
            return [self._one(name) for name in names]
        listed = "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")
        return _contents(self._run(["cat-file", "--batch"], stdin=listed), len(names))

    def _one(self, name: str) -> bytes | None:
        done = run_git(self.top, ["cat-file", "blob", name], extra_environment=_index())
        return None if done.returncode else done.stdout

    def _run(self, words: list[str], *, stdin: bytes = b"") -> bytes:
        done = run_git(self.top, words, stdin=stdin, extra_environment=_index())
        if done.returncode:
            raise GitError(f"git {words[0]} failed: {_said(done.stderr)}")
        return done.stdout


def _index() -> Mapping[str, str]:
    """A commit of some paths only has an index of its own, which git names to its hooks."""
    named = os.environ.get("GIT_INDEX_FILE")
    return {"GIT_INDEX_FILE": str(Path(named).absolute())} if named else {}


def _contents(answer: bytes, count: int) -> list[bytes | None]:
    """The blobs in the answer of `cat-file --batch`: a line `oid type size`, and the bytes."""
    found: list[bytes | None] = []
    at = 0
    for _ in range(count):
        end = answer.index(b"\n", at)
        words = answer[at:end].rsplit(b" ", 2)
        at = end + 1
        if words[-1] in {b"missing", b"ambiguous"} or len(words) < 3:
            found.append(None)
            continue
        size = int(words[2])
        found.append(answer[at : at + size] if words[1] == b"blob" else None)
        at += size + 1
    return found


def _said(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return clean_line(lines[0]) if lines else "no reason given"
