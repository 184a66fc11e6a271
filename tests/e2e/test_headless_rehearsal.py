"""Every scenario of the rehearsal through the real program, judged by git and by the files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import Finished, git, make_repository, orchestra

TASK = "write slugify with tests"
LABEL = "REHEARSAL - no AI"


async def rehearse(scenario: str, cwd: Path, *more: str) -> Finished:
    return await orchestra(
        "run",
        TASK,
        "--headless",
        "--auto-approve",
        "--rehearse",
        scenario,
        "--json",
        *more,
        cwd=cwd,
    )


def scratch_of(finished: Finished) -> Path:
    return Path(str(finished.of_type("SessionStarted")[0]["root"]))


@pytest.mark.parametrize(
    ("scenario", "code", "outcome"),
    [("calm", 0, "done"), ("storm", 0, "done"), ("stall", 0, "done"), ("hopeless", 1, "partial")],
)
async def test_each_scenario_ends_as_promised(
    scenario: str, code: int, outcome: str, tmp_path: Path
) -> None:
    finished = await rehearse(scenario, tmp_path, "--commit")
    assert finished.code == code, finished.err
    records = finished.records
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert records[-1]["type"] == "RunFinished"
    assert records[-1]["outcome"] == outcome
    assert records[-1]["checks"] == "passed"
    root = scratch_of(finished)
    assert tmp_path not in root.parents, "a rehearsal works in a scratch repository"
    assert str(root) in finished.err, "its path is printed"
    assert git(root, "status", "--porcelain") == ""
    committed = git(root, "show", "--name-only", "--format=").split()
    written = {str(r["path"]) for r in finished.of_type("FileWritten")}
    reverted = {str(r["path"]) for r in finished.of_type("FileReverted")}
    assert set(committed) == written - reverted
    assert len(reverted) == (scenario == "hopeless")
    for path in committed:
        assert LABEL in (root / path).read_text(encoding="utf-8")
    tests = subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=root, check=False)
    assert tests.returncode == 0


async def test_a_storm_is_seen_in_the_log(tmp_path: Path) -> None:
    finished = await rehearse("storm", tmp_path)
    kinds = {record["kind"] for record in finished.of_type("CallFailed")}
    assert kinds >= {"rate_limited", "stream_cut"}
    waits = [r["retry_in"] for r in finished.of_type("CallFailed") if r["kind"] == "rate_limited"]
    assert all(isinstance(wait, float) and wait >= 1.0 for wait in waits)
    reasons = " ".join(str(record["reason"]) for record in finished.of_type("ReplyRefused"))
    assert "leaves the project" in reasons
    assert "not one JSON object" in reasons
    assert finished.of_type("Committed") == [], "the default is not to commit"


async def test_a_stall_ends_by_the_idle_timeout(tmp_path: Path) -> None:
    finished = await rehearse("stall", tmp_path)
    assert [record["kind"] for record in finished.of_type("CallFailed")] == ["idle_timeout"]


async def test_here_commits_into_the_users_repository_and_leaves_his_work(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", {"a.txt": "one\n", "b.txt": "two\n"})
    (root / "a.txt").write_text("staged\n", encoding="utf-8")
    git(root, "add", "a.txt")
    (root / "b.txt").write_text("changed\n", encoding="utf-8")
    (root / "notes.txt").write_text("untracked\n", encoding="utf-8")
    before = git(root, "status", "--porcelain")
    finished = await rehearse("calm", root, "--here", "--commit")
    assert finished.code == 0, finished.err
    assert git(root, "status", "--porcelain") == before
    committed = set(git(root, "show", "--name-only", "--format=").split())
    assert committed == {str(r["path"]) for r in finished.of_type("FileWritten")}
    assert not committed & {"a.txt", "b.txt", "notes.txt"}


async def test_works_without_git_and_says_that_nothing_can_be_committed(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    finished = await rehearse("calm", root, "--here")
    assert finished.code == 0, finished.err
    assert (root / "slugify.py").exists()
    refused = await rehearse("calm", root, "--here", "--commit")
    assert refused.code == 2
    assert "git init" in refused.err


@pytest.mark.parametrize("mode", ["sequential", "parallel", "pipeline"])
async def test_any_task_in_any_mode_without_json(mode: str, tmp_path: Path) -> None:
    finished = await orchestra(
        "run",
        "rewrite our billing in Rust ... mañana? 🎻",
        "--headless",
        "--auto-approve",
        "--rehearse",
        "calm",
        "--mode",
        mode,
        "--max-concurrency",
        "2",
        cwd=tmp_path,
    )
    assert finished.code == 0, finished.err
    assert all(line.startswith(f"[{LABEL}]") for line in finished.out.splitlines())
    assert "accepted" in finished.out.splitlines()[-1]
