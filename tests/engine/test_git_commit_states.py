"""Only the run is committed: every dirty state of the user's, against every kind of run.

The judge is git itself. For each pair: what the commit holds, and that the user's own staged and
unstaged changes are afterwards what they were.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestra_tui.engine.git.commit import RunChange
from tests.engine.git_sandbox import Sandbox, make_sandbox

BASE = "".join(f"line {number}\n" for number in range(1, 31))


def with_line(text: str, number: int, new: str) -> str:
    """The text with one line replaced."""
    lines = text.splitlines(keepends=True)
    lines[number - 1] = f"{new}\n"
    return "".join(lines)


def clean(box: Sandbox) -> None:
    """The user changed nothing."""


def other_unstaged(box: Sandbox) -> None:
    box.write("other.txt", with_line(BASE, 3, "mine"))


def other_staged(box: Sandbox) -> None:
    other_unstaged(box)
    box.git("add", "other.txt")


def other_staged_and_edited(box: Sandbox) -> None:
    other_staged(box)
    box.write("other.txt", with_line(BASE, 20, "mine too"))


def other_deleted_and_untracked(box: Sandbox) -> None:
    box.git("rm", "-q", "other.txt")
    box.write("notes.txt", "mine\n")


def other_staged_rename(box: Sandbox) -> None:
    box.git("mv", "other.txt", "moved.txt")
    box.write("announced.txt", "mine\n")
    box.git("add", "-N", "announced.txt")


def same_unstaged(box: Sandbox) -> None:
    box.write("code.txt", with_line(BASE, 3, "mine"))


def same_staged(box: Sandbox) -> None:
    same_unstaged(box)
    box.git("add", "code.txt")


def same_staged_and_edited(box: Sandbox) -> None:
    same_staged(box)
    box.write("code.txt", with_line(with_line(BASE, 3, "mine"), 10, "mine, not staged"))


def same_staged_then_changed_again(box: Sandbox) -> None:
    same_staged(box)
    box.write("code.txt", with_line(BASE, 3, "mine, but newer"))


def same_staged_then_undone(box: Sandbox) -> None:
    same_staged(box)
    box.write("code.txt", BASE)


def same_mode_staged(box: Sandbox) -> None:
    (box.project / "code.txt").chmod(0o755)
    box.git("add", "code.txt")


def same_untracked_on_purpose(box: Sandbox) -> None:
    box.git("rm", "-q", "--cached", "code.txt")


USER_STATES = [
    clean,
    other_unstaged,
    other_staged,
    other_staged_and_edited,
    other_deleted_and_untracked,
    other_staged_rename,
    same_unstaged,
    same_staged,
    same_staged_and_edited,
    same_staged_then_changed_again,
    same_staged_then_undone,
    same_mode_staged,
    same_untracked_on_purpose,
]


def modifies(box: Sandbox) -> tuple[RunChange, ...]:
    now = (box.read("code.txt") or b"").decode()
    return (box.change("code.txt", with_line(now, 27, "the run")),)


def inserts_and_creates(box: Sandbox) -> tuple[RunChange, ...]:
    now = (box.read("code.txt") or b"").decode()
    return (
        box.change("code.txt", now.replace("line 24\n", "line 24\nthe run\n")),
        box.change("pkg/new file.py", "print('the run')\n", is_executable=True),
    )


def renames_and_edits(box: Sandbox) -> tuple[RunChange, ...]:
    now = (box.read("code.txt") or b"").decode()
    return (box.change("pkg/code.txt", with_line(now, 27, "the run"), renamed_from="code.txt"),)


def deletes_another(box: Sandbox) -> tuple[RunChange, ...]:
    return (modifies(box)[0], box.change("old.txt", None))


RUNS = [modifies, inserts_and_creates, renames_and_edits, deletes_another]


@pytest.fixture(params=["", "sub/folder"], ids=["root", "subfolder"])
def box(tmp_path: Path, request: pytest.FixtureRequest) -> Sandbox:
    """A repository with three committed files."""
    sandbox = make_sandbox(tmp_path / "repo", below=request.param)
    for path in ("code.txt", "other.txt", "old.txt"):
        sandbox.write(path, BASE)
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    return sandbox


def own_changes(box: Sandbox, *, cached: bool) -> list[str]:
    """The changed lines of `git diff`, without hashes and line numbers, which move."""
    where = ["--cached"] if cached else []
    diff = box.git("diff", "--no-renames", "-U0", *where)
    kept = re.compile(r"^(\+\+\+|---|[+-]|old mode|new mode|deleted|new file)")
    return [line for line in diff.splitlines() if kept.match(line)]


PAIRS = [
    pytest.param(user, run, id=f"{user.__name__}-{run.__name__}")
    for user in USER_STATES
    for run in RUNS
    if (user, run) != (same_untracked_on_purpose, renames_and_edits)  # a test of its own
]


@pytest.mark.parametrize(("user", "run"), PAIRS)
def test_exactly_the_run_is_committed(
    box: Sandbox,
    user: Callable[[Sandbox], None],
    run: Callable[[Sandbox], tuple[RunChange, ...]],
) -> None:
    user(box)
    before = box.status()
    staged, unstaged = own_changes(box, cached=True), own_changes(box, cached=False)
    oid = box.commit(*run(box))

    assert box.git("rev-parse", "HEAD").strip() == oid
    if run is renames_and_edits:
        assert box.status() == renamed(before, box)
    else:
        assert box.status() == before
        # A staged removal shows the whole file, so the run's line is in it.
        assert own_changes(box, cached=True) == staged or user is same_untracked_on_purpose
        assert own_changes(box, cached=False) == unstaged
    committed = box.git("show", "--no-renames", "-U0", "--format=", "HEAD")
    assert "mine" not in committed
    assert "the run" in committed
    assert box.git("diff", "--no-renames", "--name-only", "HEAD~", "HEAD").split("\n")[
        :-1
    ] == expected(box, run)
    box.check_sound()


def renamed(status: str, box: Sandbox) -> str:
    """The user's changes in a renamed file follow it to the new name."""
    prefix = box.project.relative_to(box.tree).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    lines = [
        line.replace(f" {prefix}code.txt", f" {prefix}pkg/code.txt")
        for line in status.splitlines(keepends=True)
    ]
    untracked = [line for line in lines if line.startswith("??")]
    tracked = sorted((line for line in lines if not line.startswith("??")), key=lambda x: x[3:])
    return "".join([*tracked, *untracked])


def expected(box: Sandbox, run: Callable[[Sandbox], tuple[RunChange, ...]]) -> list[str]:
    prefix = box.project.relative_to(box.tree).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    paths: dict[Callable[[Sandbox], tuple[RunChange, ...]], list[str]] = {
        modifies: ["code.txt"],
        inserts_and_creates: ["code.txt", "pkg/new file.py"],
        renames_and_edits: ["code.txt", "pkg/code.txt"],
        deletes_another: ["code.txt", "old.txt"],
    }
    return [prefix + path for path in paths[run]]


def test_a_file_untracked_on_purpose_may_be_renamed(box: Sandbox) -> None:
    """The new name stays as untracked as the old one was."""
    same_untracked_on_purpose(box)
    box.commit(*renames_and_edits(box))
    prefix = "" if box.project == box.tree else "sub/folder/"
    assert box.status() == f"D  {prefix}pkg/code.txt\n?? {prefix}pkg/code.txt\n"
    box.check_sound()
