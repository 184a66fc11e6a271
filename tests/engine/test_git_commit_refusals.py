"""What is refused, each with its reason; and a refusal changes nothing at all."""

from pathlib import Path

import pytest

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.ids import blob_hash
from orchestra_tui.engine.git.commit import CommitRefused, commit
from tests.engine.git_sandbox import Sandbox, make_sandbox

BASE = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    sandbox = make_sandbox(tmp_path / "repo")
    sandbox.write("code.txt", BASE)
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    return sandbox


def untouched(box: Sandbox) -> tuple[str, bytes, str, list[str]]:
    """What a refused commit must leave as it was."""
    git_dir = box.tree / ".git"
    return (
        box.git("rev-parse", "HEAD"),
        (git_dir / "index").read_bytes(),
        box.status(),
        sorted(path.name for path in git_dir.iterdir()),
    )


def test_touching_lines_are_refused_and_taken_with_consent(box: Sandbox) -> None:
    box.write("code.txt", BASE.replace("line 5\n", "mine\n"))
    change = box.change("code.txt", BASE.replace("line 5\nline 6\n", "mine\nrun\n"))
    before = untouched(box)
    with pytest.raises(CommitRefused, match=r"code\.txt: your own uncommitted changes"):
        box.commit(change)
    assert untouched(box) == before
    box.commit(change.model_copy(update={"is_whole": True}))
    assert box.status() == ""
    assert b"mine\n" in (box.shown("HEAD", "code.txt") or b"")


@pytest.mark.parametrize("add", [(), ("add",), ("add", "-N")])
def test_a_file_that_was_never_committed_needs_consent(box: Sandbox, add: tuple[str, ...]) -> None:
    box.write("mine.txt", "mine\n")
    if add:
        box.git(*add, "mine.txt")
    change = box.change("mine.txt", "mine\nrun\n")
    with pytest.raises(CommitRefused, match="never committed"):
        box.commit(change)
    box.commit(change.model_copy(update={"is_whole": True}))
    assert box.status() == ""
    box.check_sound()


def test_removing_a_file_with_uncommitted_edits_needs_consent(box: Sandbox) -> None:
    box.write("code.txt", BASE + "mine\n")
    change = box.change("code.txt", None)
    with pytest.raises(CommitRefused, match="the run removes it"):
        box.commit(change)


def test_removing_a_file_the_user_only_staged_leaves_his_staging(box: Sandbox) -> None:
    box.write("mine.txt", "mine\n")
    box.git("add", "mine.txt")
    box.commit(box.change("mine.txt", None), box.change("new.txt", "run\n"))
    assert box.status() == "AD mine.txt\n"
    assert box.shown("", "mine.txt") == b"mine\n"


def test_making_again_what_the_user_removed_is_refused(box: Sandbox) -> None:
    (box.project / "code.txt").unlink()
    with pytest.raises(CommitRefused, match="you had removed it"):
        box.commit(box.change("code.txt", "run\n"))


def test_all_problems_come_at_once(box: Sandbox) -> None:
    box.write(".gitattributes", "*.bin filter=lfs\n")
    box.write("mine.txt", "mine\n")
    changes = (
        box.change("a.bin", "x\n"),
        box.change("mine.txt", "mine\nrun\n"),
        box.change("good.txt", "run\n"),
    )
    with pytest.raises(CommitRefused) as refused:
        box.commit(*changes)
    assert [problem.path for problem in refused.value.problems] == ["a.bin", "mine.txt"]
    assert "lfs" in str(refused.value)


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick"])
def test_an_operation_under_way_is_refused_by_name(box: Sandbox, operation: str) -> None:
    box.git("checkout", "-q", "-b", "side")
    box.write("code.txt", "theirs\n")
    box.git("commit", "-qam", "theirs")
    box.git("checkout", "-q", "main")
    box.write("code.txt", "ours\n")
    box.git("commit", "-qam", "ours")
    box.git(operation, "side", check=False)
    before = untouched(box)
    with pytest.raises(GitError, match=f"a {operation} is under way"):
        box.commit(box.change("new.txt", "run\n"))
    (box.project / "new.txt").unlink()
    assert untouched(box) == before


def test_unresolved_conflicts_without_an_operation_are_refused(box: Sandbox) -> None:
    box.write("code.txt", "stashed\n")
    box.git("stash", "-q")
    box.write("code.txt", "ours\n")
    box.git("commit", "-qam", "ours")
    box.git("stash", "pop", "-q", check=False)
    with pytest.raises(GitError, match=r"unresolved conflicts in code\.txt"):
        box.commit(box.change("new.txt", "run\n"))


def test_a_foreign_index_lock_is_respected_at_both_moments(box: Sandbox) -> None:
    lock = box.tree / ".git" / "index.lock"
    change = box.change("new.txt", "run\n")
    intent = box.prepare(change)
    lock.write_bytes(b"")
    before = untouched(box)
    with pytest.raises(GitError, match=r"index\.lock exists"):
        box.prepare(change)
    with pytest.raises(GitError, match=r"index\.lock exists"):
        commit(box.open(), intent)
    assert untouched(box) == before
    lock.unlink()
    assert commit(box.open(), intent) == intent.commit
    assert box.status() == ""


def test_submodules_and_nested_repositories_are_refused(box: Sandbox, tmp_path: Path) -> None:
    other = make_sandbox(tmp_path / "other")
    other.write("f.txt", "x\n")
    other.git("add", ".")
    other.git("commit", "-qm", "start")
    box.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.tree), "sub"
    )
    box.git("commit", "-qm", "submodule")
    make_sandbox(box.tree / "nested")
    for path in ("sub/f.txt", "nested/f.txt"):
        with pytest.raises(CommitRefused, match=r"repository of its own|submodule"):
            box.commit(box.change(path, "run\n"))


def test_links_and_folders_in_the_way_are_refused(box: Sandbox) -> None:
    (box.project / "link").symlink_to("code.txt")
    box.write("folder/f.txt", "x\n")
    box.git("add", ".")
    box.git("commit", "-qm", "link")
    (box.project / "link").unlink()
    with pytest.raises(CommitRefused, match="symbolic link"):
        box.commit(box.change("link", "run\n"))
    (box.project / "folder" / "f.txt").unlink()
    (box.project / "folder").rmdir()
    with pytest.raises(CommitRefused, match="folder"):
        box.commit(box.change("folder", "run\n"))


@pytest.mark.parametrize("path", [".git/config", "../out.txt", ".GIT/hooks/x", "a/../../b"])
def test_paths_outside_the_project_are_refused(box: Sandbox, path: str) -> None:
    change = box.change("new.txt", "run\n").model_copy(update={"path": path})
    with pytest.raises(CommitRefused):
        box.commit(change)


def test_another_spelling_of_a_known_file_is_refused(box: Sandbox) -> None:
    box.git("config", "core.ignorecase", "true")
    with pytest.raises(CommitRefused, match="spelling"):
        box.commit(box.change("CODE.txt", "run\n"))


def test_without_an_identity_it_says_what_to_do(box: Sandbox) -> None:
    box.git("config", "user.name", "")
    with pytest.raises(GitError, match="git config --global user"):
        box.commit(box.change("new.txt", "run\n"))


def test_an_empty_message_and_an_empty_change_are_refused(box: Sandbox) -> None:
    with pytest.raises(GitError, match="message is empty"):
        box.commit(box.change("new.txt", "run\n"), message=" \n\n")
    with pytest.raises(GitError, match="nothing to commit"):
        box.commit(box.change("code.txt", BASE))


def test_an_object_store_that_cannot_be_written(box: Sandbox) -> None:
    change = box.change("new.txt", "run\n")
    oid = blob_hash(b"run\n")
    (box.tree / ".git" / "objects" / oid[:2]).write_text("in the way")
    with pytest.raises(GitError, match="cannot be written"):
        box.commit(change)


def test_a_foreign_lock_on_the_branch_is_respected(box: Sandbox) -> None:
    lock = box.tree / ".git" / "refs" / "heads" / "main.lock"
    intent = box.prepare(box.change("new.txt", "run\n"))
    lock.write_bytes(b"")
    before = untouched(box)
    with pytest.raises(GitError, match=r"main\.lock exists"):
        commit(box.open(), intent)
    assert untouched(box) == before
    assert lock.exists()
    lock.unlink()
    commit(box.open(), intent)
    assert box.status() == ""
    box.check_sound()


def test_a_branch_in_the_way_of_a_folder(box: Sandbox) -> None:
    """Packed refs leave empty folders behind; the branch is moved all the same."""
    box.git("checkout", "-q", "-b", "topic/deep/er")
    box.git("pack-refs", "--all", "--prune")
    box.commit(box.change("new.txt", "run\n"))
    assert box.git("log", "--format=%s", "topic/deep/er") == "feat: the run\nstart\n"
    box.check_sound()
