"""Repositories that libgit2 cannot open: the same commit through a `git` that runs nothing."""

from pathlib import Path

import pytest

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.commit import CommitState, commit, commit_state
from orchestra_tui.engine.git.hardened import CommandPlumbing, run_git
from orchestra_tui.engine.git.libgit2 import Libgit2Plumbing
from orchestra_tui.engine.git.plumbing import Plumbing, RefMove
from tests.engine.git_sandbox import Sandbox, make_sandbox

BASE = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    """A SHA-256 repository with the project in a subfolder."""
    sandbox = make_sandbox(tmp_path / "repo", below="sub", init=("--object-format=sha256",))
    for path in ("code.txt", "other.txt"):
        sandbox.write(path, BASE)
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    return sandbox


def test_a_sha256_repository_is_committed_to_like_any_other(box: Sandbox) -> None:
    assert isinstance(box.open().plumbing, CommandPlumbing)
    for path in ("code.txt", "other.txt"):
        box.write(path, BASE.replace("line 2\n", "mine\n"))
        box.git("add", path)
    box.write("other.txt", BASE.replace("line 9\n", "mine too\n"))
    box.write(".gitignore", "*.log\n")
    before = box.status()
    now = (box.read("code.txt") or b"").decode()
    intent = box.prepare(
        box.change("code.txt", now + "the run\n"),
        box.change("new/file.txt", "the run\n"),
        box.change("run.log", "x\n"),
    )
    assert commit_state(box.open(), intent) is CommitState.NOT_DONE
    assert commit(box.open(), intent) == intent.commit
    assert len(intent.commit) == 64
    assert commit_state(box.open(), intent) is CommitState.DONE
    assert commit(box.open(), intent) == intent.commit
    assert box.status() == before
    assert "mine" not in box.git("show", "HEAD")
    assert [note.path for note in intent.left_out] == ["run.log"]
    assert box.git("reflog", "-1", "--format=%gs|%gn") == "commit: feat: the run|Ada Example\n"
    box.check_sound()


def test_the_first_commit_and_a_detached_head(tmp_path: Path) -> None:
    box = make_sandbox(tmp_path / "repo", init=("--object-format=sha256",))
    box.commit(box.change("a.txt", "run\n"))
    box.git("checkout", "-q", "--detach")
    oid = box.commit(box.change("b.txt", "run\n"))
    assert box.git("rev-parse", "HEAD").strip() == oid
    assert box.status() == ""
    box.check_sound()


@pytest.mark.parametrize("command", ["split", "sparse"])
def test_an_index_that_libgit2_cannot_read_is_shown_and_not_written(
    tmp_path: Path, command: str
) -> None:
    box = make_sandbox(tmp_path / "repo")
    for path in ("in/code.txt", "out/deep/f.txt"):
        box.write(path, BASE)
    box.git("add", ".")
    box.git("commit", "-q", "-m", "start")
    if command == "split":
        box.git("update-index", "--split-index")
    else:
        box.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    index = (box.tree / ".git" / "index").read_bytes()
    repo = box.open()
    assert not repo.is_dirty()
    change = box.change("in/code.txt", "run\n")
    assert repo.status(["in/code.txt"]) == {"in/code.txt": " M"}
    with pytest.raises(GitError, match="index cannot be written here"):
        box.commit(change)
    assert (box.tree / ".git" / "index").read_bytes() == index


@pytest.fixture
def both(tmp_path: Path) -> tuple[Sandbox, list[Plumbing]]:
    """An ordinary repository and its two plumbings."""
    box = make_sandbox(tmp_path / "repo")
    box.write("a.txt", "a\n")
    box.write(".gitattributes", "*.bin filter=lfs -text\n*.txt text eol=lf\n")
    box.write(".gitignore", "*.log\n")
    box.git("add", ".")
    box.git("commit", "-q", "-m", "start")
    git_dir = box.tree / ".git"
    return box, [Libgit2Plumbing(git_dir), CommandPlumbing(box.tree, git_dir, "sha1")]


def test_both_plumbings_answer_alike(both: tuple[Sandbox, list[Plumbing]]) -> None:
    box, plumbings = both
    first = box.git("rev-parse", "HEAD").strip()
    box.write("b.txt", "b\n")
    box.git("add", "b.txt")
    box.git("commit", "-qm", "second")
    head = box.git("rev-parse", "HEAD").strip()
    box.write("a.txt", "changed\n")
    box.write("new file.txt", "n\n")
    box.git("config", "user.signingkey", "a = b")
    answers = [
        (
            plumbing.head(),
            plumbing.ref("HEAD"),
            plumbing.ref("refs/heads/none"),
            plumbing.operation(),
            plumbing.read(head, "commit"),
            plumbing.store("blob", b"x\r\n\0"),
            plumbing.is_ancestor(first, head),
            plumbing.is_ancestor(head, first),
            dict(plumbing.attributes(["x.bin", "x.txt", ":odd -name"])),
            plumbing.attributes([]),
            plumbing.ignored(["a.log", "b.txt"]),
            plumbing.ignored([]),
            dict(plumbing.status(["a.txt", "b.txt", "new file.txt"])),
            dict(plumbing.status(None)),
            plumbing.config("user.signingkey"),
            plumbing.config("no.such"),
        )
        for plumbing in plumbings
    ]
    assert answers[0] == answers[1]
    assert answers[0][12] == {"a.txt": " M", "new file.txt": "??"}


def test_both_plumbings_compare_before_they_swap(both: tuple[Sandbox, list[Plumbing]]) -> None:
    box, plumbings = both
    head = box.git("rev-parse", "HEAD").strip()
    empty = box.git("commit-tree", "-m", "x", box.git("write-tree").strip()).strip()
    for plumbing in plumbings:
        move = RefMove(ref="refs/heads/x", old=None, new=head, log="l", name="n", email="e")
        assert plumbing.move_ref(move)
        assert not plumbing.move_ref(move)
        assert not plumbing.move_ref(move.model_copy(update={"old": empty, "new": empty}))
        assert plumbing.move_ref(move.model_copy(update={"old": head, "new": empty}))
        assert box.git("rev-parse", "refs/heads/x").strip() == empty
        box.git("update-ref", "-d", "refs/heads/x")


HOSTILE = ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "filter.lfs.clean",
           "filter.lfs.process", "credential.helper")  # fmt: skip


def test_nothing_of_a_hostile_repository_runs(both: tuple[Sandbox, list[Plumbing]]) -> None:
    box, plumbings = both
    program = box.tree / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch '{box.tree}/ran'\ncat\n")
    program.chmod(0o755)
    hooks = box.tree / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "pre-commit", "post-commit"):
        (hooks / name).symlink_to(program)
    box.write("x.bin", "stored\n")
    box.git("add", ".")
    box.git("commit", "-qm", "bin")
    for key in HOSTILE:
        box.git("config", key, str(program))
    box.git("config", "filter.lfs.required", "true")
    box.git("config", "core.hooksPath", str(hooks))
    (box.tree / "ran").unlink(missing_ok=True)
    box.write("x.bin", "changd\n")
    head = plumbings[0].head().commit
    assert head is not None
    for plumbing in plumbings:
        plumbing.status(None)
        plumbing.status(["x.bin"])
        plumbing.ignored(["x.bin"])
        plumbing.attributes(["x.bin"])
        plumbing.store("blob", b"y")
        move = RefMove(ref="refs/heads/y", old=None, new=head, log="l", name="n", email="e")
        assert plumbing.move_ref(move)
        run_git(box.tree, ["update-ref", "-d", "refs/heads/y"])
    assert not (box.tree / "ran").exists()


def test_the_trap_in_that_repository_works(both: tuple[Sandbox, list[Plumbing]]) -> None:
    """The counter-proof: an ordinary `git status` does run the repository's program."""
    box, _ = both
    program = box.tree / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch '{box.tree}/ran'\n")
    program.chmod(0o755)
    box.git("config", "core.fsmonitor", str(program))
    box.status()
    assert (box.tree / "ran").exists()
