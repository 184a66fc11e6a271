"""What each mode does, read off the trace of a real run over a loopback server."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.settings import Mode
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.engine.engine_house import house
from tests.stubs.scripted_agents import question, scripted_agents

EXECUTE, AUDIT = ActivityKind.EXECUTE, ActivityKind.AUDIT
ENDS = (
    ev.StepExecuted, ev.AuditPassed, ev.IssuesFound, ev.PlanProposed, ev.ChecksFinished,
    ev.Committed, ev.FileReverted,
)  # fmt: skip


def overlaps(events: Sequence[ev.Event]) -> list[tuple[ActivityKind, tuple[ActivityKind, ...]]]:
    """For each start of an activity: its kind, and the kinds that were running then."""
    running: dict[str, ActivityKind] = {}
    trace = []
    for event in events:
        if isinstance(event, ev.ActivityStarted):
            trace.append((event.activity.kind, tuple(running.values())))
            running[event.activity.key] = event.activity.kind
        elif isinstance(event, ENDS) and event.activity is not None:
            running.pop(event.activity, None)
        elif isinstance(event, ev.CheckpointTaken):
            running = {
                key: kind for key, kind in running.items() if kind is not ActivityKind.TAKE_BASE
            }
    return trace


def held_until_an_audit(audited: asyncio.Event) -> App:
    """Agents of whom the Executor of s2 answers only after somebody audits s1."""
    agents = scripted_agents()

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body)
        if step == "s1" and "under review" in prompt:
            audited.set()
        elif step == "s2" and "under review" not in prompt:
            await audited.wait()
        await agents(request, reply)

    return app


async def test_sequential_does_one_thing_at_a_time(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review(mode=Mode.SEQUENTIAL)
        trace = overlaps(h.events)
        assert all(not running for _, running in trace)
        kinds = [kind for kind, _ in trace if kind in {EXECUTE, AUDIT}]
        assert kinds[:2] == [EXECUTE, AUDIT], "a file is audited before the next is written"


@pytest.mark.parametrize("concurrency", [2, 3])
async def test_parallel_writes_together_and_audits_after(concurrency: int, tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review(mode=Mode.PARALLEL, max_concurrency=concurrency)
        trace = overlaps(h.events)
        assert max(len(running) for _, running in trace) == concurrency - 1
        assert any(kind is EXECUTE and EXECUTE in running for kind, running in trace)
        assert not any(kind is AUDIT and EXECUTE in running for kind, running in trace)


async def test_pipeline_audits_while_others_are_written(tmp_path: Path) -> None:
    audited = asyncio.Event()
    async with house(tmp_path, app=held_until_an_audit(audited)) as h:
        await h.to_review(mode=Mode.PIPELINE)
        assert any(kind is AUDIT and EXECUTE in running for kind, running in overlaps(h.events))


@pytest.mark.parametrize("mode", [Mode.SEQUENTIAL, Mode.PARALLEL, Mode.PIPELINE])
async def test_a_dependent_begins_after_what_it_waits_for(mode: Mode, tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review(mode=mode)
        accepted = next(
            at for at, e in enumerate(h.events) if isinstance(e, ev.AuditPassed) and e.step == "s1"
        )
        begun = next(
            at
            for at, e in enumerate(h.events)
            if isinstance(e, ev.ActivityStarted) and e.activity.step == "s3"
        )
        assert accepted < begun
