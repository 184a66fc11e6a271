"""The state folder of a project, `.orchestra/`: what lies where, and whose it is now.

The rule a reader must not break: nothing in it is trusted to be ours. A repository may bring a
`.orchestra` of its own, so links are refused, and the user's state folder is used instead.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.domain.errors import ProjectLocked, StorageError
from orchestra_tui.engine.store.lock import ProjectLock
from orchestra_tui.engine.store.state_home import project_id, state_home

NAME = ".orchestra"
IGNORE_ALL = "*\n"


@dataclass(frozen=True)
class StateFolder:
    """Where the state of the project at `root` lies.

    `note` is empty for `.orchestra/` in the project; otherwise it says, for a person, why the
    state lies elsewhere.
    """

    root: Path
    path: Path
    note: str = ""

    @property
    def project(self) -> str:
        """The id that the records of this project carry."""
        return project_id(self.root)

    @property
    def database(self) -> Path:
        """The event log."""
        return self.path / "orchestra.db"

    @property
    def plan(self) -> Path:
        """The plan as Markdown, for the user's editor."""
        return self.path / "plan.md"

    @property
    def blobs(self) -> Path:
        """The private bare repository that holds every content by its hash."""
        return self.path / "blobs.git"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        """The file that the one writer holds."""
        return self.path / "lock"


@dataclass(frozen=True)
class ClaimedFolder:
    """A state folder that this process alone may write, until `release`."""

    folder: StateFolder
    held: ProjectLock

    def release(self) -> None:
        """Let another process have the project. May be called twice."""
        self.held.release()


def claim(root: Path) -> ClaimedFolder:
    """Make the state folder of the project at `root` and lock it. Blocks.

    `.orchestra/` in the project is preferred; where it cannot be made, written or locked, the
    state goes to the user's state folder, and the result's `note` says so.

    Raises:
        ProjectLocked: another process holds the project.
        StorageError: neither place can be used.
    """
    home = elsewhere(root, "")
    if not (root / NAME).exists() and home.database.exists():
        # A project that was read-only when its sessions began keeps them where they are.
        return _claim(elsewhere(root, "its earlier sessions lie there"))
    try:
        return _claim(StateFolder(root=root, path=root / NAME))
    except ProjectLocked:
        raise
    except StorageError as error:
        return _claim(elsewhere(root, str(error)))


def elsewhere(root: Path, why: str) -> StateFolder:
    """The folder that the project's state goes to when `.orchestra/` cannot be used."""
    path = state_home() / "projects" / project_id(root)
    note = f"the state of this project lies in {path}: {why}" if why else ""
    return StateFolder(root=root, path=path, note=note)


def find(root: Path) -> StateFolder | None:
    """The state folder the project already has, without making or locking it; None if none."""
    for folder in (StateFolder(root=root, path=root / NAME), elsewhere(root, "")):
        if _is_own_folder(folder.path) and folder.database.is_file():
            return folder
    return None


def _claim(folder: StateFolder) -> ClaimedFolder:
    try:
        _make(folder.path)
        _make(folder.logs)
        _ignore(folder.path / ".gitignore")
    except OSError as error:
        raise StorageError(f"{folder.path} cannot be written: {error.strerror}") from error
    return ClaimedFolder(folder=folder, held=ProjectLock.acquire(folder.lock))


def _make(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_own_folder(path):
        raise StorageError(f"{path} is a link; it is not followed")
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(f"{path} cannot be written")


def _is_own_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _ignore(path: Path) -> None:
    """Keep git from seeing the folder. What stands there already is left alone."""
    with contextlib.suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(IGNORE_ALL)
