"""The run screen as a user meets it: panes, keys, checks, and words when nobody works."""

from typing import Any

from textual.pilot import Pilot

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.commands import (
    CancelRun,
    ChangeLimits,
    ContinueRun,
    PauseRun,
    RetryStep,
)
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.settings import Mode
from orchestra_tui.screens.run import RunScreen
from orchestra_tui.widgets.agent_pane import AgentPane, ReplyPane
from orchestra_tui.widgets.call_context import CallContext
from orchestra_tui.widgets.check_pane import CheckPane
from orchestra_tui.widgets.line_view import LineView
from orchestra_tui.widgets.pane_grid import PaneGrid, PaneTabs
from orchestra_tui.widgets.plain_static import PlainStatic
from tests.ui.hostile import HOSTILE
from tests.ui.stub_client import StubClient
from tests.ui.test_line_pane import shown
from tests.ui.work_story import R1, SCRIPT, Story, WorkApp, agree


def text_of(app: WorkApp, selector: str) -> str:
    """What a static says."""
    return str(app.screen.query_one(selector, PlainStatic).visual)


async def settle(pilot: Pilot[Any]) -> None:
    """Records folded, and what they lead to drawn, however slow the machine is."""
    for _ in range(3):
        await pilot.pause()
        if isinstance(pilot.app.screen, RunScreen):
            pilot.app.screen.tick()
    await pilot.pause()


async def test_text_streams_into_the_pane_of_its_agent() -> None:
    """Two agents, two panes, each with its own text and header."""
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        one = story.called(story.begun("s1"))
        two = story.called(story.begun("s2"), adapter=SCRIPT)
        client.stream(one, 0, "class One:\n")
        client.stream(two, 0, "class Two:\n")
        client.stream(one, 11, "    pass\n")
        await settle(pilot)
        first, second = app.screen.query(AgentPane)
        assert shown(first.reply)[:2] == ["class One:", "    pass"]
        assert shown(second.reply)[:1] == ["class Two:"]
        heads = [str(head.visual) for head in app.screen.query(".pane-head").results(PlainStatic)]
        assert "Executor · app/limits.py · glm/glm-4.7" in heads[0]
        notes = [str(note.visual) for note in app.screen.query(".pane-note").results(PlainStatic)]
        assert "REHEARSAL" not in notes[0]
        assert notes[1].endswith("REHEARSAL - no AI")


async def test_pane_stays_where_it_is_when_the_audit_follows() -> None:
    """A step keeps its pane; the role in its header changes."""
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        writing = story.begun("s1")
        story.called(writing)
        story.called(story.begun("s2"))
        await settle(pilot)
        before = list(app.screen.query(AgentPane))
        story.answered(writing)
        story.written(writing)
        await settle(pilot)
        story.called(story.begun("s1", ActivityKind.AUDIT))
        await settle(pilot)
        assert list(app.screen.query(AgentPane)) == before
        assert "Auditor" in str(before[0].query_one(".pane-head", PlainStatic).visual)


async def test_retry_and_refusal_are_told() -> None:
    """The cause and the wait; then why the last reply was refused."""
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        first = story.begun("s1")
        story.called(first)
        story.call_failed(first, retry_in=7.0)
        await settle(pilot)
        note = app.screen.query_one(AgentPane).query_one(".pane-note", PlainStatic)
        assert "retrying in 7 s: 429: too many requests" in str(note.visual)
        story.called(first, 2)
        story.refused(first, 2, reason="no end mark")
        story.called(story.begun("s1", attempt=2))
        await settle(pilot)
        assert "the last reply was refused: no end mark" in str(note.visual)


async def test_small_screen_shows_one_pane_and_tabs() -> None:
    """At 80x24 the others are one key away, and the chosen one has the keys."""
    client = StubClient()
    story = Story(client).started().approved()
    for step in ("s1", "s2", "s3"):
        story.called(story.begun(step))
    app = WorkApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        grid = app.screen.query_one(PaneGrid)
        assert [pane.slot for pane in grid.visible_panes] == ["s1"]
        assert grid.tabs.display
        await pilot.press("tab")
        assert [pane.slot for pane in grid.visible_panes] == ["s2"]
        assert grid.visible_panes[0].reply.has_focus
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        assert len(grid.visible_panes) == 3
        assert not grid.query_one(PaneTabs).display
        await pilot.press("z")
        assert [pane.slot for pane in grid.visible_panes] == ["s2"]


async def test_what_was_sent_is_one_key_away() -> None:
    """`c` shows the context of the call, what was left out first."""
    client = StubClient()
    story = Story(client).started().approved()
    story.called(story.begun("s1"))
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle(pilot)
        rows = shown(app.screen.query_one(CallContext))
        assert rows[0] == "left out for its size"
        assert "tests/test_login.py" in rows[1]
        assert rows[1].endswith("6.0 kB of  48.2 kB")
        await pilot.press("c")
        assert not app.screen.query_one(CallContext).display


async def test_keys_send_commands() -> None:
    """Pause, mode, concurrency; stop asks first."""
    client = StubClient(
        on_command=lambda command, state: (
            [ev.RunPaused(run=R1)] if isinstance(command, PauseRun) else []
        )
    )
    story = Story(client).started().approved()
    story.called(story.begun("s1"))
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for key in ("p", "p", "plus", "f10"):
            await pilot.press(key)
            await settle(pilot)
        assert client.commands == [
            PauseRun(),
            ContinueRun(),
            ChangeLimits(max_concurrency=5),
            ChangeLimits(mode=Mode.SEQUENTIAL),
        ]
        await pilot.press("s")
        assert CancelRun() not in client.commands
        await agree(pilot)
        await settle(pilot)
        assert client.commands[-1] == CancelRun()


async def test_retry_of_the_only_failed_step() -> None:
    """With one step in trouble `r` needs no choice."""
    client = StubClient()
    story = Story(client).started().approved(("a.py", "b.py"))
    story.written(story.begun("s1"))
    story.reverted("s1", "no fix was enough")
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("r")
        await settle(pilot)
        assert client.commands == [RetryStep(step=StepId("s1"))]


async def test_checks_stream_and_stay_while_they_fail() -> None:
    """Test output comes as it is printed; a failure is still there afterwards."""
    client = StubClient()
    story = Story(client).started().approved(("a.py",)).accepted("s1")
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        checks = story.begun(None, ActivityKind.RUN_CHECKS)
        client.stream(checks.key, 0, "FAILED tests/test_a.py::test_one\n")
        await settle(pilot)
        pane = app.screen.query_one(CheckPane)
        assert pane.display
        assert shown(pane.output)[0] == "FAILED tests/test_a.py::test_one"
        outcome = ev.CheckOutcome(name="pytest", state=ev.CheckState.FAILED, passed=3, failed=1)
        client.emit(ev.ChecksFinished(run=R1, activity=checks.key, outcomes=(outcome,)))
        await settle(pilot)
        app.go("run")
        await settle(pilot)
        assert pane.display
        assert "3 passed, 1 failed" in str(pane.query_one(".pane-head", PlainStatic).visual)


async def test_words_say_what_to_do_when_nobody_works() -> None:
    """Every resting phase names the next key."""
    client = StubClient()
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "F2 opens Home" in text_of(app, "#run-words")
        Story(client).started().approved(("a.py",)).accepted("s1").checked()
        await settle(pilot)
        app.go("run")
        await settle(pilot)
        assert "F5 compares the changes" in text_of(app, "#run-words")


async def test_hostile_stream_harms_nothing() -> None:
    """Markup is text, an escape is a picture, and no action runs."""
    client = StubClient()
    story = Story(client).started().approved((f"a{HOSTILE[:30]}.py", "b.py"))
    key = story.called(story.begun("s1"))
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        client.stream(key, 0, HOSTILE)
        await settle(pilot)
        view = app.screen.query_one(ReplyPane)
        text = "".join(shown(view))
        assert "[@click=app.quit]x[/] a[/]b [bold Optional[str]" in text
        assert not any(character in text for character in "\x1b\x07\x9b\u202e")
        for x in range(0, 100, 4):
            await pilot.click(view, offset=(x, 0))
        assert app.is_running
        assert all("\x1b" not in str(widget.visual) for widget in app.query(PlainStatic))
        assert app.screen.query(LineView)


async def test_screen_at_rest_does_not_tick() -> None:
    """Nobody works: the shared timer is paused, so an idle app costs nothing."""
    client = StubClient()
    Story(client).started().approved(("a.py",)).accepted("s1").checked()
    app = WorkApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.go("run")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert not screen.is_ticking
