"""The user's repository as a run sees it: found, described, asked about paths; never written.

The rule a reader must not break: paths outside this room are relative to the *project root*,
which may be a folder inside the work tree; only this room adds the prefix in between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pygit2

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.git.hardened import CommandPlumbing, run_git
from orchestra_tui.engine.git.libgit2 import Libgit2Plumbing
from orchestra_tui.engine.git.objects import commit_tree, entry_at
from orchestra_tui.engine.git.plumbing import Head, Plumbing


@dataclass(frozen=True)
class Repository:
    """A work tree that holds the project root. `prefix` is "" or "the/folder/".

    `git_dir` is the work tree's own git directory: index and HEAD are there.
    """

    root: Path
    work_tree: Path
    git_dir: Path
    prefix: str
    plumbing: Plumbing

    @property
    def index_path(self) -> Path:
        """The index of this work tree."""
        return self.git_dir / "index"

    def head(self) -> Head:
        """The commit HEAD stands on (None before the first) and its branch (None: detached)."""
        return self.plumbing.head()

    def operation(self) -> str | None:
        """ "merge", "rebase" and the like while one is under way."""
        return self.plumbing.operation()

    def is_dirty(self) -> bool:
        """True if a tracked file of the work tree has uncommitted changes."""
        return bool(self.plumbing.status(None))

    def status(self, paths: Iterable[str]) -> dict[str, str]:
        """The two porcelain letters (" M", "A ", "??", ...) of those paths that are not clean."""
        found = self.plumbing.status([self.prefix + path for path in paths])
        return {path.removeprefix(self.prefix): letters for path, letters in found.items()}

    def is_ignored(self, path: str) -> bool:
        """True if an ignore rule names the path, tracked or not."""
        return bool(self.ignored([path]))

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that an ignore rule names; a folder's path ends in `/`."""
        found = self.plumbing.ignored([self.prefix + path for path in paths])
        return frozenset(path.removeprefix(self.prefix) for path in found)

    def read_at_head(self, path: str) -> bytes | None:
        """The file as it was last committed (line endings as stored); None if it was not."""
        tree = commit_tree(self.plumbing, self.head().commit)
        entry = entry_at(self.plumbing, tree, self.prefix + path)
        if entry is None or not entry.is_file:
            return None
        return self.plumbing.read(entry.oid, "blob")


def open_repository(root: Path) -> Repository | None:
    """The repository whose work tree holds `root`; None where there is none.

    Raises:
        GitError: there is one that cannot be used (bare, another owner, damaged); the message is
            the reason to show when the project is then worked on without git.
    """
    root = root.resolve()
    try:
        found = pygit2.discover_repository(str(root))
        if found is None:
            return None
        repo = pygit2.Repository(found)
        if repo.workdir is not None:
            len(repo.index)  # a split or sparse index is where libgit2 gives up
    except (pygit2.GitError, OSError) as error:
        return _open_by_command(root, str(error))
    if repo.workdir is None:
        raise GitError("the git repository here is bare: open a work tree of it")
    work_tree = Path(repo.workdir).resolve()
    plumbing = Libgit2Plumbing(Path(repo.path))
    return _repository(root, work_tree, git_dir=Path(repo.path), plumbing=plumbing)


def create_repository(
    root: Path,
    *,
    name: str = "Orchestra Rehearsal",
    email: str = "rehearsal@orchestra.invalid",
    message: str = "chore: an empty start",
) -> Repository:
    """`git init` in `root` (for a rehearsal's scratch folder) with an empty first commit.

    Done again it changes nothing.
    The identity is written to this repository's own configuration only; no template is copied, so
    there are no hooks.
    """
    root.mkdir(parents=True, exist_ok=True)
    try:
        repo = pygit2.init_repository(str(root), initial_head="main")
        repo.config["user.name"] = name
        repo.config["user.email"] = email
        repo.config["core.autocrlf"] = "false"
        if repo.head_is_unborn:
            person = pygit2.Signature(name, email)
            tree = repo.TreeBuilder().write()
            repo.create_commit("HEAD", person, person, f"{message}\n", tree, [])
    except (pygit2.GitError, OSError) as error:
        raise GitError(f"the scratch repository cannot be made in {root}: {error}") from error
    opened = open_repository(root)
    if opened is None:
        raise GitError(f"the scratch repository in {root} cannot be opened again")
    return opened


def _repository(root: Path, work_tree: Path, *, git_dir: Path, plumbing: Plumbing) -> Repository:
    git_dir = git_dir.resolve()
    if root == git_dir or git_dir in root.parents:
        raise GitError(f"{root} is inside the git directory itself: open the work tree instead")
    if root != work_tree and work_tree not in root.parents:
        raise GitError(f"the repository found here keeps its files elsewhere, in {work_tree}")
    relative = root.relative_to(work_tree).as_posix()
    prefix = "" if relative == "." else f"{relative}/"
    return Repository(root, work_tree, git_dir, prefix, plumbing)


def _open_by_command(root: Path, reason: str) -> Repository:
    """The same repository through the git program, or an error that explains libgit2's `reason`."""
    if "not owned by" in reason:
        raise GitError(
            "the repository belongs to another user, so git does not trust it; if you do, run: "
            f"git config --global --add safe.directory {root}"
        )
    asked = ("--show-toplevel", "--absolute-git-dir", "--show-object-format")
    answers: Mapping[str, str] = {key: _ask(root, key) for key in asked}
    if not all(answers.values()):
        raise GitError(f"the repository cannot be opened: {clean_line(reason)}")
    git_dir = Path(answers["--absolute-git-dir"])
    work_tree = Path(answers["--show-toplevel"]).resolve()
    hash_name: Literal["sha1", "sha256"] = (
        "sha256" if answers["--show-object-format"] == "sha256" else "sha1"
    )
    plumbing = CommandPlumbing(work_tree, git_dir, hash_name)
    return _repository(root, work_tree, git_dir=git_dir, plumbing=plumbing)


def _ask(root: Path, question: str) -> str:
    done = run_git(root, ["rev-parse", question])
    return done.stdout.decode(errors="surrogateescape").rstrip("\n") if not done.returncode else ""
