"""What a commit needs of a git repository, as a port with two implementations.

`libgit2.Libgit2Plumbing` is the usual one; `hardened.CommandPlumbing` drives the `git` program
for repositories that libgit2 cannot open. The rule a reader must not break: no method here runs
code of the repository (no hook, filter, pager, fsmonitor), and none touches the working tree or
the index. Paths are relative to the work tree with `/`; object ids are lower-case hex.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.errors import GitError

ObjectKind = Literal["blob", "tree", "commit"]

FILE = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
SUBMODULE = 0o160000
FOLDER = 0o040000

ATTRIBUTES = ("filter", "text", "crlf", "eol", "ident", "working-tree-encoding")
"""The git attributes that change the bytes between the working file and the repository."""


Attributes = Mapping[str, str | bool | None]
"""The values of attributes by name: set, unset, a word, or None for unspecified."""


class Entry(BaseModel):
    """A name's content in a tree or in the index: git's mode and the object id."""

    model_config = ConfigDict(frozen=True)

    mode: int
    oid: str

    @property
    def is_file(self) -> bool:
        """True for a plain or executable file; not for links, submodules and folders."""
        return self.mode in {FILE, EXECUTABLE}


class Head(BaseModel):
    """Where HEAD stands. `ref` is the branch's full name, or "HEAD" when it is detached.

    `commit` is None before the first commit.
    """

    model_config = ConfigDict(frozen=True)

    ref: str
    commit: str | None

    @property
    def branch(self) -> str | None:
        """The short name of the branch; None when HEAD is detached."""
        return None if self.ref == "HEAD" else self.ref.removeprefix("refs/heads/")


class RefMove(BaseModel):
    """A compare-and-swap of one ref; `old` None means that it must not exist yet."""

    model_config = ConfigDict(frozen=True)

    ref: str
    old: str | None
    new: str
    log: str
    name: str
    email: str


class Plumbing(Protocol):
    """The repository below the work tree. Every method may block and may raise `GitError`."""

    @property
    def hash_name(self) -> Literal["sha1", "sha256"]:
        """The hash that names objects here."""
        ...

    def head(self) -> Head:
        """Where HEAD stands now."""
        ...

    def ref(self, name: str) -> str | None:
        """The commit a ref points at, or None if there is no such ref."""
        ...

    def operation(self) -> str | None:
        """The name of a merge, rebase and the like that is under way."""
        ...

    def read(self, oid: str, kind: ObjectKind) -> bytes:
        """The content of an object."""
        ...

    def store(self, kind: ObjectKind, data: bytes) -> str:
        """The id of an object with this content, written if it was not there."""
        ...

    def move_ref(self, move: RefMove) -> bool:
        """Move a ref; False if it no longer stands where `move` says."""
        ...

    def recover_ref(self, move: RefMove) -> None:
        """Remove the lock of this very move, if a killed process left it."""
        ...

    def is_ancestor(self, ancestor: str, tip: str) -> bool:
        """True if `ancestor` is `tip` or is reached from it."""
        ...

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """The values of `ATTRIBUTES` for each path; None where one is not specified."""
        ...

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that an ignore rule names, tracked or not."""
        ...

    def status(self, paths: Iterable[str] | None) -> Mapping[str, str]:
        """The two letters of `git status --porcelain` of every path that is not clean.

        None asks for all tracked files, without the untracked ones.
        """
        ...

    def config(self, key: str) -> str | None:
        """A configuration value in git's order of precedence."""
        ...


class PathNote(BaseModel):
    """A sentence about one path of the run (project-relative)."""

    model_config = ConfigDict(frozen=True)

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class CommitRefused(GitError):
    """The commit would not be exactly the run's change; `problems` says why, path by path."""

    def __init__(self, problems: Iterable[PathNote]) -> None:
        self.problems = tuple(problems)
        lines = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"nothing was committed: {lines}")
