"""The commit in odd places: no commits yet, detached HEAD, work trees, line endings, flags."""

import re
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.commit import commit, prepare_commit
from orchestra_tui.engine.git.repository import open_repository
from tests.engine.git_sandbox import Sandbox, make_sandbox

BASE = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    sandbox = make_sandbox(tmp_path / "repo")
    sandbox.write("code.txt", BASE)
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    return sandbox


def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.write("mine.txt", "mine\n")
    box.git("add", "mine.txt")
    box.commit(box.change("a/b.txt", "run\n"))
    assert box.git("ls-tree", "-r", "--name-only", "HEAD") == "a/b.txt\n"
    assert box.status() == "A  mine.txt\n"
    assert box.git("log", "--format=%an <%ae>%n%cn%n%B").startswith("Ada Example <ada@example.org>")
    assert "commit (initial): feat: the run" in box.git("reflog", "show", "main")
    box.check_sound()


def test_the_first_commit_without_any_index(tmp_path: Path) -> None:
    box = make_sandbox(tmp_path / "repo")
    assert not (box.tree / ".git" / "index").exists()
    box.commit(box.change("a.txt", "run\n"))
    assert box.status() == ""
    box.check_sound()


def test_a_detached_head_moves_and_the_branch_stays(box: Sandbox) -> None:
    box.git("checkout", "-q", "--detach")
    oid = box.commit(box.change("new.txt", "run\n"))
    assert box.git("rev-parse", "HEAD").strip() == oid
    assert box.git("rev-parse", "main").strip() != oid
    assert box.git("status", "--porcelain=v1", "-b").startswith("## HEAD (no branch)")
    box.check_sound()


def test_a_linked_work_tree_has_its_own_index(box: Sandbox, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    box.git("worktree", "add", "-q", "-b", "side", str(linked))
    side = Sandbox(tree=linked, project=linked)
    main = box.git("rev-parse", "main")
    side.write("mine.txt", "mine\n")
    side.git("add", "mine.txt")
    side.commit(side.change("code.txt", BASE + "run\n"))
    assert side.status() == "A  mine.txt\n"
    assert box.status() == ""
    assert box.git("rev-parse", "main") == main
    assert box.git("fsck", "--strict", "--no-dangling") == ""


def test_message_reflog_and_time_are_as_asked(box: Sandbox) -> None:
    message = "feat(x): caf\u00e9 \x1b[31mred\n\n\n\n- a step   \n"
    box.commit(box.change("new.txt", "run\n"), message=message)
    shown = box.git("log", "-1", "--format=%B")
    assert shown == "feat(x): caf\u00e9 \u241b[31mred\n\n- a step\n\n"
    assert box.git("reflog", "-1", "--format=%gs").startswith("commit: feat(x): caf")
    assert re.search(r"[+-]\d{4}$", box.git("log", "-1", "--format=%ai").strip())


@pytest.mark.parametrize("text", ["run\n", ""])
@pytest.mark.parametrize("is_late", [False, True])
def test_an_announced_file_of_the_run_is_committed(box: Sandbox, text: str, is_late: bool) -> None:
    change = box.change("new.txt", text)
    if not is_late:
        box.git("add", "-N", "new.txt")
    intent = box.prepare(change)
    if is_late:
        box.git("add", "-N", "new.txt")
    commit(box.open(), intent)
    assert box.status() == ""
    assert box.shown("HEAD", "new.txt") == text.encode()
    box.check_sound()


def test_what_the_user_staged_of_the_run_itself_is_no_obstacle(box: Sandbox) -> None:
    changes = (box.change("new.txt", "run\n"), box.change("code.txt", BASE + "run\n"))
    box.git("add", ".")
    box.commit(*changes)
    assert box.status() == ""
    box.check_sound()


def test_edits_the_user_makes_after_the_run_stay_out(box: Sandbox) -> None:
    change = box.change("code.txt", BASE + "run\n")
    box.write("code.txt", "first, mine\n" + BASE + "run\n")
    box.commit(change)
    assert box.shown("HEAD", "code.txt") == (BASE + "run\n").encode()
    assert box.status() == " M code.txt\n"
    assert "+first, mine" in box.git("diff")


def test_the_executable_bit(box: Sandbox) -> None:
    box.commit(box.change("code.txt", BASE, is_executable=True))
    assert box.git("ls-files", "--stage", "code.txt").startswith("100755")
    assert box.status() == ""
    box.git("config", "core.filemode", "false")
    box.commit(box.change("code.txt", BASE + "run\n", is_executable=False))
    assert box.git("ls-files", "--stage", "code.txt").startswith("100755")
    box.check_sound()


def test_a_file_becomes_a_folder(box: Sandbox) -> None:
    first = box.change("code.txt", None)
    box.commit(first, box.change("code.txt/part.txt", "run\n"))
    assert box.git("ls-tree", "-r", "--name-only", "HEAD") == "code.txt/part.txt\n"
    assert box.status() == ""
    box.check_sound()


def test_the_last_file_of_a_folder_and_of_the_tree_may_go(box: Sandbox) -> None:
    box.commit(box.change("a/b/c.txt", "x\n"))
    box.commit(box.change("a/b/c.txt", None))
    assert box.git("ls-tree", "-r", "--name-only", "HEAD") == "code.txt\n"
    box.commit(box.change("code.txt", None))
    assert box.git("ls-tree", "-r", "HEAD") == ""
    assert box.status() == ""
    box.check_sound()


def test_swapped_names(box: Sandbox) -> None:
    """b takes a's name and a becomes c: a rename whose old name is written again."""
    box.write("a.txt", "a\n" * 5)
    box.git("add", ".")
    box.git("commit", "-qm", "a")
    moved = box.change("c.txt", "a\n" * 5, renamed_from="a.txt")
    again = box.change("a.txt", "new\n").model_copy(update={"before": b"a\n" * 5})
    box.commit(moved, again)
    assert box.shown("HEAD", "c.txt") == b"a\n" * 5
    assert box.shown("HEAD", "a.txt") == b"new\n"
    assert box.status() == ""


@pytest.mark.parametrize("autocrlf", ["true", "input"])
def test_line_endings_are_stored_normalised_and_nothing_shows_as_changed(
    box: Sandbox, autocrlf: str
) -> None:
    box.git("config", "core.autocrlf", autocrlf)
    box.write("code.txt", BASE.replace("\n", "\r\n"))
    changed = BASE.replace("line 3\n", "run\n").replace("\n", "\r\n")
    box.commit(box.change("code.txt", changed), box.change("new.txt", "a\r\nb\r\n"))
    assert box.shown("HEAD", "code.txt") == changed.replace("\r\n", "\n").encode()
    assert box.shown("HEAD", "new.txt") == b"a\nb\n"
    assert box.status() == ""
    assert box.git("diff", "--stat", "HEAD~", "HEAD", "--", "code.txt").count("2 +-") == 1


def test_crlf_without_any_rule_is_committed_as_it_is(box: Sandbox) -> None:
    box.commit(box.change("new.txt", b"a\r\nb\r\n"), box.change("bin", b"\0\xff\r\n"))
    assert box.shown("HEAD", "new.txt") == b"a\r\nb\r\n"
    assert box.shown("HEAD", "bin") == b"\0\xff\r\n"
    assert box.status() == ""


def test_flags_on_the_users_index_entries_stay(box: Sandbox) -> None:
    box.write("code.txt", BASE.replace("line 2\n", "my local setting\n"))
    box.git("update-index", "--assume-unchanged", "code.txt")
    now = (box.read("code.txt") or b"").decode()
    box.commit(box.change("code.txt", now + "run\n"))
    assert box.status() == ""
    assert box.git("ls-files", "-v") == "h code.txt\n"
    assert "my local" not in (box.shown("HEAD", "code.txt") or b"").decode()
    box.check_sound()


def test_ignored_files_are_left_out_and_named(box: Sandbox) -> None:
    box.write(".gitignore", "*.log\n")
    box.git("add", ".")
    box.git("commit", "-qm", "ignore")
    intent = box.prepare(box.change("run.log", "x\n"), box.change("new.txt", "run\n"))
    assert intent.files == ("new.txt",)
    assert [note.path for note in intent.left_out] == ["run.log"]
    commit(box.open(), intent)
    assert box.git("ls-files") == ".gitignore\ncode.txt\nnew.txt\n"
    with pytest.raises(GitError, match=r"nothing to commit: run\.log: git ignores it"):
        box.prepare(box.change("run.log", "y\n"))


def test_notes_name_hooks_and_signing_and_no_hook_runs(box: Sandbox) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        hook = box.tree / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{box.tree}/ran'\nexit 1\n")
        hook.chmod(0o755)
    box.git("config", "commit.gpgsign", "true")
    intent = box.prepare(box.change("new.txt", "run\n"))
    assert "pre-commit, commit-msg, post-commit" in intent.notes[0]
    assert "not signed" in intent.notes[1]
    commit(box.open(), intent)
    assert not (box.tree / "ran").exists()


def test_the_environment_may_name_the_author(box: Sandbox) -> None:
    environment = {"GIT_AUTHOR_NAME": "Bo <x>", "GIT_AUTHOR_EMAIL": "bo@example.org"}
    changes = [box.change("new.txt", "run\n")]
    commit(box.open(), prepare_commit(box.open(), changes, "feat: x", environment=environment))
    assert box.git("log", "-1", "--format=%an|%ae|%cn") == "Bo x|bo@example.org|Ada Example\n"
    box.check_sound()


def test_the_repository_is_found_again_after_the_commit(box: Sandbox) -> None:
    oid = box.commit(box.change("new.txt", "run\n"))
    repo = open_repository(box.project)
    assert repo is not None
    assert repo.head().commit == oid
    assert repo.read_at_head("new.txt") == b"run\n"
