"""How the run and diff screens look in their main states: look at changed SVGs."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.settings import RunSettings, Scenario
from orchestra_tui.screens.base import AppOptions
from orchestra_tui.screens.run import RunScreen
from tests.ui.diff_samples import PATHS as DIFF_PATHS
from tests.ui.diff_samples import reviewed, sample_report
from tests.ui.stub_client import REHEARSAL_PROJECT, StubClient
from tests.ui.work_story import (
    CODEX,
    GEMINI,
    GLM,
    PATHS,
    R1,
    SCRIPT,
    DiffApp,
    Story,
    WorkApp,
)

Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]
SIZES = [(80, 24), (120, 40)]
KINDS = (ActivityKind.EXECUTE, ActivityKind.EXECUTE, ActivityKind.AUDIT, ActivityKind.FIX)
CODE = '''=== FILE app/limits_store.py
"""Token buckets in Redis, 漢字 and [bold]no markup[/]."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenBucket:
    """Refills `rate` tokens a second up to `burst`."""

    rate: float

    def take(self, key: str, now: float) -> bool:
        return'''


def working(count: int) -> tuple[StubClient, list[str]]:
    """A run with `count` agents at work, and the streams of their calls."""
    client = StubClient()
    paths = PATHS if count < 5 else [f"app/part_{n}/module_{n}.py" for n in range(1, count + 3)]
    story = Story(client).started().approved(paths).accepted("s1")
    streams = []
    for number in range(count):
        kind = KINDS[number % 4]
        reason = FixReason.RECOVERY if kind is ActivityKind.FIX else None
        attempt = 2 if reason else 1
        activity = story.begun(f"s{number + 2}", kind, attempt=attempt, reason=reason)
        adapter = (GLM, CODEX, GEMINI)[number % 3]
        streams.append(story.called(activity, adapter=adapter))
    return client, streams


async def drawn(pilot: Pilot[Any]) -> None:
    """Everything that was sent is on the screen, however slow the machine is."""
    for _ in range(4):
        await pilot.pause()
        if isinstance(pilot.app.screen, RunScreen):
            pilot.app.screen.tick()
    await pilot.pause()


def streaming(client: StubClient, streams: list[str]) -> Before:
    """Let every agent write, then wait for the tick."""

    async def run_before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        for stream in streams:
            client.stream(stream, 0, CODE)
        await drawn(pilot)

    return run_before


def pressing(*keys: str, first: str = "") -> Before:
    """Go to a screen, press keys, let everything settle."""

    async def run_before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        if first:
            assert isinstance(pilot.app, WorkApp)
            pilot.app.go(first)
            await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await drawn(pilot)

    return run_before


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 4, 9])
def test_agents_at_work(snap_compare: Compare, count: int, size: tuple[int, int]) -> None:
    """One, four and nine agents."""
    client, streams = working(count)
    app = WorkApp(client)
    assert snap_compare(app, terminal_size=size, run_before=streaming(client, streams))


def test_large_screen_is_used(snap_compare: Compare) -> None:
    """Nine panes at 200x60."""
    client, streams = working(9)
    app = WorkApp(client)
    assert snap_compare(app, terminal_size=(200, 60), run_before=streaming(client, streams))


@pytest.mark.parametrize("size", SIZES)
def test_retrying_refused_and_waiting(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A wait with its cause, a refusal with its reason, a first byte that is late."""
    client = StubClient(project=REHEARSAL_PROJECT)
    settings = RunSettings(scenario=Scenario.STORM)
    story = Story(client, provider=ProviderKind.REHEARSAL)
    story.started(settings=settings).approved(settings=settings)
    limited = story.begun("s1")
    story.called(limited, adapter=SCRIPT)
    story.call_failed(limited, retry_in=12.0)
    refused = story.begun("s2")
    story.called(refused, adapter=SCRIPT)
    story.refused(refused)
    story.called(story.begun("s2", attempt=2), adapter=SCRIPT)
    story.begun("s3")
    assert snap_compare(WorkApp(client), terminal_size=size, run_before=pressing())


def test_checks_fail(snap_compare: Compare) -> None:
    """The output of the checks beside the agent that mends."""
    client = StubClient()
    story = Story(client).started().approved(PATHS[:2]).accepted("s1", "s2")
    checks = story.begun(None, ActivityKind.RUN_CHECKS)

    async def run_before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        text = (
            "tests/test_limits.py F.\nE   assert 3 == 2\nFAILED tests/test_limits.py::test_take\n"
        )
        client.stream(checks.key, 0, text)
        await drawn(pilot)
        outcome = ev.CheckOutcome(name="pytest", state=ev.CheckState.FAILED, passed=1, failed=1)
        done = ev.ChecksFinished(
            run=R1, activity=checks.key, outcomes=(outcome,), suspects=(checks_step,)
        )
        client.emit(done)
        story.called(story.begun("s1", ActivityKind.FIX, reason=FixReason.CHECKS))
        await drawn(pilot)

    run = client.state.run
    assert run is not None
    checks_step = run.ordered_steps[0].id
    assert snap_compare(WorkApp(client), terminal_size=(120, 40), run_before=run_before)


@pytest.mark.parametrize("size", SIZES)
def test_nobody_works(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Everything is written: what to do next."""
    client = StubClient()
    Story(client).started().approved().accepted("s1", "s2", "s3", "s4", "s5").checked()
    assert snap_compare(WorkApp(client), terminal_size=size, run_before=pressing(first="run"))


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_diff(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Unified at 80, side by side from 120 on."""
    before = pressing("right_curly_bracket")
    assert snap_compare(DiffApp(reviewed()), terminal_size=size, run_before=before)


def test_diff_with_a_rejected_hunk(snap_compare: Compare) -> None:
    """What will leave stands back and says so."""
    client = reviewed(checks=ev.CheckState.FAILED)
    hunk = sample_report().files[1].hunks[0].id
    client.emit(ev.HunksDecided(run=R1, path=DIFF_PATHS[1], rejected=(hunk,)))
    before = pressing("right_curly_bracket", "v")
    assert snap_compare(DiffApp(client), terminal_size=(120, 40), run_before=before)


def test_diff_of_a_binary_file_without_git(snap_compare: Compare) -> None:
    """Described, not dumped; and no commit is offered."""
    client = reviewed(sample_report(has_git=False, git_problem="not a git repository"))
    before = pressing(*["right_curly_bracket"] * 3)
    assert snap_compare(DiffApp(client), terminal_size=(120, 40), run_before=before)


def test_diff_in_ascii_and_light(snap_compare: Compare) -> None:
    """Signs without Unicode, and the light theme."""
    app = DiffApp(reviewed(), options=AppOptions(use_ascii=True, theme="orchestra-light"))
    before = pressing("right_curly_bracket")
    assert snap_compare(app, terminal_size=(120, 40), run_before=before)
