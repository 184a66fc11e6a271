"""A commit cut off anywhere is continued to the same end, and nobody's staging is lost.

The process is really killed: a child commits through a plumbing port that ends it before or after
the branch moves, or stops after a public step of the index lock.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.commit import (
    CommitIntent,
    CommitState,
    RunChange,
    commit,
    commit_state,
    finish,
)
from orchestra_tui.engine.git.index_lock import IndexLock
from tests.engine.git_sandbox import Sandbox, make_sandbox

BASE = "".join(f"line {number}\n" for number in range(1, 21))
KILLED = 137

CHILD = """
import dataclasses, os, signal, sys
from pathlib import Path
from orchestra_tui.engine.git.commit import CommitIntent, commit
from orchestra_tui.engine.git.libgit2 import Libgit2Plumbing
from orchestra_tui.engine.git.repository import open_repository

class Dying(Libgit2Plumbing):
    def move_ref(self, move):
        if sys.argv[2] == "before the branch moves":
            os.kill(os.getpid(), signal.SIGKILL)
        moved = super().move_ref(move)
        if sys.argv[2] == "after the branch moved":
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

repo = open_repository(Path(sys.argv[1]))
repo = dataclasses.replace(repo, plumbing=Dying(repo.git_dir))
commit(repo, CommitIntent.model_validate_json(sys.stdin.read()))
"""


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    """The user has staged and unstaged changes, in the run's file too."""
    sandbox = make_sandbox(tmp_path / "repo")
    for path in ("code.txt", "other.txt"):
        sandbox.write(path, BASE)
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    for path in ("code.txt", "other.txt"):
        sandbox.write(path, BASE.replace("line 2\n", "mine, staged\n"))
        sandbox.git("add", path)
        now = (sandbox.read(path) or b"").decode()
        sandbox.write(path, now.replace("line 7\n", "mine, not staged\n"))
    return sandbox


def run_of(box: Sandbox) -> CommitIntent:
    now = (box.read("code.txt") or b"").decode()
    return box.prepare(
        box.change("code.txt", now.replace("line 15\n", "the run\n")),
        box.change("new.txt", "the run\n"),
    )


def killed(box: Sandbox, intent: CommitIntent, where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(box.project), where],
        input=intent.model_dump_json().encode(),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()


def check_done(box: Sandbox, intent: CommitIntent, status: str) -> None:
    assert box.git("rev-parse", "HEAD").strip() == intent.commit
    assert box.git("rev-list", "--count", "HEAD").strip() == "2"
    assert box.status() == status
    assert "mine" not in box.git("show", "HEAD")
    assert commit_state(box.open(), intent) is CommitState.DONE
    box.check_sound()


def test_killed_before_the_branch_moved(box: Sandbox) -> None:
    status = box.status()
    intent = run_of(box)
    killed(box, intent, "before the branch moves")
    assert (box.tree / ".git" / "index.lock").exists()
    assert commit_state(box.open(), intent) is CommitState.NOT_DONE
    assert commit(box.open(), intent) == intent.commit
    check_done(box, intent, status)


@pytest.mark.parametrize("repair", [commit, finish])
def test_killed_after_the_branch_moved(box: Sandbox, repair: object) -> None:
    status = box.status()
    intent = run_of(box)
    killed(box, intent, "after the branch moved")
    assert commit_state(box.open(), intent) is CommitState.DONE
    # Half-way, git itself refuses to commit or stage, so nothing can be built on a stale index.
    assert "index.lock" in _failure(box, "commit", "-m", "too early")
    (commit if repair is commit else finish)(box.open(), intent)
    check_done(box, intent, status)
    finish(box.open(), intent)
    check_done(box, intent, status)


def _failure(box: Sandbox, *arguments: str) -> str:
    with pytest.raises(AssertionError) as failed:
        box.git(*arguments)
    return str(failed.value)


def test_killed_after_the_draft_of_the_index(box: Sandbox) -> None:
    status = box.status()
    intent = run_of(box)
    (box.tree / ".git" / f"index.orchestra-{intent.commit[:16]}").write_bytes(b"DIRC half")
    assert commit(box.open(), intent) == intent.commit
    check_done(box, intent, status)


def test_killed_between_the_index_and_the_removal_of_the_draft(box: Sandbox) -> None:
    status = box.status()
    intent = run_of(box)
    commit(box.open(), intent)
    index = box.tree / ".git" / "index"
    os.link(index, index.with_name(f"index.orchestra-{intent.commit[:16]}"))
    finish(box.open(), intent)
    check_done(box, intent, status)


def test_the_user_removed_our_lock_and_went_on(box: Sandbox) -> None:
    """The index is stale then; what he stages before the resume stays his."""
    intent = run_of(box)
    killed(box, intent, "after the branch moved")
    (box.tree / ".git" / "index.lock").unlink()
    box.git("add", "other.txt")
    finish(box.open(), intent)
    assert box.status() == "MM code.txt\nM  other.txt\n"
    box.check_sound()


def test_once_the_user_committed_on_top_the_index_is_his(box: Sandbox) -> None:
    intent = run_of(box)
    commit(box.open(), intent)
    box.git("commit", "-qm", "mine")
    index = (box.tree / ".git" / "index").read_bytes()
    assert commit_state(box.open(), intent) is CommitState.DONE
    assert commit(box.open(), intent) == intent.commit
    assert (box.tree / ".git" / "index").read_bytes() == index
    assert box.git("rev-list", "--count", "HEAD").strip() == "3"


def test_what_the_user_unstages_between_prepare_and_commit_stays_unstaged(box: Sandbox) -> None:
    intent = run_of(box)
    box.git("reset", "-q", "--", "code.txt")
    commit(box.open(), intent)
    assert box.status() == " M code.txt\nMM other.txt\n"
    assert box.shown("", "code.txt") == box.shown("HEAD", "code.txt")
    box.check_sound()


def test_a_file_of_the_run_the_user_untracked_later_stays_untracked(box: Sandbox) -> None:
    intent = run_of(box)
    commit(box.open(), intent)
    box.git("rm", "-q", "--cached", "new.txt")
    box.git("commit", "-qm", "not this one")
    finish(box.open(), intent)
    assert box.status() == " M code.txt\n M other.txt\n?? new.txt\n"


def test_a_user_who_stages_all_the_time_loses_nothing(box: Sandbox) -> None:
    """Sixty files staged by real git processes while six commits are made beside them."""
    script = """
    for number in $(seq 60); do
      echo mine > mine-$number.txt
      until git add mine-$number.txt 2>/dev/null; do :; done
    done
    """
    user = subprocess.Popen(["/bin/sh", "-c", script], cwd=box.project)
    try:
        for number in range(6):
            change = box.change(f"run-{number}.txt", "the run\n")
            while not _committed(box, change):
                pass
    finally:
        assert user.wait(timeout=60) == 0
    assert box.status().count("A  mine-") == 60
    assert "run-" not in box.status()
    assert box.git("rev-list", "--count", "HEAD").strip() == "7"
    assert "mine" not in box.git("log", "-p", "HEAD~6..HEAD")
    box.check_sound()


def _committed(box: Sandbox, change: RunChange) -> bool:
    """False while the user's git holds the index."""
    try:
        return bool(box.commit(change))
    except GitError as error:
        if "index" in str(error):
            return False
        raise


@pytest.mark.parametrize("event", ["a commit", "a switch", "a reset"])
def test_a_head_that_moved_in_between_is_never_built_on(box: Sandbox, event: str) -> None:
    intent = run_of(box)
    match event:
        case "a commit":
            box.git("commit", "-qm", "mine")
        case "a switch":
            box.git("switch", "-q", "-c", "side")
        case _:
            box.git("update-ref", "refs/heads/main", box.git("commit-tree", "-m", "x",
                    box.git("write-tree").strip()).strip())  # fmt: skip
    head, status = box.git("rev-parse", "HEAD"), box.status()
    assert commit_state(box.open(), intent) is CommitState.HEAD_MOVED
    with pytest.raises(GitError, match="nothing was committed"):
        commit(box.open(), intent)
    assert (box.git("rev-parse", "HEAD"), box.status()) == (head, status)
    box.check_sound()


def test_what_the_user_stages_between_prepare_and_commit_stays(box: Sandbox) -> None:
    intent = run_of(box)
    box.git("add", "code.txt")
    box.write("late.txt", "mine\n")
    box.git("add", "late.txt")
    commit(box.open(), intent)
    assert "the run" not in box.git("diff", "--cached", "--", "code.txt").replace(" the run", "")
    assert "+mine, not staged" in box.git("diff", "--cached", "--", "code.txt")
    assert box.status() == "M  code.txt\nA  late.txt\nMM other.txt\n"
    box.check_sound()


def test_the_lock_starts_again_when_the_index_changes_under_it(box: Sandbox) -> None:
    """A writer that ignores the lock: its change is seen and built upon, not overwritten."""
    index = box.tree / ".git" / "index"
    seen: list[bytes] = []

    def build(data: bytes) -> bytes:
        seen.append(data)
        if len(seen) == 1:
            box.write("late.txt", "mine\n")
            box.git("add", "late.txt")
        return data

    lock = IndexLock(index, "0" * 40)
    lock.hold(build)
    lock.publish()
    assert len(seen) == 2
    assert "A  late.txt\n" in box.status()


def test_a_lock_of_somebody_else_is_never_removed(box: Sandbox) -> None:
    lock = box.tree / ".git" / "index.lock"
    draft = box.tree / ".git" / f"index.orchestra-{'0' * 16}"
    for ours, theirs in ((b"draft", b""), (b"draft", b"other"), (b"", b"")):
        draft.write_bytes(ours)
        lock.write_bytes(theirs)
        IndexLock(lock.with_name("index"), "0" * 40).recover()
        assert lock.read_bytes() == theirs
        assert not draft.exists()


def test_a_change_in_the_same_tick_as_the_index_is_not_hidden(box: Sandbox) -> None:
    """git compares files that are as new as its index by content; a rewrite must not end that."""
    target, index = box.project / "racy.txt", box.tree / ".git" / "index"
    long_ago = (1_600_000_000 * 10**9,) * 2
    box.write("racy.txt", "aaaa\n")
    os.utime(target, ns=long_ago)
    box.git("add", "racy.txt")
    box.write("racy.txt", "bbbb\n")
    os.utime(target, ns=long_ago)
    os.utime(index, ns=long_ago)
    box.git("config", "core.trustctime", "false")
    assert "AM racy.txt" in box.status()
    intent = run_of(box)
    commit(box.open(), intent)
    assert "AM racy.txt" in box.status()
