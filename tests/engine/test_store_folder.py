"""The state folder, its lock between processes, and the index of projects."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import ProjectLocked
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.state import Phase
from orchestra_tui.engine.store.folder import claim, find
from orchestra_tui.engine.store.index import ProjectIndex, all_summaries, find_session, with_folder
from orchestra_tui.engine.store.lock import LockOwner, lock_owner
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.state_home import project_id, state_home
from tests.engine.sample_log import START, plain_records

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from orchestra_tui.engine.store.folder import claim

claimed = claim(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    root = tmp_path / "project"
    root.mkdir()
    return root


def test_the_folder_hides_from_git(project: Path) -> None:
    """git sees nothing of the state, without a line in the user's own .gitignore."""
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    claimed = claim(project)
    claimed.folder.database.write_bytes(b"x")
    said = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True
    )
    claimed.release()
    assert said.stdout == ""
    assert claimed.folder.note == ""
    assert claimed.folder.logs.is_dir()
    assert (project / ".orchestra/.gitignore").read_text() == "*\n"


def test_a_second_process_is_told_who_holds_it(project: Path) -> None:
    """The message names the process; when that dies, without any cleanup, the project is free."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(project)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ProjectLocked, match=f"process {holder.pid} "):
            claim(project)
        owner = lock_owner(project / ".orchestra/lock")
        assert owner is not None
        assert owner.pid == holder.pid
        holder.kill()
    claimed = claim(project)
    assert json.loads(claimed.folder.lock.read_text())["pid"] == os.getpid()
    claimed.release()


def test_the_lock_is_seen_through_a_link(project: Path, tmp_path: Path) -> None:
    """The same folder by another name is the same project."""
    link = tmp_path / "link"
    link.symlink_to(project)
    assert project_id(link) == project_id(project)
    claimed = claim(project)
    with pytest.raises(ProjectLocked):
        claim(link)
    claimed.release()
    claim(link).release()


def test_the_lock_file_stays(project: Path) -> None:
    """It is never removed, and holds no owner when nobody holds it."""
    claimed = claim(project)
    inode = claimed.folder.lock.stat().st_ino
    claimed.release()
    claimed.release()
    again = claim(project)
    assert again.folder.lock.stat().st_ino == inode
    again.release()
    assert lock_owner(again.folder.lock) is None


@pytest.mark.parametrize("text", ["", "{}", "garbage \x00", '{"pid": "x"}', "9" * 9000])
def test_a_damaged_owner_is_no_owner(project: Path, text: str) -> None:
    """What stands in the lock file is a courtesy; the lock itself is what counts."""
    claimed = claim(project)
    claimed.folder.lock.write_text(text)
    assert lock_owner(claimed.folder.lock) is None
    with pytest.raises(ProjectLocked, match="another Orchestra works on this project"):
        claim(project)
    claimed.release()


def test_the_owner_is_this_process() -> None:
    """Enough for a person to find the other terminal."""
    owner = LockOwner.here()
    assert owner.pid == os.getpid()
    assert owner.host


@pytest.mark.parametrize("harm", ["file", "link", "dangling", "locked-link"])
def test_an_unusable_place_sends_the_state_home(
    project: Path, tmp_path: Path, state_home: Path, harm: str
) -> None:
    """The project is not changed, the user's state folder is used, and he is told why."""
    outside = tmp_path / "outside"
    outside.mkdir()
    place = project / ".orchestra"
    if harm == "file":
        place.write_text("mine")
    elif harm == "link":
        place.symlink_to(outside)
    elif harm == "dangling":
        place.symlink_to(tmp_path / "nowhere")
    else:
        place.mkdir()
        (place / "lock").symlink_to(outside / "planted")
    claimed = claim(project)
    assert claimed.folder.path.is_relative_to(state_home)
    assert str(claimed.folder.path) in claimed.folder.note
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "nowhere").exists()
    claimed.release()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_readonly_project_keeps_its_state_at_home(project: Path, state_home: Path) -> None:
    """Nothing is written where nothing may be written."""
    project.chmod(0o555)
    claimed = claim(project)
    assert claimed.folder.path.is_relative_to(state_home)
    claimed.release()
    project.chmod(0o755)


def test_sessions_are_found_where_they_began(project: Path, state_home: Path) -> None:
    """A project that was unusable once keeps its earlier sessions when it is usable again."""
    assert find(project) is None
    (project / ".orchestra").write_text("in the way")
    claimed = claim(project)
    claimed.folder.database.write_bytes(b"x")
    claimed.release()
    (project / ".orchestra").unlink()
    again = claim(project)
    assert again.folder.path == claimed.folder.path
    assert again.folder.note
    again.release()
    found = find(project)
    assert found is not None
    assert found.path.is_relative_to(state_home)


def test_the_variable_moves_the_state_home(tmp_path: Path) -> None:
    """Without it the platform's folder is used; either is absolute."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ORCHESTRA_STATE_HOME", str(tmp_path / "here"))
        assert state_home() == tmp_path / "here"
        environment.delenv("ORCHESTRA_STATE_HOME")
        assert state_home().is_absolute()
        assert state_home().name == "orchestra-tui"


async def _project_with_session(root: Path, index: ProjectIndex, number: int) -> SessionId:
    root.mkdir()
    claimed = claim(root)
    session = SessionId(f"s-{number:04}")
    at = START + timedelta(hours=number)
    summary = SessionSummary(
        id=session,
        project=claimed.folder.project,
        root=str(root),
        title="t",
        started_at=at,
        last_at=at,
        phase=Phase.DONE,
    )
    store = await SqliteEventStore.open(claimed.folder.database)
    await store.append(plain_records(1, session=session), summary)
    await store.close()
    index.note(claimed.folder, is_scratch=number == 2)
    claimed.release()
    return session


async def test_sessions_of_all_projects(tmp_path: Path) -> None:
    """Newest first over every project; damaged entries and vanished projects are left out."""
    index = ProjectIndex()
    ids = [await _project_with_session(tmp_path / f"p{n}", index, n) for n in range(4)]
    home = state_home() / "index"
    (home / ("0" * 16 + ".json")).write_text("{broken")
    (home / "notes.json").write_text("{}")
    (home / ("f" * 16 + ".json")).write_bytes(b"\xff" * 100)
    (tmp_path / "p0/.orchestra/orchestra.db").unlink()
    (tmp_path / "p1/.orchestra/orchestra.db").write_bytes(b"no database" * 1000)
    projects = index.projects()
    assert [project.root.name for project in projects] == ["p3", "p2", "p1"]
    assert [project.is_scratch for project in projects] == [False, True, False]
    found = await all_summaries(projects, limit=10)
    assert [summary.id for summary in found] == [ids[3], ids[2]]
    assert await all_summaries(projects, limit=1) == found[:1]
    hit = await find_session(projects, "s-0002")
    assert hit is not None
    assert hit[0].root == tmp_path / "p2"
    assert await find_session(projects, "nothing") is None


async def test_the_project_at_hand_stands_first_and_once(tmp_path: Path) -> None:
    """Also when the index does not know it, such as after a move of the folder."""
    index = ProjectIndex()
    for number in range(2):
        await _project_with_session(tmp_path / f"p{number}", index, number)
    known = index.projects()
    here = find(tmp_path / "p0")
    assert [project.root.name for project in with_folder(known, here)] == ["p0", "p1"]
    assert [project.root.name for project in with_folder((), here)] == ["p0"]
    assert with_folder(known, None) == known


async def test_an_index_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    """Losing the index loses no session."""
    assert ProjectIndex(tmp_path / "missing").projects() == ()
    (tmp_path / "file").write_text("")
    assert ProjectIndex(tmp_path / "file").projects() == ()
