"""Conflicts around moved files, and what the system refuses: the user's bytes stand in each."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import SessionId, StepId
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.orchestrator.review_work import WHOLE_FILE
from orchestra_tui.engine.orchestrator.wiring import EngineOptions, open_rooms
from orchestra_tui.engine.runtime import Engine
from orchestra_tui.engine.workspace.folder import FileContent
from orchestra_tui.engine.workspace.tree import FolderTree, SafeTree
from tests.e2e.program import make_repository
from tests.engine.engine_house import House, house
from tests.engine.run_driver import settings_for
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import README_AFTER, question, scripted_agents, whole_file

S1, S2 = StepId("s1"), StepId("s2")
FILES = {"old.txt": "first\n", "other.txt": "other\n"}
USERS = "the user's own\n"
PASSED = json.dumps({"verdict": "pass", "issues": [], "end": True})
MOVED = "=== EDIT new.txt\n=== END EDIT\n=== END REPLY\n"


def plan_of(*steps: dict[str, object]) -> str:
    """The Architect's reply."""
    described = [{"purpose": "because", **step} for step in steps]
    plan = {"summary": "move", "steps": described, "checks": [], "commit_message": "chore: move"}
    return json.dumps({**plan, "end": True})


RENAME = {"id": "s2", "path": "new.txt", "from": "old.txt", "change": "rename"}
FIRST = {"id": "s1", "path": "first.txt", "change": "create"}
PLAN = plan_of(FIRST, {**RENAME, "depends_on": ["s1"]})


@dataclass
class Meddler:
    """Agents for `PLAN`; while the first file is written the user saves `path`."""

    path: str
    root: Path | None = None

    def __call__(self, body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            return PLAN
        if "under review" in prompt:
            return PASSED
        if step == "s2":
            return MOVED
        if self.root is not None:
            (self.root / self.path).write_text(USERS, encoding="utf-8")
        return whole_file("first.txt", "1\n")


async def to_the_conflict(h: House, meddler: Meddler, **settings: object) -> None:
    meddler.root = h.root
    await h.start(**settings)
    await h.approve()
    await h.until(lambda run: run.steps[S2].status in {StepStatus.CONFLICT, StepStatus.FAILED})


async def test_a_file_of_the_users_is_never_moved_over(tmp_path: Path) -> None:
    meddler = Meddler("new.txt")
    async with house(tmp_path, meddler, FILES) as h:
        await to_the_conflict(h, meddler)
        for _ in range(2):
            seen = len(h.run.steps[S2].timeline)
            await h.engine.submit(cmd.RetryStep(step=S2))
            await h.until(lambda run, seen=seen: len(run.steps[S2].timeline) > seen)
            assert h.run.steps[S2].status is StepStatus.CONFLICT
            assert h.text("new.txt") == USERS
            assert h.text("old.txt") == "first\n"
        (h.root / "new.txt").unlink()
        await h.engine.submit(cmd.RetryStep(step=S2))
        await h.until(lambda run: run.is_reviewing)
        assert h.text("new.txt") == "first\n"
        assert not (h.root / "old.txt").exists()


async def test_a_moved_file_that_the_user_changed_is_moved_as_he_left_it(tmp_path: Path) -> None:
    meddler = Meddler("old.txt")
    async with house(tmp_path, meddler, FILES) as h:
        await to_the_conflict(h, meddler)
        await h.engine.submit(cmd.RetryStep(step=S2))
        await h.until(lambda run: run.is_reviewing)
        assert h.text("new.txt") == USERS
        await h.engine.submit(cmd.RevertFile(step=S2))
        await h.until(lambda run: run.steps[S2].status is StepStatus.REVERTED)
        assert h.text("old.txt") == USERS
        assert not (h.root / "new.txt").exists()


async def test_a_conflict_of_an_unattended_run_can_be_answered_later(tmp_path: Path) -> None:
    meddler = Meddler("old.txt")
    async with house(tmp_path, meddler, FILES) as h:
        await to_the_conflict(h, meddler, unattended=True)
        assert h.run.steps[S2].status is StepStatus.FAILED
        await h.until(lambda run: run.is_reviewing)
        await h.engine.submit(cmd.RetryStep(step=S2))
        await h.until(lambda run: run.steps[S2].status is StepStatus.ACCEPTED)
        assert h.text("new.txt") == USERS


async def test_a_rename_never_takes_the_place_of_a_file_that_was_there(tmp_path: Path) -> None:
    def script(body: bytes) -> str:
        return MOVED if question(body)[0] else plan_of(RENAME)

    async with house(tmp_path, script, {**FILES, "new.txt": USERS}) as h:
        await h.to_review()
        assert h.run.steps[S2].status is StepStatus.FAILED
        assert "there already" in h.run.steps[S2].last_error
        assert h.text("new.txt") == USERS
        assert h.git("status", "--porcelain") == ""
        assert len(h.server.bodies) == 1, "no Executor was asked for it"


class LockedTree:
    """A tree in which the system lets nobody read one file."""

    def __init__(self, tree: SafeTree, locked: str) -> None:
        self._tree = tree
        self._locked = locked

    def __getattr__(self, name: str) -> object:
        return getattr(self._tree, name)

    def read(self, path: str) -> FileContent | None:
        if path == self._locked:
            raise PermissionError(13, "Permission denied", path)
        return self._tree.read(path)


async def test_a_file_that_cannot_be_read_fails_its_own_step_in_a_sentence(tmp_path: Path) -> None:
    def script(body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            return plan_of(FIRST, {"id": "s2", "path": "other.txt", "change": "modify"})
        return PASSED if "under review" in prompt else whole_file("first.txt", "1\n")

    root = make_repository(tmp_path / "project", FILES)
    async with StubServer(scripted_agents(script)) as server:
        rooms = await open_rooms(EngineOptions(root, settings_for(server.base_url), {}))
        assert isinstance(rooms.tools.tree, FolderTree)
        tree = LockedTree(rooms.tools.tree, "other.txt")
        engine = Engine(replace(rooms, tools=replace(rooms.tools, tree=tree)))
        try:
            updates = aiter(engine.subscribe())
            await anext(updates)
            h = House(engine, root, server, updates)
            await h.to_review()
            assert h.run.steps[S1].status is StepStatus.ACCEPTED
            assert h.run.steps[S2].status is StepStatus.FAILED
            message = h.run.steps[S2].last_error
            assert message.startswith("other.txt could not be read or written: Permission denied")
            assert "defect" not in message
        finally:
            await engine.close()
    assert (root / "other.txt").read_text(encoding="utf-8") == "other\n"


async def test_a_rejected_hunk_of_a_file_edited_since_holds_the_commit_alone(
    tmp_path: Path,
) -> None:
    edited = "# Project\n\nIt doubles numbers.\n\nMine.\n"
    async with house(tmp_path) as h:
        await h.to_review()
        (h.root / "README.md").write_text(edited, encoding="utf-8")
        await h.engine.submit(cmd.DecideHunks(path="README.md", rejected=(WHOLE_FILE,)))
        await h.engine.submit(cmd.CommitChanges(message="feat: double"))
        await h.until(lambda run: bool(run.held))
        assert "README.md was changed since the run wrote it" in h.run.held
        assert h.run.is_reviewing, "the step is not given up for it"
        assert h.text("README.md") == edited
        await h.engine.submit(cmd.DecideHunks(path="README.md", rejected=()))
        await h.engine.submit(cmd.CommitChanges(message="feat: double"))
        await h.until(lambda run: run.outcome is not None)
        assert h.git("show", "HEAD:README.md") == README_AFTER
        assert h.text("README.md") == edited, "what he wrote since is his own change"


async def test_a_session_that_cannot_be_opened_leaves_the_open_one(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.start()
        before = h.engine.state
        with pytest.raises(CommandRefused, match="no session nowhere"):
            await h.engine.submit(cmd.OpenSession(session=SessionId("nowhere"), resume=True))
        assert h.engine.state == before
