"""The recovery screen: what failed, why, what it looked like, and what can be done."""

from typing import Any

from textual.pilot import Pilot
from textual.widgets import TextArea

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.commands import RetryStep, RevertRun, SkipStep
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.ports import GetBlob
from orchestra_tui.widgets.attempt_timeline import AttemptTimeline
from orchestra_tui.widgets.checkpoint_list import CheckpointList
from orchestra_tui.widgets.key_hints import KeyHints
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.source_view import SourceView
from orchestra_tui.widgets.trouble import troubles
from orchestra_tui.widgets.trouble_list import TroubleList
from tests.ui.hostile import HOSTILE
from tests.ui.recovery_samples import troubled
from tests.ui.stub_client import StubClient
from tests.ui.test_line_pane import shown
from tests.ui.waiting import until
from tests.ui.work_story import R1, RecoveryApp, Story, agree


async def opened(app: RecoveryApp, pilot: Pilot[Any]) -> None:
    """The app may have gone where the run wants the user; come back."""
    await pilot.pause()
    app.go("recovery")
    for _ in range(4):
        await pilot.pause()


def test_every_kind_of_trouble_is_listed() -> None:
    """With its cause and its tries; what came through stands last."""
    found = troubles(troubled().state.run)
    told = [(t.step, t.status.value, t.count, t.is_over, t.waits) for t in found]
    assert told == [
        ("s2", "failed", "2/5", False, True),
        ("s3", "conflict", "", False, True),
        ("s5", "reverted", "", False, False),
        ("s4", "accepted", "0/5", True, False),
    ]
    assert found[0].cause.endswith("the last: the reply stops in the middle of line 4")
    assert "two files in one reply" in found[3].cause


async def test_damaged_text_beside_the_last_good_one() -> None:
    """Tries with their findings; the text with the finding at its line."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        rows = shown(app.screen.query_one(AttemptTimeline))
        told = [row.split()[1:5] for row in rows]
        assert [words[0] for words in told] == ["write", "consult", "other", "pieces"]
        assert "refused" in rows[0]
        assert "unusable" in rows[1]
        assert "nobody" in rows[2]
        assert "impossible" in rows[2]
        damaged = shown(app.screen.query_one("#damaged-text", SourceView))
        at = next(n for n, row in enumerate(damaged) if "limits=(1," in row)
        assert "truncated: the text ends inside" in damaged[at + 1]
        good = shown(app.screen.query_one("#good-text", SourceView))
        assert "does not exist" in good[0]
        assert "before the run" in shown(app.screen.query_one(CheckpointList))[-1]


async def test_conflict_shows_both_sides_and_can_be_skipped() -> None:
    """What is on disk now, what the plan was made against; skip asks."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("down")
        await opened(app, pilot)
        assert "user wrote" in shown(app.screen.query_one("#damaged-text", SourceView))[0]
        assert str(app.screen.query_one("#damaged-title", PlainStatic).visual) == "on disk now"
        await pilot.press("s")
        await agree(pilot)
        await pilot.pause()
        assert client.commands == [SkipStep(step=StepId("s3"))]


async def test_reply_of_a_failed_fix_is_chosen_before_the_revert() -> None:
    """What went wrong is looked at, not the step back that followed; moving away stays."""
    client = troubled()
    story = Story(client)
    client.answers[GetBlob] = lambda query: "half a rep" if query.blob == "1" * 40 else None
    fixing = story.begun("s5", ActivityKind.FIX, reason=FixReason.RECOVERY)
    story.called(fixing)
    story.answered(fixing)
    story.refused(fixing, reason="cut at the output limit")
    story.reverted("s5", "cut at the output limit", attempt=2)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "down")
        await opened(app, pilot)
        attempts = app.screen.query_one(AttemptTimeline)
        row = shown(attempts)[attempts.cursor]
        assert "refused  cut at the output" in row
        title = app.screen.query_one("#damaged-title", PlainStatic)
        assert str(title.visual) == "damaged, never applied"
        assert "half a rep" in shown(app.screen.query_one("#damaged-text", SourceView))[0]
        attempts.focus()
        await pilot.press("home")
        client.emit(ev.StepSkipped(run=R1, step=StepId("s3")))
        await opened(app, pilot)
        assert attempts.cursor == 0


async def test_retry_takes_a_note() -> None:
    """`r` asks for a note; leaving it sends nothing."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("r", "escape")
        await pilot.pause()
        assert client.commands == []
        await pilot.press("r")
        await pilot.pause()
        app.screen.query_exactly_one(TextArea).load_text("shorter, please")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == [RetryStep(step=StepId("s2"), note="shorter, please")]


async def test_revert_of_the_run_asks() -> None:
    """`X` takes everything back after a question."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("X")
        await agree(pilot)
        await pilot.pause()
        assert client.commands == [RevertRun()]


async def test_keys_that_do_nothing_are_not_offered() -> None:
    """A file that is as before the run is not reverted again."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        assert app.screen.check_action("retry", ())
        assert not app.screen.check_action("revert_file", ())
        await pilot.press("down")
        assert app.screen.check_action("skip", ())
        await pilot.press("down")
        assert not app.screen.check_action("revert_file", ())


async def test_small_screen_shows_one_text_and_the_other_by_key() -> None:
    """At 80x24 `d` changes sides."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        damaged, good = (app.screen.query_one(f"#{name}") for name in ("damaged", "good"))
        assert (damaged.display, good.display) == (True, False)
        assert damaged.size.height >= 6
        await pilot.press("d")
        await pilot.pause()
        assert (damaged.display, good.display) == (False, True)
        hints = app.screen.query_exactly_one(KeyHints)
        assert "d other text" in str(hints.render())
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "d other text" not in str(hints.render()))


async def test_nothing_in_trouble_is_said() -> None:
    """An empty screen is no riddle."""
    client = StubClient()
    app = RecoveryApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        well = app.screen.query_one("#recovery-well", PlainStatic)
        assert "no run has begun" in str(well.visual)
        Story(client).started().approved(("a.py",)).accepted("s1")
        await opened(app, pilot)
        assert "Nothing is in trouble" in str(well.visual)
        assert not app.screen.query_one("#recovery-body").display


async def test_hostile_causes_and_texts_are_read_not_obeyed() -> None:
    """Reasons, findings and texts come from models."""
    client = troubled()
    story = Story(client)
    writing = story.begun("s3", attempt=2)
    story.called(writing)
    story.refused(writing, reason=HOSTILE)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("down")
        await opened(app, pilot)
        everything = shown(app.screen.query_one(AttemptTimeline))
        everything += shown(app.screen.query_one(TroubleList))
        everything += [str(widget.visual) for widget in app.screen.query(PlainStatic)]
        assert not any(character in "".join(everything) for character in "\x1b\x07\x9b\u202e")
        for x in range(0, 80, 5):
            await pilot.click("#recovery-head", offset=(x, 0))
        assert app.is_running
