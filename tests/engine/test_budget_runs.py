"""A budget through the whole engine: the run stops before the call, waits, and goes on."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import Budget, BudgetKind, Limits, OnUnknownPrice
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.money import CostBasis, Price
from orchestra_tui.domain.ports import ListSessions, Snapshot
from orchestra_tui.domain.settings import AdapterSettings, RunSettings, Settings
from orchestra_tui.domain.spending import money_of
from orchestra_tui.domain.state import CallStatus, RunState
from orchestra_tui.engine.orchestrator.scheduling import ready_activities
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.e2e.program import make_repository
from tests.engine.engine_house import House
from tests.stubs.openai_server import StubServer, cut_after, delta, in_turn, refusal
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

PRICE = Price(input=Decimal(1), output=Decimal(100))
"""Dear, so that a few short answers reach a budget of cents."""
LIMIT = 500
"""Tokens of an answer: with the price above 5 cents are set aside for it."""


@contextlib.asynccontextmanager
async def priced(root: Path, server: StubServer) -> AsyncIterator[House]:
    """An engine whose only model has that price."""
    adapter = AdapterSettings(
        name="stub", base_url=server.base_url, model="m", max_output_tokens=LIMIT
    )
    settings = Settings(adapters=(adapter,), prices={"m": PRICE})
    engine = await Engine.open(EngineOptions(root, settings, {}))
    try:
        updates = aiter(engine.subscribe())
        assert isinstance(await anext(updates), Snapshot)
        yield House(engine, root, server, updates)
    finally:
        await engine.close()


def is_stopped(run: RunState) -> bool:
    """Nothing can be done before somebody gives more."""
    idle = not run.running and not ready_activities(run, run.settings.limits)
    return bool(run.budget_stops) and idle


async def test_the_run_waits_at_the_limit_and_goes_on_with_more(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with StubServer(scripted_agents()) as server, priced(root, server) as h:
        limit = Decimal("0.09")
        await h.start(budget=Budget(usd=limit))
        await h.approve()
        await h.until(is_stopped)
        assert h.run.needs_user == "budget reached"
        spent = money_of(h.engine.state)
        assert spent.is_exact
        assert 0 < spent.usd <= limit
        asked = len(server.requests)
        ended = [c for c in h.run.calls.values() if c.status is CallStatus.FINISHED]
        assert asked == len(ended), "the call that did not fit was not made"
        assert all(c.cost and c.cost.basis is CostBasis.CONFIGURED for c in ended)
        with pytest.raises(CommandRefused, match="has used"):
            await h.engine.submit(cmd.RaiseBudget(budget=Budget(usd=spent.usd)))
        await h.engine.submit(cmd.RaiseBudget(budget=Budget(usd=Decimal(5))))
        await h.until(lambda run: run.is_reviewing)
        assert h.of(ev.BudgetRaised)
        assert not h.run.budget_stops
        for path, text in AFTER.items():
            assert h.text(path) == text
        started = [e.call for e in h.events if isinstance(e, ev.CallStarted)]
        assert len(started) == len(set(started)) == len(server.requests), "nothing was paid twice"
        await h.engine.submit(cmd.FinishRun())
        await h.until(lambda run: run.outcome is not None)
        [finished] = h.of(ev.RunFinished)
        assert isinstance(finished, ev.RunFinished)
        assert finished.cost == money_of(h.engine.state)
        [line] = await h.engine.query(ListSessions())
        assert line.cost == finished.cost


async def test_the_stop_survives_the_process(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with StubServer(scripted_agents()) as server:
        async with priced(root, server) as h:
            await h.start(budget=Budget(usd=Decimal("0.09")))
            await h.approve()
            await h.until(is_stopped)
            session, asked = h.engine.state.id, len(server.requests)
            stops = h.run.budget_stops
        async with priced(root, server) as h:
            await h.engine.submit(cmd.OpenSession(session=session, resume=True))
            assert h.run.budget_stops == stops
            assert is_stopped(h.run)
            await h.engine.submit(cmd.RaiseBudget(budget=Budget(usd=Decimal(5))))
            await h.until(lambda run: run.is_reviewing)
            assert len(server.requests) > asked
            for path, text in AFTER.items():
                assert h.text(path) == text


async def test_a_role_has_limits_of_its_own_and_the_others_go_on(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with StubServer(scripted_agents()) as server, priced(root, server) as h:
        await h.start(budget=Budget(auditor=Limits(tokens=1)))
        await h.approve()
        await h.until(is_stopped)
        assert list(h.run.budget_stops) == ["auditor"]
        roles = {call.role.value for call in h.run.calls.values()}
        assert roles == {"architect", "executor"}, "writing went on without audits"
        [stop] = h.run.budget_stops.values()
        assert stop.kind is BudgetKind.TOKENS
        await h.engine.submit(cmd.RaiseBudget(budget=Budget()))
        await h.until(lambda run: run.is_reviewing)


async def test_minutes_stop_the_run_too(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with StubServer(scripted_agents()) as server, priced(root, server) as h:
        settings = RunSettings(budget=Budget(minutes=0.000001))
        await h.engine.submit(cmd.StartRun(task="double numbers", settings=settings))
        await h.until(is_stopped)
        assert not server.requests, "not even the plan was asked for"
        [stop] = h.run.budget_stops.values()
        assert stop.kind is BudgetKind.TIME


async def test_a_broken_call_is_unknown_and_keeps_its_reserve(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    half = cut_after(delta("=== FILE app/core.py\nhalf"))
    app = in_turn(half, scripted_agents())
    async with StubServer(app) as server, priced(root, server) as h:
        await h.start(budget=Budget(usd=Decimal(5)))
        [broken] = [c for c in h.run.calls.values() if c.status is CallStatus.FAILED]
        assert broken.cost is None
        assert broken.reserve.usd is not None
        assert broken.reserve.usd >= Decimal("0.05")
        assert money_of(h.engine.state).unknown == 1


async def test_a_refused_call_cost_nothing(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    app = in_turn(refusal(429, {"message": "slow down"}), scripted_agents())
    async with StubServer(app) as server, priced(root, server) as h:
        await h.start()
        [refused] = [c for c in h.run.calls.values() if c.status is CallStatus.FAILED]
        assert refused.cost is not None
        assert refused.cost.usd == 0
        assert money_of(h.engine.state).is_exact


@pytest.mark.parametrize("allow", [OnUnknownPrice.ASK, OnUnknownPrice.ALLOW])
def test_budgets_are_kept_in_the_log_as_they_were_set(allow: OnUnknownPrice) -> None:
    budget = Budget(usd=Decimal("2.00"), on_unknown_price=allow, executor=Limits(tokens=9))
    event = ev.BudgetRaised(run="r1", budget=budget)
    assert ev.EVENT.validate_json(event.model_dump_json()) == event
    assert '"usd":"2.00"' in event.model_dump_json()
