"""The per-user index of projects, so that `sessions` and `resume` find other folders too.

The rule a reader must not break: the index is a convenience. One small file per project, so two
processes never write the same one; a damaged one is skipped; losing all of them loses no session.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestra_tui.domain.errors import StorageError, UsageError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.engine.store.atomic import write_atomic
from orchestra_tui.engine.store.folder import StateFolder
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.state_home import state_home

PROJECT_ID = re.compile(r"[0-9a-f]{16}")
MAX_ENTRY_BYTES = 64 * 1024


class IndexedProject(BaseModel):
    """A folder this user worked in, and where its state lies."""

    model_config = ConfigDict(frozen=True)

    project: str
    root: Path
    state: Path
    last_used: datetime
    is_scratch: bool = False
    """It was made for a rehearsal."""

    @property
    def database(self) -> Path:
        """The event log of the project."""
        return StateFolder(root=self.root, path=self.state).database


class ProjectIndex:
    """The index in one folder, `index/` of the user's state folder unless told otherwise."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_home() / "index"

    def note(self, folder: StateFolder, *, is_scratch: bool = False) -> None:
        """Remember that the project was used now. Blocks.

        Raises:
            StorageError: the index cannot be written; the project works without it.
        """
        entry = IndexedProject(
            project=folder.project,
            root=folder.root.absolute(),
            state=folder.path.absolute(),
            last_used=datetime.now(UTC),
            is_scratch=is_scratch,
        )
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{entry.project}.json"
            write_atomic(path, entry.model_dump_json(indent=2).encode() + b"\n")
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be written: {error.strerror}") from error

    def projects(self) -> tuple[IndexedProject, ...]:
        """Every project whose log is still there, last used first. Blocks."""
        try:
            files = list(self._folder.glob("*.json"))
        except OSError:
            return ()
        found = [entry for path in files if (entry := _read(path)) and entry.database.is_file()]
        return tuple(sorted(found, key=lambda entry: entry.last_used, reverse=True))


def with_folder(
    projects: Iterable[IndexedProject], folder: StateFolder | None
) -> tuple[IndexedProject, ...]:
    """The projects with the one of `folder` first, once, whether or not the index knows it."""
    known = tuple(projects)
    if folder is None:
        return known
    others = (project for project in known if project.project != folder.project)
    own = IndexedProject(
        project=folder.project, root=folder.root, state=folder.path, last_used=datetime.now(UTC)
    )
    return own, *others


async def all_summaries(
    projects: Iterable[IndexedProject], *, limit: int
) -> tuple[SessionSummary, ...]:
    """The sessions of these projects together, newest first; logs that cannot be read are left out.

    Nothing is locked or changed, so this also works while other processes write.
    """
    found: list[SessionSummary] = []
    for project in projects:
        try:
            found += await _summaries(project.database, limit)
        except StorageError:
            continue
    found.sort(key=lambda summary: summary.last_at, reverse=True)
    return tuple(found[:limit])


async def find_session(
    projects: Iterable[IndexedProject], prefix: str
) -> tuple[IndexedProject, SessionId] | None:
    """The project that holds the one session whose id is `prefix` or begins with it.

    Raises UsageError if several begin with it.
    """
    found: dict[SessionId, IndexedProject] = {}
    for project in projects:
        try:
            summaries = await _summaries(project.database, limit=1000)
        except StorageError:
            continue
        for summary in summaries:
            if summary.id == prefix:
                return project, summary.id
            if summary.id.startswith(prefix):
                found.setdefault(summary.id, project)
    if len(found) > 1:
        names = ", ".join(sorted(found, reverse=True)[:5])
        raise UsageError(f"{len(found)} sessions begin with {prefix}: give more of it ({names})")
    return next(((project, session) for session, project in found.items()), None)


async def _summaries(database: Path, limit: int) -> tuple[SessionSummary, ...]:
    store = await SqliteEventStore.open_readonly(database)
    try:
        return await store.summaries(limit)
    finally:
        await store.close()


def _read(path: Path) -> IndexedProject | None:
    """An entry; None if it is damaged, too large, or not named after its project."""
    if not PROJECT_ID.fullmatch(path.stem):
        return None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ENTRY_BYTES)
        entry = IndexedProject.model_validate_json(data)
    except (OSError, ValidationError):
        return None
    return entry if entry.project == path.stem else None
