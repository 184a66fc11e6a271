"""`orchestra validate` as a script, a hook and a person call it: the real program, real git."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import environment, git, orchestra

GOOD = "def area(width, height):\n    total = width * height\n    return total\n"
CUT = "def area(width, height):\n    total = (width *\n"
ELIDED = "def area(width, height):\n    # ... rest of the code unchanged\n"


def repository(root: Path) -> Path:
    """A repository with one commit that holds GOOD as a.py and the broken old.py."""
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "T")
    git(root, "config", "user.email", "t@example.invalid")
    (root / "a.py").write_text(GOOD)
    (root / "old.py").write_text(CUT)
    git(root, "add", ".")
    git(root, "commit", "-qm", "start")
    return root


async def test_the_exit_code_says_the_worst_and_unreadable_beats_damaged(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "cut.py").write_text(CUT)
    (tmp_path / "binary.dat").write_bytes(b"\x00\x01")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    fine = await orchestra("validate", "good.py", cwd=tmp_path)
    assert (fine.code, fine.out) == (0, "")
    assert "1 file: 1 fine" in fine.err
    damaged = await orchestra("validate", "good.py", "cut.py", cwd=tmp_path)
    assert damaged.code == 1
    assert damaged.out.startswith("cut.py:2:13: incomplete: ")
    for name, says in (
        ("binary.dat", "is binary"),
        ("latin.txt", "is not UTF-8 text (byte 4)"),
        ("nowhere.py", "cannot be read: No such file"),
    ):
        unreadable = await orchestra("validate", "cut.py", name, cwd=tmp_path)
        assert unreadable.code == 2
        assert f"{name}: unreadable: {says}" in unreadable.out
        assert "cut.py:2:13: incomplete" in unreadable.out
        assert "Traceback" not in unreadable.err


async def test_json_is_one_object_per_file_in_the_order_they_were_named(tmp_path: Path) -> None:
    names = [f"{number}.py" for number in range(30)]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(CUT if number % 3 == 0 else GOOD)
    finished = await orchestra("validate", "--json", *names, "nowhere", cwd=tmp_path)
    assert finished.code == 2
    assert [record["path"] for record in finished.records] == [*names, "nowhere"]
    for number, record in enumerate(finished.records[:-1]):
        assert set(record) == {"path", "state", "diagnostics"}
        assert record["state"] == ("incomplete" if number % 3 == 0 else "fine")
    [diagnostic] = finished.records[0]["diagnostics"]  # type: ignore[misc]
    assert diagnostic == {
        "kind": "syntax",
        "line": 2,
        "column": 13,
        "message": "'(' was never closed",
    }
    assert finished.records[-1]["state"] == "unreadable"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name a file"),
        (("a.py", "a.py", "--old", "a.py"), "--old goes with one file"),
        ((".", "--old", "a.py"), "--old goes with one file"),
        (("a.py", "--old", "nowhere"), "not a file"),
        (("a.py", "--old", "a.py", "--staged"), "not allowed with"),
        (("a.py", "--against", "main", "--staged"), "not allowed with"),
        (("a.py", "--against", "no-such-revision"), "there is no commit no-such-revision"),
        (("a.py", "--against", "--output=x"), "expected one argument"),
        (("/", "--staged"), "is outside the repository"),
    ],
)
async def test_misuse_exits_2_with_a_sentence(
    words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    finished = await orchestra("validate", *words, cwd=repository(tmp_path))
    assert finished.code == 2
    assert says in finished.err
    assert "Traceback" not in finished.err


async def test_git_options_outside_a_repository_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    env = environment(GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    finished = await orchestra("validate", "--staged", "a.py", cwd=tmp_path, env=env)
    assert finished.code == 2
    assert "no git work tree" in finished.err


async def test_damage_that_the_old_text_had_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(CUT)
    (tmp_path / "new.py").write_text(f"import os\n{CUT}")
    assert (await orchestra("validate", "new.py", cwd=tmp_path)).code == 1
    assert (await orchestra("validate", "new.py", "--old", "old.py", cwd=tmp_path)).code == 0
    (tmp_path / "old.py").write_bytes(b"\xff\xfe")
    unreadable = await orchestra("validate", "new.py", "--old", "old.py", cwd=tmp_path)
    assert unreadable.code == 2
    assert "old.py: is not UTF-8" in unreadable.out


async def test_a_folder_is_walked_as_git_sees_it(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / ".gitignore").write_text("build/\n")
    for path in ("build/cut.py", "src/cut.py", "src/picture.png"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(b"\x89PNG\x00" if path.endswith("png") else CUT.encode())
    finished = await orchestra("validate", "--json", ".", cwd=root)
    assert finished.code == 1
    states = {record["path"]: record["state"] for record in finished.records}
    assert states == {
        ".gitignore": "fine",
        "a.py": "fine",
        "old.py": "incomplete",
        "src/cut.py": "incomplete",
    }
    inner = await orchestra("validate", "--json", "src", cwd=root)
    assert [record["path"] for record in inner.records] == ["src/cut.py"]


async def test_against_a_revision_only_what_changed_since_is_blamed(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / "old.py").write_text(f"import os\n{CUT}")
    (root / "a.py").write_text(ELIDED)
    finished = await orchestra("validate", "--against", "HEAD", "--json", cwd=root)
    assert finished.code == 1
    states = {record["path"]: record["state"] for record in finished.records}
    assert states == {"a.py": "elided", "old.py": "fine"}
    named = await orchestra("validate", "--against", "main", "old.py", cwd=root)
    assert named.code == 0
    git(root, "commit", "-qam", "more")
    before = await orchestra("validate", "--against", "HEAD~1", "a.py", cwd=root)
    assert before.code == 1
    assert (await orchestra("validate", "--against", "HEAD", cwd=root)).code == 0


async def test_the_staged_text_is_judged_not_the_one_on_disk(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / "a.py").write_text(CUT)
    (root / "new file\u00e9.py").write_text(CUT)
    git(root, "add", ".")
    (root / "a.py").write_text(GOOD)
    finished = await orchestra("validate", "--staged", "--json", cwd=root)
    assert finished.code == 1
    states = {record["path"]: record["state"] for record in finished.records}
    assert states == {"a.py": "incomplete", "new file\u00e9.py": "incomplete"}
    (root / "sub").mkdir()
    below = await orchestra("validate", "--staged", "../a.py", cwd=root / "sub")
    assert (below.code, below.out.split(":")[0]) == (1, "../a.py")
    git(root, "add", "a.py")
    again = await orchestra("validate", "--staged", "a.py", cwd=root)
    assert again.code == 0


async def test_a_staged_rename_is_judged_against_the_old_name(tmp_path: Path) -> None:
    root = repository(tmp_path)
    git(root, "mv", "old.py", "moved.py")
    finished = await orchestra("validate", "--staged", "--json", cwd=root)
    assert [(r["path"], r["state"]) for r in finished.records] == [("moved.py", "fine")]
    against = await orchestra("validate", "--against", "HEAD", "moved.py", cwd=root)
    assert against.code == 0


async def test_before_the_first_commit_all_that_is_staged_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "cut.py").write_text(CUT)
    git(tmp_path, "add", ".")
    finished = await orchestra("validate", "--staged", cwd=tmp_path)
    assert (finished.code, finished.out.split(":")[0]) == (1, "cut.py")


async def test_the_index_that_git_names_to_a_hook_is_the_one_that_is_read(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / "a.py").write_text(CUT)
    env = environment(GIT_INDEX_FILE=str(root / ".git" / "other"))
    subprocess.run(["git", "read-tree", "HEAD"], cwd=root, env=env, check=True)
    subprocess.run(["git", "add", "a.py"], cwd=root, env=env, check=True)
    assert (await orchestra("validate", "--staged", cwd=root)).code == 0
    assert (await orchestra("validate", "--staged", cwd=root, env=env)).code == 1


async def test_what_is_no_file_is_a_sentence_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "a\x1b[31mb\nc.py").write_text(CUT)
    pipe = await orchestra("validate", "pipe.py", cwd=tmp_path)
    assert (pipe.code, pipe.out) == (2, "pipe.py: unreadable: is no regular file\n")
    strange = await orchestra("validate", "a\x1b[31mb\nc.py", cwd=tmp_path)
    assert strange.code == 1
    assert "\x1b" not in strange.out
    assert len(strange.out.splitlines()) == 1
    as_json = await orchestra("validate", "--json", "a\x1b[31mb\nc.py", cwd=tmp_path)
    assert as_json.records[0]["path"] == "a\x1b[31mb\nc.py"


def test_neither_the_engine_nor_the_app_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CUT)
    script = (
        "import json, sys; from orchestra_tui.cli import main; main(['validate', 'a.py']); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "orchestra_tui.engine.validation.gate" in loaded
    rooms = ("runtime", "orchestrator", "agents", "adapters", "store", "git", "workspace", "checks")
    heavy = {"textual", "rich", "httpx", "aiosqlite", "pygit2", "sqlite3", "orchestra_tui.app"}
    assert not loaded & {*heavy, *(f"orchestra_tui.engine.{room}" for room in rooms)}
