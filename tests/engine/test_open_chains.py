"""Adapters that were replaced: open as long as somebody asks them, and not a moment longer."""

import asyncio
from pathlib import Path

import httpx

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import Mode
from orchestra_tui.engine.adapters.fallback import Link
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from orchestra_tui.engine.orchestrator.chains import Chains
from orchestra_tui.engine.orchestrator.open_chains import OpenChains
from tests.engine.recovery_house import FunctionAdapter, Said
from tests.engine.test_agent_setup import FILE, Machine
from tests.engine.test_calls_chain import two_servers
from tests.stubs.scripted_agents import AFTER, question, scripted_agents


class Counted(httpx.AsyncBaseTransport):
    """The network, with a count of the clients that were closed on it."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        self.closed += 1


def held(asked: asyncio.Event, may_answer: asyncio.Event) -> App:
    """The usual agents; the first text of the core file waits."""
    usual = scripted_agents()

    async def app(request: AppRequest, reply: Reply) -> None:
        if question(request.body)[0] == "s1" and not asked.is_set():
            asked.set()
            await may_answer.wait()
        await usual(request, reply)

    return app


async def test_a_replaced_adapter_answers_its_last_call_and_is_closed(tmp_path: Path) -> None:
    asked, may_answer, network = asyncio.Event(), asyncio.Event(), Counted()
    async with two_servers(held(asked, may_answer), scripted_agents()) as (one, two):
        text = FILE.format(one=one.base_url, two=two.base_url)
        async with Machine(tmp_path, text).open(transport=network) as h:
            await h.start(mode=Mode.PIPELINE, max_concurrency=1)
            await h.approve()
            await asked.wait()
            chains = {role: ("two",) for role in Role}
            await h.engine.submit(cmd.ConfigureAgents(chains=chains))
            assert network.closed == 0, "a call is at work there"
            may_answer.set()
            await h.until(lambda run: run.is_reviewing)
            assert h.text("app/core.py") == AFTER["app/core.py"]
            assert network.closed == 1, "it is closed while the project is open"
            for _ in range(3):
                await h.engine.submit(cmd.ConfigureAgents(chains=chains))
            assert network.closed == 2, "and so is each that has nothing to do, if it was used"


class Closable(FunctionAdapter):
    """An adapter that counts its ends."""

    def __init__(self, name: str) -> None:
        super().__init__(name, lambda request: Said(""))
        self.link, self.closed = Link(self), 0

    async def close(self) -> None:
        self.closed += 1


async def test_chains_are_closed_once_whoever_lets_go_last() -> None:
    first, second = Closable("a"), Closable("b")
    chains = OpenChains(Chains({}, {"a": first.link}))
    with chains.held() as held_now:
        assert held_now.by_name["a"] is first.link
        chains.replace(Chains({}, {"b": second.link}))
        with chains.held() as after:
            assert "b" in after.by_name
        await asyncio.sleep(0)
        assert first.closed == 0
    await chains.close()
    assert (first.closed, second.closed) == (1, 1)
