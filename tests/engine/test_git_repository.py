"""Finding the user's repository, and every kind of repository that is not simply one."""

import os
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.libgit2 import Libgit2Plumbing
from orchestra_tui.engine.git.repository import Repository, create_repository, open_repository
from tests.engine.git_sandbox import Sandbox, make_sandbox


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    sandbox = make_sandbox(tmp_path / "repo", below="sub")
    sandbox.write("a.txt", "a\n")
    sandbox.write("b.txt", "b\n")
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    return sandbox


def opened(folder: Path) -> Repository:
    repo = open_repository(folder)
    assert repo is not None
    return repo


def test_no_repository_is_no_error(tmp_path: Path) -> None:
    assert open_repository(tmp_path) is None


def test_a_folder_inside_the_work_tree(box: Sandbox) -> None:
    repo = opened(box.project)
    assert (repo.root, repo.work_tree, repo.prefix) == (box.project, box.tree, "sub/")
    assert repo.read_at_head("a.txt") == b"a\n"
    assert repo.read_at_head("nothing") is None
    assert repo.read_at_head(".") is None
    assert opened(box.tree).prefix == ""
    assert opened(box.tree).read_at_head("sub/a.txt") == b"a\n"


def test_through_a_symbolic_link(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(box.project)
    assert opened(tmp_path / "link").prefix == "sub/"


def test_head_on_a_branch_detached_and_unborn(box: Sandbox, tmp_path: Path) -> None:
    repo = opened(box.project)
    oid = box.git("rev-parse", "HEAD").strip()
    assert (repo.head().commit, repo.head().branch) == (oid, "main")
    box.git("checkout", "-q", "-b", "topic/deep")
    assert repo.head().branch == "topic/deep"
    box.git("checkout", "-q", "--detach")
    assert (repo.head().commit, repo.head().branch) == (oid, None)
    box.git("pack-refs", "--all")
    assert repo.plumbing.ref("refs/heads/main") == oid
    assert repo.plumbing.ref("refs/heads/none") is None
    empty = make_sandbox(tmp_path / "empty")
    assert opened(empty.tree).head().commit is None
    assert opened(empty.tree).head().branch == "main"
    assert not opened(empty.tree).is_dirty()


def test_status_of_paths_and_of_the_whole(box: Sandbox) -> None:
    repo = opened(box.project)
    assert not repo.is_dirty()
    box.write("new.txt", "n\n")
    assert not repo.is_dirty()
    box.write("a.txt", "staged\n")
    box.git("add", "a.txt")
    box.write("a.txt", "and more\n")
    (box.project / "b.txt").unlink()
    before = (box.tree / ".git" / "index").read_bytes()
    asked = ["a.txt", "b.txt", "new.txt", "none.txt"]
    assert repo.status(asked) == {"a.txt": "MM", "b.txt": " D", "new.txt": "??"}
    assert repo.is_dirty()
    assert (box.tree / ".git" / "index").read_bytes() == before


def test_ignored_paths(box: Sandbox) -> None:
    box.write(".gitignore", "*.log\nbuild/\n!keep.log\n")
    repo = opened(box.project)
    asked = ["a.log", "keep.log", "build/x/y.txt", "a.txt"]
    assert repo.ignored(asked) == {"a.log", "build/x/y.txt"}
    assert repo.is_ignored("a.log")
    assert not repo.is_ignored("keep.log")


def test_a_bare_repository_and_the_git_folder_are_refused(box: Sandbox, tmp_path: Path) -> None:
    box.git("clone", "-q", "--bare", str(box.tree), str(tmp_path / "bare.git"))
    with pytest.raises(GitError, match="bare"):
        open_repository(tmp_path / "bare.git")
    with pytest.raises(GitError, match="inside the git directory"):
        open_repository(box.tree / ".git" / "objects")


def test_a_linked_work_tree(box: Sandbox, tmp_path: Path) -> None:
    box.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    repo = opened(tmp_path / "linked" / "sub")
    assert repo.head().branch == "side"
    assert repo.prefix == "sub/"
    assert repo.index_path.exists()
    assert repo.index_path != box.tree / ".git" / "index"


def test_a_work_tree_that_is_elsewhere_is_refused(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    box.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    with pytest.raises(GitError, match="elsewhere"):
        open_repository(box.project)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_owner_is_refused_with_the_way_out(box: Sandbox) -> None:
    for path in (box.tree, *box.tree.rglob("*")):
        os.chown(path, 12345, 12345)
    with pytest.raises(GitError, match=r"git config --global --add safe\.directory"):
        open_repository(box.project)


def test_a_damaged_repository_is_an_error_with_a_reason(box: Sandbox) -> None:
    (box.tree / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitError, match="cannot be opened"):
        open_repository(box.project)


def test_a_missing_object_says_what_to_do(box: Sandbox) -> None:
    oid = box.git("rev-parse", "HEAD:sub/a.txt").strip()
    (box.tree / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(GitError, match="git fsck"):
        opened(box.project).read_at_head("a.txt")


def test_git_variables_of_the_environment_do_not_lead_elsewhere(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other-index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert opened(box.project).work_tree == box.tree


def test_a_scratch_repository(tmp_path: Path) -> None:
    repo = create_repository(tmp_path / "scratch")
    box = Sandbox(tree=tmp_path / "scratch", project=tmp_path / "scratch")
    assert repo.head().branch == "main"
    assert box.git("log", "--format=%an|%ae|%s") == (
        "Orchestra Rehearsal|rehearsal@orchestra.invalid|chore: an empty start\n"
    )
    assert box.status() == ""
    assert [path.name for path in (box.tree / ".git" / "hooks").iterdir()] == ["README.sample"]
    box.commit(box.change("a.py", "print(1)\n"))
    assert box.git("log", "-1", "--format=%an") == "Orchestra Rehearsal\n"
    head = box.git("rev-parse", "HEAD").strip()
    assert create_repository(tmp_path / "scratch").head().commit == head
    box.check_sound()


def test_stored_objects_are_gits_own(box: Sandbox) -> None:
    plumbing = Libgit2Plumbing(box.tree / ".git")
    oid = plumbing.store("blob", b"x\r\n\0")
    assert box.git("cat-file", "-t", oid) == "blob\n"
    assert plumbing.read(oid, "blob") == b"x\r\n\0"
    with pytest.raises(GitError, match="not a tree"):
        plumbing.read(oid, "tree")
    with pytest.raises(GitError, match="not in the repository"):
        plumbing.read("0" * 40, "blob")
