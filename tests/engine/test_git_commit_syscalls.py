"""The commit killed at every system call that changes the repository's names, then continued.

strace does the killing, so no point is missed that our own code does not know of: this is how an
abandoned lock of the branch was found, which random kills had not shown.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra_tui.engine.git.commit import CommitIntent, CommitState, commit, commit_state
from tests.engine.git_sandbox import Sandbox, make_sandbox

STRACE = shutil.which("strace")
BASE = "".join(f"line {number}\n" for number in range(1, 21))
CHILD = """
import sys
from pathlib import Path
from orchestra_tui.engine.git.commit import CommitIntent, commit
from orchestra_tui.engine.git.repository import open_repository
commit(open_repository(Path(sys.argv[1])), CommitIntent.model_validate_json(sys.argv[2]))
"""


def _can_trace() -> bool:
    if STRACE is None:
        return False
    return subprocess.run([STRACE, "true"], capture_output=True, check=False).returncode == 0


def _traced(tree: Path, intent: CommitIntent, *options: str) -> str:
    log = tree.with_suffix(".log")
    child = [sys.executable, "-B", "-c", CHILD, str(tree), intent.model_dump_json()]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [STRACE or "strace", "-f", "-o", str(log), *options, *child]
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return log.read_text()


@pytest.mark.skipif(not _can_trace(), reason="strace is not here or may not trace")
@pytest.mark.parametrize("call", ["link", "rename", "unlink"])
def test_killed_at_every(tmp_path: Path, call: str) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.write("code.txt", BASE)
    box.git("add", ".")
    box.git("commit", "-q", "-m", "start")
    box.write("code.txt", BASE.replace("line 2\n", "mine\n"))
    box.git("add", ".")
    box.write("code.txt", BASE.replace("line 2\n", "mine\n").replace("line 7\n", "mine\n"))
    status = box.status()
    now = (box.read("code.txt") or b"").decode()
    intent = box.prepare(
        box.change("code.txt", now.replace("line 15\n", "the run\n")),
        box.change("new.txt", "the run\n"),
    )
    whole = tmp_path / "whole"
    shutil.copytree(box.tree, whole)
    # Some systems spell a call in another way (renameat2 for rename), hence the pattern.
    trace = _traced(whole, intent, "-e", f"trace=/^{call}(at2?)?$")
    points = [match[1] for match in re.finditer(r"^\d+\s+(\w+)\(", trace, re.MULTILINE)]
    assert len(points) >= 2
    for number, name in enumerate(points, start=1):
        at = points[:number].count(name)
        tree = tmp_path / f"{call}-{number}"
        shutil.copytree(box.tree, tree)
        killed = _traced(tree, intent, "-e", f"inject={name}:signal=SIGKILL:when={at}")
        assert "killed by SIGKILL" in killed
        _check_continued(Sandbox(tree=tree, project=tree), intent, status)


def _check_continued(box: Sandbox, intent: CommitIntent, status: str) -> None:
    assert commit_state(box.open(), intent) is not CommitState.HEAD_MOVED
    assert commit(box.open(), intent) == intent.commit
    assert box.status() == status
    assert "mine" not in box.git("show", "HEAD")
    assert box.git("rev-list", "--count", "HEAD").strip() == "2"
    box.check_sound()
    assert not list((box.tree / ".git").rglob("*.lock"))
    assert not list((box.tree / ".git").glob("orchestra*"))
