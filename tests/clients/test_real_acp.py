"""The real gemini as an ACP agent, driven by our adapter against a server of this machine.

Run with `make test-clients`; nothing is sent anywhere else, and no key is a real one. A run in
which all tests passed writes the seconds that docs/adapters.md shows (`make docs-tables`).
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.clients.programs import installed
from tests.clients.real_client import NOWHERE, RealClient
from tests.stubs.client_dialects import CONTENT, HELLO, IN, WORDED
from tests.stubs.client_server import client_server

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1000)]

REPLY = f"=== FILE hello.txt\n{CONTENT}=== END FILE\n=== END REPLY\n"
ERRORS: dict[str, type[base.AdapterError]] = {
    "401": base.AuthenticationFailed,
    "400": base.RequestRefused,
    "429": base.RateLimited,
    "429-date": base.RateLimited,
    "429-ms": base.RateLimited,
    "429-text": base.RateLimited,
    "429-bare": base.RateLimited,
    "429-long": base.RateLimited,
    "429-absurd": base.RateLimited,
    "429-quota": base.QuotaExhausted,
    "500": base.ServerFailed,
    "cut": base.StreamCut,
    "malformed": base.InvalidResponse,
    "empty": base.EmptyResponse,
    "down": base.ConnectionFailed,
}
QUICK = 15.0
"""Seconds within which a failure must be ours to decide on."""


class RealAgent(RealClient):
    """The same program, spoken with over ACP."""

    def adapter(self, case: str) -> base.Adapter:
        home = self.folder / "home"
        self.project.mkdir()
        home.mkdir()
        (self.project / "README.md").write_text("# demo\n")
        tree = open_tree(self.project)
        settings = AdapterSettings.model_validate(
            {
                "name": "gemini",
                "kind": "acp",
                "agent": "gemini",
                "command": str(installed(self.kind)),
                "model": "gemini-2.5-pro",
                "base_url": f"{NOWHERE if case == 'down' else self.server}/s/{case}",
                "api_key_env": "TEST_KEY",
                # Its own pace would be minutes.
                "idle_timeout": 30.0,
            }
        )
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TEST_KEY": "no-real-key-0001"}
        return build_adapter(settings, environ, tree=PrivateCopies(tree, ProjectFiles(tree)))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with client_server() as url:
        yield url


@pytest.fixture
def agent(
    server: str,
    tmp_path: Path,
    stopwatch: dict[str, dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RealAgent]:
    installed("gemini_cli")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    real = RealAgent("gemini_cli", tmp_path, server)
    yield real
    real.assert_nothing_left()
    stopwatch.setdefault("acp gemini", {}).update(real.took)


async def test_it_is_found(agent: RealAgent) -> None:
    assert await agent.adapter("plain").is_available()


async def test_a_plain_answer(agent: RealAgent) -> None:
    answer = await agent.ask("plain")
    assert (answer.text.strip(), answer.finish) == (HELLO, FinishReason.STOP)
    assert "".join(agent.deltas).strip() == HELLO
    # What it says of its output leaves out the thoughts.
    assert answer.usage == Usage(input_tokens=IN)


async def test_a_file_that_it_wrote_is_the_reply(agent: RealAgent) -> None:
    answer = await agent.ask("edit")
    assert answer.text == REPLY
    assert "[allowed: " in "".join(agent.deltas)


async def test_a_reader_writes_nothing(agent: RealAgent) -> None:
    answer = await agent.ask("edit", role=Role.AUDITOR, name="edit-refused")
    assert answer.text.strip() == HELLO
    assert "this role only reads]" in "".join(agent.deltas)


@pytest.mark.parametrize("case", list(ERRORS))
async def test_a_failure_is_told_quickly(agent: RealAgent, case: str) -> None:
    with pytest.raises(base.AdapterError) as caught:
        await agent.ask(case)
    assert type(caught.value) is ERRORS[case], str(caught.value)
    assert caught.value.retry_after == (WORDED if case == "429-text" else None)
    assert agent.took[case] < QUICK


async def test_a_cut_answer_is_not_told(agent: RealAgent) -> None:
    """The missing end is found when the reply is read."""
    assert (await agent.ask("length")).finish is FinishReason.STOP


async def test_silence_before_headers(agent: RealAgent) -> None:
    with pytest.raises(base.FirstByteTimeout):
        await agent.ask("hang", first=8.0)


async def test_silence_in_mid_stream(agent: RealAgent) -> None:
    with pytest.raises(base.IdleTimeout):
        await agent.ask("hang-stream", first=30.0, idle=3.0)


@pytest.mark.parametrize("case", ["hang", "hang-stream"])
async def test_cancel_leaves_nothing(agent: RealAgent, case: str) -> None:
    asking = asyncio.create_task(agent.ask(case, name="cancel"))
    await asyncio.sleep(6.0)
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    agent.took["cancel"] = time.monotonic() - began
    assert agent.took["cancel"] < 2.0
