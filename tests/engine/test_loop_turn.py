"""Commands that meet the loop half-way: nothing starts behind the back of one that stops it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.ports import EventStore, SessionSummary, Snapshot
from orchestra_tui.domain.settings import Mode
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.adapters.base import Completion, CompletionRequest, OnDelta
from orchestra_tui.engine.orchestrator.command_rules import Surroundings, decide
from orchestra_tui.engine.orchestrator.recovery_commands import Offered
from orchestra_tui.engine.orchestrator.watched_call import Watch
from orchestra_tui.engine.orchestrator.wiring import EngineOptions, open_rooms
from orchestra_tui.engine.runtime import Engine
from orchestra_tui.engine.validation.growing import Doubt
from tests.e2e.program import make_repository
from tests.engine.engine_house import House
from tests.engine.recovery_house import Said, site, workshop
from tests.engine.run_driver import settings_for
from tests.engine.test_recovery_commands import MINE, S1, Stubborn
from tests.engine.test_recovery_ways import ALONE, ISSUES, PY, plan_of, told
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import BEFORE, answer, scripted_agents, whole_file


@dataclass
class SlowDisk:
    """The engine's own store, which takes its time for a commit with a `slow` event."""

    store: EventStore
    slow: Callable[[ev.Event], bool]
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._append = self.store.append
        self.store.append = self._slowly  # type: ignore[method-assign]

    async def _slowly(
        self, records: Sequence[ev.Record], summary: SessionSummary | None = None
    ) -> None:
        if any(self.slow(record.event) for record in records):
            self.reached.set()
            await self.may_go_on.wait()
        await self._append(records, summary)


@contextlib.asynccontextmanager
async def on_slow_disk(
    folder: Path,
    slow: Callable[[ev.Event], bool],
    script: Callable[[bytes], str] = answer,
) -> AsyncIterator[tuple[House, SlowDisk]]:
    root = make_repository(folder / "project", BEFORE)
    async with StubServer(scripted_agents(script)) as server:
        rooms = await open_rooms(EngineOptions(root, settings_for(server.base_url), {}))
        disk = SlowDisk(rooms.answers.store, slow)
        engine = Engine(rooms)
        try:
            updates = aiter(engine.subscribe())
            assert isinstance(await anext(updates), Snapshot)
            yield House(engine, root, server, updates), disk
        finally:
            disk.may_go_on.set()
            await engine.close()


def is_executed(event: ev.Event) -> bool:
    return isinstance(event, ev.StepExecuted)


async def given(engine: Engine, command: cmd.Command, disk: SlowDisk) -> None:
    """Submit while the disk is busy, and let it go on when the command stands in the line."""
    submitting = asyncio.create_task(engine.submit(command))
    for _ in range(5):
        await asyncio.sleep(0)
    disk.may_go_on.set()
    await submitting


async def test_nothing_starts_after_a_cancel_that_met_the_end_of_a_piece_of_work(
    tmp_path: Path,
) -> None:
    async with on_slow_disk(tmp_path, is_executed) as (h, disk):
        await h.start(mode=Mode.PIPELINE, max_concurrency=1)
        await h.approve()
        await disk.reached.wait()
        await given(h.engine, cmd.CancelRun(), disk)
        await h.until(lambda run: run.outcome is not None)
        assert h.run.outcome is ev.Outcome.CANCELLED
        cancelled = next(at for at, e in enumerate(h.events) if isinstance(e, ev.CancelRequested))
        assert not [e for e in h.events[cancelled:] if isinstance(e, ev.ActivityStarted)]


async def test_what_ends_while_the_project_closes_starts_nothing(tmp_path: Path) -> None:
    async with on_slow_disk(tmp_path, is_executed) as (h, disk):
        await h.start(mode=Mode.PIPELINE, max_concurrency=2)
        await h.approve()
        await disk.reached.wait()
        asked = len(h.server.requests)
        closing = asyncio.create_task(h.engine.close())
        for _ in range(5):
            await asyncio.sleep(0)
        disk.may_go_on.set()
        await closing
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert not {name for name in names if name.startswith("r1/")}
        assert len(h.server.requests) == asked


async def test_what_the_user_has_cut_off_is_never_taken_up_again(tmp_path: Path) -> None:
    """Its answer belongs to a question that nobody asks any more: the next try has its own key."""
    agents = Stubborn()
    async with on_slow_disk(tmp_path, is_answer_of_a_recovery, agents.script) as (h, disk):
        await h.start(mode=Mode.PIPELINE, max_concurrency=1)
        await h.approve()
        await disk.reached.wait()
        disk.slow = lambda event: False
        await given(h.engine, cmd.TakeOver(step=S1, text=MINE), disk)
        await h.until(lambda run: run.is_reviewing)
        assert h.text("app/core.py") == MINE
        await h.engine.submit(cmd.RevertFile(step=S1))
        await h.until(lambda run: run.is_reviewing)
        await h.engine.submit(cmd.RetryStep(step=S1, note="otherwise"))
        await h.until(lambda run: run.is_reviewing)
        started = [e.activity for e in h.events if isinstance(e, ev.ActivityStarted)]
        keys = [activity.key for activity in started if activity.step == S1]
        assert len(keys) == len(set(keys))


def is_answer_of_a_recovery(event: ev.Event) -> bool:
    return isinstance(event, ev.CallFinished) and "/recover/" in event.call


class CutShort:
    """Answers, and has its caller cancelled a moment after that."""

    def __init__(self) -> None:
        self.caller: asyncio.Task[Completion] | None = None

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        assert self.caller is not None
        loop, cancel = asyncio.get_running_loop(), self.caller.cancel
        # The caller has its answer then, and is putting the look at the reply to an end.
        loop.call_soon(loop.call_soon, cancel)
        return Completion("text", FinishReason.STOP, Usage(), "m")

    async def is_available(self) -> bool:
        return True

    def info(self) -> AdapterInfo:
        return AdapterInfo(name="a", model="m", provider="p")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_cancel_between_the_answer_and_its_use_is_not_lost() -> None:
    async def doubted(doubt: Doubt) -> None:
        raise AssertionError(doubt)

    watch = Watch(Role.EXECUTOR, "a.py", None, on_doubt=doubted)
    request = CompletionRequest(
        key=CallKey("r1/s1/execute/1/call/1"),
        role=Role.EXECUTOR,
        path="a.py",
        task="t",
        messages=(),
    )
    adapter = CutShort()
    adapter.caller = asyncio.create_task(watch.execute(adapter, request, lambda piece: None))
    with pytest.raises(asyncio.CancelledError):
        await adapter.caller


async def test_a_text_that_was_given_and_taken_back_is_not_the_last_word(tmp_path: Path) -> None:
    """Given while the run rests, then put back: the agents' next text is audited like any other."""
    shop_agents = told(Said(whole_file(PY.path, PY.new)), audits=(ISSUES,))
    async with workshop(tmp_path / "p", shop_agents) as shop, site(shop) as here:
        assert PY.old is not None
        shop.write({PY.path: PY.old})
        await here.start(plan_of(PY), ALONE)
        await here.work(until=lambda run: bool(run.steps) and run.steps[S1].recovery is not None)
        await here.loop.stop_work()
        given = Offered(shop.blobs.put(PY.new.encode()))
        for command in (
            cmd.PauseRun(),
            cmd.TakeOver(step=S1, text=PY.new),
            cmd.RevertFile(step=S1),
            cmd.ContinueRun(),
        ):
            around = Surroundings(offered=given)
            await here.log.append(*decide(command, here.log.state, around))
        await here.work(until=lambda run: run.steps[S1].status is StepStatus.REVERTED)
        assert shop.read(PY.path) == PY.old
        audits = here.run.steps[S1].attempts[ActivityKind.AUDIT]
        retry = cmd.RetryStep(step=S1)
        await here.log.append(*decide(retry, here.log.state, Surroundings()))
        await here.work(until=lambda run: run.steps[S1].status is StepStatus.NEEDS_FIX)
        assert here.run.steps[S1].attempts[ActivityKind.AUDIT] == audits + 1
