"""Chains, waits and kept answers through the whole engine, over loopback servers."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import CommandRefused, NotConfigured
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.ports import Delta, GetProject, Snapshot
from orchestra_tui.domain.settings import AdapterSettings, Mode, RunSettings, Scenario, Settings
from orchestra_tui.domain.state import CallStatus, Phase
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.rehearsal.transport import App
from orchestra_tui.engine.orchestrator.chains import build_chains
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.e2e.program import make_repository
from tests.engine.engine_house import House
from tests.engine.run_driver import TASK
from tests.stubs.openai_server import StubServer, delta, event, in_turn, raw, refusal
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

IN_MID_STREAM = raw(
    delta("=== FILE app/core.py\nhalf of an ans"),
    event({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}),
)


def adapter(name: str, server: StubServer, **more: object) -> AdapterSettings:
    fields = {"name": name, "base_url": server.base_url, "model": "m"} | more
    return AdapterSettings.model_validate(fields)


@contextlib.asynccontextmanager
async def opened(root: Path, settings: Settings, **more: object) -> AsyncIterator[House]:
    options = EngineOptions(root, settings, {})
    engine = await Engine.open(dataclasses.replace(options, **more))  # type: ignore[arg-type]
    try:
        updates = aiter(engine.subscribe())
        assert isinstance(await anext(updates), Snapshot)
        yield House(engine, root, StubServer(scripted_agents()), updates)
    finally:
        await engine.close()


@contextlib.asynccontextmanager
async def two_servers(first: App, second: App) -> AsyncIterator[tuple[StubServer, StubServer]]:
    async with StubServer(first) as one, StubServer(second) as two:
        yield one, two


async def test_a_rate_limit_in_mid_stream_goes_on_with_the_next_vendor(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    limited = in_turn(scripted_agents(), IN_MID_STREAM)
    async with two_servers(limited, scripted_agents()) as (one, two):
        settings = Settings(adapters=(adapter("one", one), adapter("two", two)))
        async with opened(root, settings) as h:
            deltas: list[Delta] = []
            await h.start()
            await h.approve()
            async with contextlib.aclosing(h.engine.subscribe()) as second_ear:
                async for update in second_ear:
                    if isinstance(update, Delta):
                        deltas.append(update)
                    if h.engine.state.run is not None and h.run.is_reviewing:
                        break
            await h.until(lambda run: run.is_reviewing)
            for path, text in AFTER.items():
                assert h.text(path) == text, "nothing of the half answer is anywhere"
            failed = [call for call in h.run.calls.values() if call.status is CallStatus.FAILED]
            assert {call.adapter.name for call in failed} == {"one"}
            hops = [event for event in h.events if isinstance(event, ev.HopTaken)]
            assert ("one", "two", "rate_limited") in {(h.left, h.to, h.kind) for h in hops}
            went_on = h.run.calls[hops[0].call]
            assert went_on.adapter.name == "two"
            assert went_on.hops[0].left == "one"
            assert "slow down" in went_on.hops[0].cause
            starts = [each for each in deltas if each.stream == hops[0].call and each.offset == 0]
            assert starts, "the pane shows the new try from its beginning"
            assert h.run.waits == {}
            assert len(two.requests) >= 1


async def test_how_the_adapters_stand_is_in_the_state(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    limited = refusal(429, {"message": "later"}, {"retry-after": "300"})
    async with two_servers(limited, scripted_agents()) as (one, two):
        settings = Settings(adapters=(adapter("one", one), adapter("two", two)))
        async with opened(root, settings) as h:
            await h.to_review()
            health = h.run.adapters["one"]
            assert health.kind == "rate_limited"
            assert "later" in health.cause
            assert health.cooling_until is not None
            seconds = (health.cooling_until - h.run.started_at).total_seconds()
            assert 290 < seconds < 330
            assert h.run.adapters["two"].kind == ""
            assert len(one.requests) == 1, "while it cools down nobody asks it"
            skipped = [event for event in h.events if isinstance(event, ev.HopTaken)]
            assert len(skipped) > 3, "every call that went past it says so"


async def test_health_is_shared_by_the_sessions_of_a_process(tmp_path: Path) -> None:
    lanes = Lanes()
    limited = refusal(429, {"message": "later"}, {"retry-after": "300"})
    async with two_servers(limited, scripted_agents()) as (one, two):
        settings = Settings(adapters=(adapter("one", one), adapter("two", two)))
        for name in ("a", "b"):
            root = make_repository(tmp_path / name, BEFORE)
            async with opened(root, settings, lanes=lanes) as h:
                await h.start()
        assert len(one.requests) == 1


async def test_a_wait_is_in_the_state_with_its_reason_and_its_end(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    limited = refusal(429, {"message": "later"}, {"retry-after": "60"})
    async with StubServer(limited) as one:
        settings = Settings(adapters=(adapter("one", one),))
        async with opened(root, settings) as h:
            await h.engine.submit(cmd.StartRun(task=TASK, settings=RunSettings()))
            await h.until(lambda run: bool(run.waits))
            wait = next(iter(h.run.waits.values()))
            assert wait.adapter == "one"
            assert "later" in wait.reason
            assert 50 < (wait.until - h.run.started_at).total_seconds() < 70
            await h.engine.submit(cmd.CancelRun())
            await h.until(lambda run: run.outcome is ev.Outcome.CANCELLED)
            assert h.run.waits == {}


async def test_a_step_may_name_its_own_chain(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with two_servers(scripted_agents(), scripted_agents()) as (one, two):
        settings = Settings(
            adapters=(adapter("one", one), adapter("two", two)),
            chains=dict.fromkeys(Role, ("one",)),
        )
        async with opened(root, settings) as h:
            await h.start()
            assert h.run.plan is not None
            first, *others = h.run.plan.steps
            named = first.model_copy(update={"agents": ("two",)})
            plan = h.run.plan.model_copy(update={"steps": (named, *others)})
            await h.engine.submit(cmd.ApprovePlan(plan=plan))
            await h.until(lambda run: run.is_reviewing)
            asked = {(call.role, call.path): call.adapter.name for call in h.run.calls.values()}
            assert asked[Role.EXECUTOR, "app/core.py"] == "two"
            assert asked[Role.AUDITOR, "app/core.py"] == "one"
            assert asked[Role.EXECUTOR, "README.md"] == "one"
            assert len(two.requests) == 1


async def test_a_step_that_names_nobody_we_know_is_refused_with_the_plan(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with (
        StubServer(scripted_agents()) as one,
        opened(root, Settings(adapters=(adapter("one", one),))) as h,
    ):
        await h.start()
        assert h.run.plan is not None
        steps = [s.model_copy(update={"agents": ("rehearsal",)}) for s in h.run.plan.steps]
        plan = h.run.plan.model_copy(update={"steps": tuple(steps)})
        with pytest.raises(CommandRefused, match=r"step s1: .*'rehearsal'.*configured: one"):
            await h.engine.submit(cmd.ApprovePlan(plan=plan))
        assert h.run.phase is Phase.AWAITING_APPROVAL


async def test_the_same_question_is_answered_from_the_cache(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as one:
        settings = Settings(adapters=(adapter("one", one),))
        for name in ("a", "b"):
            root = make_repository(tmp_path / name, BEFORE)
            async with opened(root, settings, use_cache=True) as h:
                await h.to_review(mode=Mode.SEQUENTIAL)
                if name == "a":
                    asked = len(one.requests)
                    assert not any(call.is_cached for call in h.run.calls.values())
                    continue
                assert all(call.is_cached for call in h.run.calls.values())
                assert len(one.requests) == asked, "nobody was asked again"
                hits = [event for event in h.events if isinstance(event, ev.CacheHit)]
                assert len(hits) == len(h.run.calls)
                assert h.run.usage.input_tokens == 0
                assert hits[0].saved.input_tokens
                for path, text in AFTER.items():
                    assert h.text(path) == text


async def test_without_the_cache_everybody_is_asked(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as one:
        settings = Settings(adapters=(adapter("one", one),))
        for name in ("a", "b"):
            root = make_repository(tmp_path / name, BEFORE)
            async with opened(root, settings, use_cache=name == "a") as h:
                await h.start()
        assert len(one.requests) == 2


async def test_a_changed_file_is_another_question(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as one:
        settings = Settings(adapters=(adapter("one", one),))
        for name, readme in (
            ("a", BEFORE["README.md"]),
            ("b", "# Other\n\nIt does nothing yet.\n"),
        ):
            root = make_repository(tmp_path / name, BEFORE | {"README.md": readme})
            async with opened(root, settings, use_cache=True) as h:
                await h.to_review()
        cached = {(c.role, c.path) for c in h.run.calls.values() if c.is_cached}
        assert (Role.EXECUTOR, "README.md") not in cached


async def test_an_answer_that_was_refused_is_not_kept(tmp_path: Path) -> None:
    bad = raw(delta("no plan at all"), delta(None, finish="stop"))
    async with StubServer(in_turn(bad, scripted_agents())) as one:
        settings = Settings(adapters=(adapter("one", one),))
        for name in ("a", "b"):
            root = make_repository(tmp_path / name, BEFORE)
            async with opened(root, settings, use_cache=True) as h:
                await h.start()
                assert not any(call.is_cached for call in h.run.calls.values())
        assert len(one.requests) == 3


async def test_a_rehearsal_is_never_kept_and_never_given(tmp_path: Path, state_home: Path) -> None:
    settings = Settings()
    root = make_repository(tmp_path / "a", BEFORE)
    environment = {"ORCHESTRA_REHEARSAL_RATE": "max"}
    async with opened(
        root, settings, use_cache=True, scenario=Scenario.CALM, environment=environment
    ) as h:
        await h.start()
    assert not (state_home / "cache").exists()


async def test_an_adapter_without_its_key_is_left_out_and_said(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with StubServer(scripted_agents()) as one:
        keyless = adapter("paid", one, api_key_env="NO_SUCH_KEY")
        settings = Settings(adapters=(keyless, adapter("one", one)))
        async with opened(root, settings) as h:
            project = await h.engine.query(GetProject())
            assert any("NO_SUCH_KEY" in warning for warning in project.warnings)
            assert project.adapters["executor"] == "one · m"
        chains = {Role.EXECUTOR: ("paid",)}
        with pytest.raises(NotConfigured, match="NO_SUCH_KEY"):
            build_chains(settings.model_copy(update={"chains": chains}), {})


async def test_the_chain_is_shown_in_its_order(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with two_servers(scripted_agents(), scripted_agents()) as (one, two):
        settings = Settings(
            adapters=(adapter("one", one), adapter("two", two)),
            chains={Role.AUDITOR: ("two", "one", "two")},
        )
        async with opened(root, settings) as h:
            project = await h.engine.query(GetProject())
    assert project.adapters["auditor"] == "two · m > one · m"
    assert project.adapters["executor"] == "one · m > two · m"
