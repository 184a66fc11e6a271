"""`orchestra resume` without a person, on sessions that ended or stopped in every way."""

import json
import subprocess
import sys
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.state import StepStatus
from tests.e2e.program import environment, git, make_repository, orchestra
from tests.engine.engine_house import house
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import (
    BAD_CORE,
    BEFORE,
    answer,
    question,
    scripted_agents,
    whole_file,
)

RUN = ("run", "double numbers", "--headless", "--auto-approve", "--json")


async def test_a_session_that_is_over_tells_its_end_again(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents()) as server:
        env = environment(ORCHESTRA_BASE_URL=server.base_url, ORCHESTRA_MODEL="m")
        first = await orchestra(*RUN, "--commit", cwd=root, env=env)
        asked = len(server.bodies)
        session = str(first.records[-1]["session"])
        again = await orchestra("resume", session[:-2], "--headless", "--json", cwd=root, env=env)
        assert len(server.bodies) == asked
    assert (first.code, again.code) == (0, 0), again.err
    assert again.records == [first.records[-1]]
    assert "is over" in again.err


async def test_a_conflict_that_waits_for_a_person_is_skipped_without_one(tmp_path: Path) -> None:
    users = "# Project\n\nMine now.\n"
    readme = tmp_path / "project" / "README.md"

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s2" and "under review" not in prompt and "Mine now" not in prompt:
            readme.write_text(users, encoding="utf-8")
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.start()
        await h.approve()
        await h.until(lambda run: run.steps[StepId("s2")].status is StepStatus.CONFLICT)
        await h.engine.submit(cmd.PauseRun())
    async with StubServer(scripted_agents(script)) as server:
        env = environment(ORCHESTRA_BASE_URL=server.base_url, ORCHESTRA_MODEL="m")
        resumed = await orchestra("resume", "--headless", "--json", cwd=readme.parent, env=env)
    assert resumed.code == 1, resumed.err
    assert resumed.records[-1]["counts"] == {
        "accepted": 4, "failed": 0, "reverted": 0, "blocked": 0, "skipped": 1,
    }  # fmt: skip
    assert "s2 is skipped" in resumed.err
    assert readme.read_text(encoding="utf-8") == users


async def test_closed_streams_are_no_reason_to_fail(tmp_path: Path) -> None:
    """A scheduler may start a job with nothing to write to; no file must get its descriptors."""
    words = [sys.executable, "-m", "orchestra_tui", "run", "a stack", "--headless"]
    words += ["--auto-approve", "--rehearse", "calm", "--here", "--commit"]
    root = make_repository(tmp_path / "mine", {"a.txt": "a\n"})
    call = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words]
    done = subprocess.run(call, cwd=root, env=environment(), check=False, timeout=60)
    assert done.returncode == 0
    assert "stack.py" in git(root, "show", "--name-only", "--format=", "HEAD")
    listed = await orchestra("sessions", "--json", cwd=root)
    assert json.loads(listed.out.splitlines()[0])["outcome"] == "done"


async def test_a_terminal_that_cannot_show_a_letter_gets_its_number(tmp_path: Path) -> None:
    env = environment(PYTHONIOENCODING="ascii")
    task = "caf\N{LATIN SMALL LETTER E WITH ACUTE}: a stack"
    done = await orchestra("run", task, "--headless", "--rehearse", "calm", cwd=tmp_path, env=env)
    assert done.code == 5, done.err
    assert r"caf\xe9" in done.out


async def test_nothing_is_committed_while_the_checks_fail(tmp_path: Path) -> None:
    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s1" and "under review" not in prompt:
            return whole_file("app/core.py", BAD_CORE)
        passed = json.dumps({"verdict": "pass", "issues": [], "end": True})
        return passed if step == "s1" else answer(body)

    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents(script)) as server:
        env = environment(ORCHESTRA_BASE_URL=server.base_url, ORCHESTRA_MODEL="m")
        done = await orchestra(*RUN, "--commit", cwd=root, env=env)
    assert done.code == 1, done.err
    assert done.records[-1]["checks"] == "failed"
    assert done.records[-1]["commit"] is None
    assert "the checks fail" in done.err
    assert git(root, "log", "--format=%s") == "start\n"
    assert (root / "app" / "core.py").read_text(encoding="utf-8") == BAD_CORE


async def test_a_plan_that_waits_is_told_to_whoever_resumes_without_approving(
    tmp_path: Path,
) -> None:
    words = ("run", "a stack", "--headless", "--rehearse", "calm", "--json")
    first = await orchestra(*words, cwd=tmp_path)
    second = await orchestra(*words, cwd=tmp_path)
    assert (first.code, second.code) == (5, 5), second.err
    session = str(first.records[-1]["session"])
    resumed = await orchestra("resume", session, "--headless", "--json", cwd=tmp_path)
    assert resumed.code == 5, resumed.err
    assert resumed.records[-1]["type"] == "PlanProposed"
    assert resumed.records[-1]["plan"] == first.records[-1]["plan"]
    vague = await orchestra("resume", session[:4], "--headless", cwd=tmp_path)
    assert vague.code == 2
    assert session in vague.err, "what could be meant is named"


async def test_a_damaged_rehearsal_does_not_stand_before_the_others(tmp_path: Path) -> None:
    words = ("run", "a stack", "--headless", "--rehearse", "calm", "--json")
    env = environment(ORCHESTRA_STATE_HOME=str(tmp_path / "state"))
    first = await orchestra(*words, cwd=tmp_path, env=env)
    await orchestra(*words, cwd=tmp_path, env=env)
    newest = max((tmp_path / "state" / "rehearsals").iterdir(), key=lambda p: p.stat().st_mtime)
    (newest / ".orchestra" / "orchestra.db").write_bytes(b"no database" * 100)
    resumed = await orchestra("resume", "--headless", "--json", cwd=tmp_path, env=env)
    assert resumed.code == 5, resumed.err
    assert resumed.records[-1]["session"] == first.records[-1]["session"]
