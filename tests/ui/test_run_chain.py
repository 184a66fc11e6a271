"""A chain as a person sees it: who answers instead of whom, and what is waited for until when."""

from typing import Any

from textual.pilot import Pilot

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.ids import CallKey, call_key
from orchestra_tui.screens.run import RunScreen
from orchestra_tui.widgets.agent_pane import AgentPane
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.status_line import status_content
from tests.ui.stub_client import StubClient
from tests.ui.work_story import GEMINI, R1, Story, WorkApp


async def settle(pilot: Pilot[Any]) -> None:
    """Records folded, and what they lead to drawn."""
    for _ in range(3):
        await pilot.pause()
        if isinstance(pilot.app.screen, RunScreen):
            pilot.app.screen.tick()
    await pilot.pause()


def hopped(activity: Activity, number: int, *, cooling: float | None = 40.0) -> ev.HopTaken:
    """The call of this number went past glm."""
    return ev.HopTaken(
        run=R1,
        call=call_key(activity.key, number),
        activity=activity.key,
        left="glm",
        to="gemini",
        kind="rate_limited",
        cause="glm: 429, too many \x1b]0;requests\x07",
        cooling_for=cooling,
    )


def line_of(client: StubClient) -> str:
    """The status line of the session."""
    return status_content(client.state, None).plain


async def test_a_hop_says_who_answers_instead_of_whom_and_why() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        first = story.called(work)
        client.stream(first, 0, "half of an ans")
        story.call_failed(work, retry_in=0.0)
        second = story.called(work, 2, adapter=GEMINI)
        client.emit(hopped(work, 2))
        client.stream(second, 0, "whole\n")
        await settle(pilot)
        pane = app.screen.query_one(AgentPane)
        assert "gemini/gemini-3" in str(pane.query_one(".pane-head", PlainStatic).visual)
        note = str(pane.query_one(".pane-note", PlainStatic).visual)
        assert "instead of glm: 429, too many" in note
        assert "\x1b" not in note
        assert pane.reply.row_text(0) == "whole", "the half answer is gone"


async def test_a_wait_says_for_whom_and_how_long_at_most() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        delayed = ev.CallDelayed(
            run=R1, activity=work.key, adapter="glm", reason="it is full", seconds=600.0
        )
        client.emit(delayed)
        await settle(pilot)
        pane = app.screen.query_one(AgentPane)
        note = str(pane.query_one(".pane-note", PlainStatic).visual)
        assert "waits for glm, " in note
        assert "s at most: it is full" in note
        story.called(work)
        await settle(pilot)
        assert "waits for" not in str(pane.query_one(".pane-note", PlainStatic).visual)


async def test_an_answer_from_the_cache_is_owned_up_to() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        key = CallKey(story.called(work))
        client.emit(ev.CacheHit(run=R1, call=key, activity=work.key, saved=Usage(input_tokens=9)))
        await settle(pilot)
        note = str(app.screen.query_one(AgentPane).query_one(".pane-note", PlainStatic).visual)
        assert "from an earlier run: nobody was asked" in note


async def test_a_reply_that_looks_damaged_says_where_as_it_comes_in() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        key = CallKey(story.called(work))
        message = "a placeholder stands where code should be: # ... \x1b[31mrest"
        client.emit(ev.ReplyDoubted(run=R1, call=key, activity=work.key, line=212, message=message))
        await settle(pilot)
        note = str(app.screen.query_one(AgentPane).query_one(".pane-note", PlainStatic).visual)
        assert "looks damaged at line 212: a placeholder stands where code should be" in note
        assert "\x1b" not in note


async def test_work_that_ended_in_a_refusal_is_not_called_done() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        key = CallKey(story.called(work))
        await settle(pilot)
        pane = app.screen.query_one(AgentPane)
        # Both at once, as the engine appends them.
        client.emit(ev.ReplyRefused(run=R1, call=key, activity=work.key, reason="it ran away"))
        client.emit(ev.ActivityFailed(run=R1, activity=work, kind="refused", message="it ran away"))
        await settle(pilot)
        assert pane.is_ended
        note = str(pane.query_one(".pane-note", PlainStatic).visual)
        assert "refused: it ran away" in note
        assert "done" not in note


def test_the_status_line_says_what_rests_and_until_when() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    work = story.begun("s1")
    story.called(work, adapter=GEMINI)
    client.emit(hopped(work, 1))
    run = client.state.run
    assert run is not None
    until = run.adapters["glm"].cooling_until
    assert until is not None
    assert f"glm rate limited, back {until.astimezone():%H:%M:%S}" in line_of(client)
    story.answered(work)
    again = story.begun("s2")
    story.called(again)
    story.answered(again)
    assert "rate limited" not in line_of(client), "an answer ends it"


async def test_work_that_ended_in_a_failed_call_is_not_called_done() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        work = story.begun("s1")
        key = CallKey(story.called(work))
        await settle(pilot)
        pane = app.screen.query_one(AgentPane)
        message = "glm: 429, too many \x1b[31mrequests"
        client.emit(
            ev.CallFailed(run=R1, call=key, activity=work.key, kind="rate_limited", message=message)
        )
        client.emit(ev.ActivityFailed(run=R1, activity=work, kind="rate_limited", message=message))
        await settle(pilot)
        assert pane.is_ended
        note = str(pane.query_one(".pane-note", PlainStatic).visual)
        assert "glm: 429, too many" in note
        assert "done" not in note
        assert "\x1b" not in note
