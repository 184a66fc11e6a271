"""The exit codes and the steps between two calls, as scripts rely on them."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.e2e.program import (
    environment,
    finish,
    git,
    make_repository,
    orchestra,
    start,
)
from tests.stubs.openai_server import StubServer, chat, refusal, stall_after
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

RUN = ("run", "double numbers", "--headless")


def real(server: StubServer, **more: str) -> dict[str, str]:
    return environment(ORCHESTRA_BASE_URL=server.base_url, ORCHESTRA_MODEL="m", **more)


def silent(asked: asyncio.Event) -> App:
    """A model that was asked and says nothing."""
    stall = stall_after()

    async def app(request: AppRequest, reply: Reply) -> None:
        asked.set()
        await stall(request, reply)

    return app


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "x", "--headless"), "no provider is configured"),
        (("run", "x"), "there is no terminal"),
        ((), "there is no terminal"),
        (("run", "x", "--headless", "--rehearse"), "expected one argument"),
        (("run", " ", "--headless", "--rehearse", "calm"), "the task is empty"),
        (("run", "caf\udce9", "--headless", "--rehearse", "calm"), "not UTF-8"),
        (("run", "x", "--mode", "watch", "--headless"), "watch"),
        (("run", "x", "--max-concurrency", "0"), "1 to 32"),
        (("run", "x", "--plan", "nowhere.md"), "not a file"),
        (("run", "x", "--cwd", "nowhere"), "not a folder"),
        (("resume", "--headless"), "nothing to resume"),
        (("resume", "20200101-000000-abcd", "--headless"), "there is no session"),
    ],
)
async def test_misuse_exits_2_and_says_what_to_do(
    words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    finished = await orchestra(*words, cwd=tmp_path)
    assert finished.code == 2
    assert says in finished.err
    assert "Traceback" not in finished.err
    assert finished.out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the folder of a process")
@pytest.mark.parametrize("words", ["run x --headless --rehearse calm", "doctor", "sessions"])
def test_a_folder_that_is_gone_is_said(words: str, tmp_path: Path) -> None:
    """As after a branch was removed in another terminal."""
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f'rmdir "{gone}"; exec "{sys.executable}" -m orchestra_tui {words}'
    done = subprocess.run(
        ["sh", "-c", program], cwd=gone, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "the folder you are in cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_broken_plan_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("# no plan at all\nhello\n", encoding="utf-8")
    finished = await orchestra(
        *RUN, "--rehearse", "calm", "--plan", "plan.md", "--auto-approve", cwd=tmp_path
    )
    assert finished.code == 2
    assert "plan.md" in finished.err
    assert "Traceback" not in finished.err


async def test_the_whole_job_over_a_real_socket(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents()) as server:
        finished = await orchestra(
            *RUN, "--auto-approve", "--json", "--commit", cwd=root, env=real(server)
        )
        assert finished.code == 0, finished.err
        assert len(server.requests) == len(finished.of_type("CallFinished"))
    assert git(root, "ls-files").split() == sorted(AFTER)
    assert {path: (root / path).read_text(encoding="utf-8") for path in AFTER} == AFTER
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "log", "-1", "--format=%s").strip() == "feat: double numbers"
    assert git(root, "fsck", "--strict") == ""


async def test_approval_in_a_second_call_with_an_edited_plan(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents()) as server:
        first = await orchestra(*RUN, "--json", cwd=root, env=real(server))
        assert first.code == 5, first.err
        session = str(first.records[0]["session"])
        assert session in first.err
        plan = (root / ".orchestra" / "plan.md").read_text(encoding="utf-8")
        edited = tmp_path / "edited.md"
        edited.write_text(plan.replace("say what it does", "say it clearly"), encoding="utf-8")
        again = await orchestra("resume", session, "--headless", cwd=root, env=real(server))
        assert again.code == 5, "without --approve it still waits"
        second = await orchestra(
            "resume", session, "--approve", "--plan", str(edited), "--headless", "--json",
            cwd=root, env=real(server),
        )  # fmt: skip
        assert second.code == 0, second.err
        approved = second.of_type("PlanApproved")[0]["plan"]
        assert "say it clearly" in json.dumps(approved)
        asked = [str(body) for body in server.bodies]
    assert sum("say it clearly" in body for body in asked) > 0
    listed = await orchestra("sessions", "--json", cwd=root)
    assert [json.loads(line)["id"] for line in listed.out.splitlines()] == [session]


async def test_plan_prints_a_plan_that_can_be_brought_back(tmp_path: Path) -> None:
    printed = await orchestra("plan", "write slugify", "--rehearse", "calm", cwd=tmp_path)
    assert printed.code == 0, printed.err
    (tmp_path / "mine.md").write_text(printed.out, encoding="utf-8")
    finished = await orchestra(
        *RUN, "--rehearse", "calm", "--plan", "mine.md", "--auto-approve", "--json", cwd=tmp_path
    )
    assert finished.code == 0, finished.err
    roles = {record["role"] for record in finished.of_type("CallStarted")}
    assert "architect" not in roles, "the Architect is not asked"


async def test_an_unreachable_provider_exits_75_and_can_be_resumed(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    env = environment(ORCHESTRA_BASE_URL="http://127.0.0.1:9/v1", ORCHESTRA_MODEL="m")
    finished = await orchestra(*RUN, "--auto-approve", "--json", cwd=root, env=env)
    assert finished.code == 75, finished.err
    assert finished.records[-1]["outcome"] == "unavailable"
    async with StubServer(scripted_agents()) as server:
        resumed = await orchestra("resume", "--headless", "--approve", cwd=root, env=real(server))
    assert resumed.code == 0, resumed.err


async def test_a_refused_key_is_a_matter_of_configuration(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    app = refusal(401, {"message": "bad key sk-canary-0123456789", "code": "invalid_api_key"})
    async with StubServer(app) as server:
        env = real(server, ORCHESTRA_API_KEY_ENV="MY_KEY", MY_KEY="sk-canary-0123456789")
        finished = await orchestra(*RUN, "--auto-approve", "--json", cwd=root, env=env)
        assert finished.code == 2
        assert len(server.requests) == 1, "a refused key is not tried again"
    assert "canary" not in finished.out + finished.err
    for path in (root / ".orchestra").rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path


async def test_sigint_cancels_and_the_session_can_go_on(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    asked = asyncio.Event()
    async with StubServer(silent(asked)) as server:
        process = await start(*RUN, "--auto-approve", "--json", cwd=root, env=real(server))
        await asked.wait()
        process.send_signal(signal.SIGINT)
        finished = await finish(process)
    assert finished.code == 3, finished.err
    assert finished.records[-1]["outcome"] == "cancelled"
    async with StubServer(scripted_agents()) as server:
        resumed = await orchestra("resume", "--headless", "--approve", cwd=root, env=real(server))
    assert resumed.code == 0, resumed.err


async def test_sigterm_leaves_the_run_to_be_resumed(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    asked = asyncio.Event()
    async with StubServer(silent(asked)) as server:
        process = await start(*RUN, "--auto-approve", cwd=root, env=real(server))
        await asked.wait()
        process.terminate()
        finished = await finish(process)
    assert finished.code == 128 + signal.SIGTERM, finished.err
    assert "Traceback" not in finished.err


async def test_a_second_orchestra_is_told_who_holds_the_project(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    asked = asyncio.Event()
    async with StubServer(silent(asked)) as server:
        process = await start(*RUN, cwd=root, env=real(server))
        await asked.wait()
        second = await orchestra(*RUN, cwd=root, env=real(server))
        process.terminate()
        await finish(process)
    assert second.code == 2
    assert str(process.pid) in second.err


async def test_doctor_tells_a_configured_provider_from_none(tmp_path: Path) -> None:
    nothing = await orchestra("doctor", "--json", cwd=tmp_path)
    assert nothing.code == 1, nothing.err
    assert json.loads(nothing.out)["is_configured"] is False
    async with StubServer(chat("x")) as server:
        something = await orchestra("doctor", "--json", cwd=tmp_path, env=real(server))
    assert something.code == 0, something.out
