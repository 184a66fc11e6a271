"""The budget as a script meets it: exit 4, what is said, and how the session goes on."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from orchestra_tui.engine.adapters.rehearsal.transport import AppRequest, Reply
from tests.e2e.program import environment, make_repository, orchestra, start
from tests.stubs.openai_server import StubServer, delta, stall_after
from tests.stubs.scripted_agents import AFTER, BEFORE, question, scripted_agents

RUN = ("run", "double numbers", "--headless", "--auto-approve", "--json")
PRICED = """
[adapters.stub]
base_url = "{url}"
model = "m"
max_output_tokens = 500

[prices.m]
input = 1
output = 100
"""


def configured(folder: Path, server: StubServer, text: str = PRICED) -> dict[str, str]:
    path = folder / "config.toml"
    path.write_text(text.format(url=server.base_url), encoding="utf-8")
    return environment(ORCHESTRA_CONFIG=str(path))


async def test_exit_4_and_resume_with_more(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents()) as server:
        env = configured(tmp_path, server)
        stopped = await orchestra(*RUN, "--budget", "0.09", cwd=root, env=env)
        assert stopped.code == 4, stopped.err
        [reached] = stopped.of_type("BudgetReached")[:1]
        assert reached["stop"]["kind"] == "money"  # type: ignore[index]
        assert "budget reached" in stopped.err
        session = str(stopped.records[0]["session"])
        assert f"orchestra resume {session} --headless --budget USD" in stopped.err
        asked = len(server.requests)

        again = await orchestra("resume", session, "--headless", "--json", cwd=root, env=env)
        assert again.code == 4, "nothing was given"
        assert len(server.requests) == asked
        little = await orchestra(
            "resume", session, "--headless", "--budget", "0.01", cwd=root, env=env
        )
        assert little.code == 2
        assert "give more than that" in little.err

        more = await orchestra(
            "resume", session, "--headless", "--json", "--budget", "5", cwd=root, env=env
        )
        assert more.code == 0, more.err
        last = more.records[-1]
        assert last["type"] == "RunFinished"
        assert last["cost"]["unknown"] == 0  # type: ignore[index]
        assert last["usage"]["output_tokens"] > 0  # type: ignore[index]
        listed = await orchestra("sessions", "--json", cwd=root, env=env)
        assert json.loads(listed.out)["cost"] == last["cost"]
    for path, text in AFTER.items():
        assert (root / path).read_text(encoding="utf-8") == text


async def test_the_budget_of_the_configuration_holds_without_a_flag(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    text = PRICED + "\n[budget]\nusd = 20\n\n[budget.executor]\ntokens = 100\n"
    async with StubServer(scripted_agents()) as server:
        env = configured(tmp_path, server, text)
        stopped = await orchestra(*RUN, cwd=root, env=env)
        assert stopped.code == 4, stopped.err
        assert "--budget-tokens executor=N" in stopped.err
        session = str(stopped.records[0]["session"])
        more = await orchestra(
            "resume", session, "--headless", "--budget-tokens", "executor=90000", cwd=root, env=env
        )
        assert more.code == 0, more.err
        assert "no cost" not in more.out
        assert "$" in more.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[budget]\nusd = -1\n", "budget.usd"),
        ("[budget]\ncents = 10\n", "budget.cents"),
        ("[budget.boss]\nusd = 1\n", "budget.boss"),
        ("[prices.m]\ninput = 1\n", "prices.m.output"),
    ],
)
async def test_a_wrong_budget_or_price_is_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    env = environment(ORCHESTRA_CONFIG=str(path))
    finished = await orchestra("run", "x", "--headless", cwd=tmp_path, env=env)
    assert finished.code == 2
    assert says in finished.err
    assert "Traceback" not in finished.err


@pytest.mark.parametrize(
    "words",
    [("--budget", "0"), ("--budget", "free"), ("--budget-tokens", "1.5"), ("--budget", "boss=1")],
)
async def test_a_budget_that_is_none_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    finished = await orchestra("run", "x", "--headless", *words, cwd=tmp_path)
    assert finished.code == 2
    assert "Traceback" not in finished.err


async def test_a_call_that_was_killed_with_the_process_counts_with_its_reserve(
    tmp_path: Path,
) -> None:
    """Nobody knows what it used: it is told as unknown, and the budget holds all the same."""
    root = make_repository(tmp_path / "mine", BEFORE)
    hangs = stall_after(delta("=== FILE app/core.py\n"))
    has_begun = asyncio.Event()

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body)
        if step == "s1" and not has_begun.is_set() and "The step under review" not in prompt:
            has_begun.set()
            await hangs(request, reply)
        else:
            await scripted_agents()(request, reply)

    async with StubServer(app) as server:
        env = configured(tmp_path, server)
        process = await start(*RUN, "--budget", "5", "--no-cache", cwd=root, env=env)
        async with asyncio.timeout(30):
            await has_begun.wait()
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        again = await orchestra("resume", "--headless", "--json", cwd=root, env=env)
        assert again.code == 0, again.err
        last = again.records[-1]
        assert last["cost"]["unknown"] >= 1  # type: ignore[index]
        shown = await orchestra("metrics", "--json", cwd=root, env=env)
        figures = json.loads(shown.out)
        assert figures["total"]["cut_off"] == last["cost"]["unknown"]  # type: ignore[index]
        assert figures["total"]["money"] == last["cost"]
        table = await orchestra("metrics", cwd=root, env=env)
        assert "stub/m" in table.out
        assert " + ?" in table.out


async def test_an_unknown_price_is_asked_about_before_anybody_is(tmp_path: Path) -> None:
    """codex with its own choice of a model: nobody can tell what it will cost."""
    root = make_repository(tmp_path / "mine", BEFORE)
    program = tmp_path / "codex"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-started\nexit 1\n", encoding="utf-8")
    program.chmod(0o700)
    path = tmp_path / "config.toml"
    path.write_text(
        f'[adapters.codex]\nkind = "codex"\ncommand = "{program}"\n[run]\nmax_attempts = 1\n'
        "max_call_retries = 0\n",
        encoding="utf-8",
    )
    env = environment(ORCHESTRA_CONFIG=str(path))
    stopped = await orchestra(*RUN, "--budget", "2", cwd=root, env=env)
    assert stopped.code == 4, stopped.err
    assert "price of the next call is not known" in stopped.err
    assert "--allow-unknown-price" in stopped.err
    assert not (tmp_path / "was-started").exists()
    session = str(stopped.records[0]["session"])
    words = ("resume", session, "--headless", "--json", "--allow-unknown-price")
    allowed = await orchestra(*words, cwd=root, env=env)
    assert (tmp_path / "was-started").exists()
    last = allowed.records[-1]
    assert last["type"] == "RunFinished"
    assert last["cost"]["unknown"] >= 1  # type: ignore[index]
