"""Every action of the recovery console, as the engine is told of it."""

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from orchestra_tui.dialogs.accept_anyway import AcceptAnywayDialog
from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.doctor import Configuration
from orchestra_tui.domain.ids import BlobHash, StepId, blob_hash
from orchestra_tui.domain.ports import GetBlob, GetConfiguration, GetReply, GetRequest
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryApproach
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.palette import OrchestraCommands
from orchestra_tui.widgets import external_editor
from orchestra_tui.widgets.attempt_timeline import AttemptTimeline
from orchestra_tui.widgets.key_hints import KeyHints
from orchestra_tui.widgets.live_pane import LivePane
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.source_view import LARGE, SourceView
from orchestra_tui.widgets.status_line import StatusLine
from tests.ui.hostile import HOSTILE
from tests.ui.recovery_samples import CUT, DAMAGED, attempting, recovered, troubled
from tests.ui.stub_client import StubClient
from tests.ui.test_line_pane import shown
from tests.ui.test_recovery_hand import opened, quiet
from tests.ui.waiting import until
from tests.ui.work_story import CODEX, PATHS, RecoveryApp, Story, WorkApp, agree

S2 = StepId("s2")


async def test_retry_with_agents_in_the_order_of_choosing() -> None:
    """`c` starts in the list of what is configured; the note goes along."""
    client = troubled()
    adapter = AdapterSettings(name="mine", kind=AdapterKind.GLM, model="m-1")
    client.answers[GetConfiguration] = Configuration(place="x", adapters=(adapter,))
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.screen.query("#agents")))
        await pilot.pause()
        rows = shown(app.screen.query_one("#agents"))
        assert any("mine" in row and "m-1" in row for row in rows)
        await pilot.press("down", "space", "up", "space", "ctrl+s")
        await pilot.pause()
        expected = cmd.RetryStep(step=S2, agents=("gemini", "codex"))
        assert client.commands == [expected]


async def test_while_an_attempt_runs_the_next_one_needs_a_note_or_an_agent() -> None:
    """Nothing is sent that the engine would refuse; the reason is said in the dialog."""
    client, _ = attempting()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("r")
        await until(pilot, lambda: bool(app.screen.query("#note")))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == []
        assert "for the next one" in str(app.screen.query_one("#problem", PlainStatic).visual)
        app.screen.query_one("#note", TextArea).load_text("shorter")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == [cmd.RetryStep(step=S2, note="shorter")]


async def test_accept_anyway_needs_a_reason_and_is_deaf_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text that is shown goes with the reason; no key counts before the guard ends."""
    monkeypatch.setattr(AcceptAnywayDialog, "GUARD_SECONDS", 3600)
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("A", "ctrl+s", "y", "enter")
        await pilot.pause()
        assert client.commands == []
        dialog = app.screen
        assert isinstance(dialog, AcceptAnywayDialog)
        assert dialog.query_one("#reason", TextArea).text == ""
        dialog._end_guard()  # noqa: SLF001
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == []
        assert "reason is needed" in str(app.screen.query_one("#problem", PlainStatic).visual)
        app.screen.query_one("#reason", TextArea).load_text("it is a fragment")
        await pilot.press("ctrl+s")
        await pilot.pause()
        expected = cmd.AcceptAnyway(step=S2, reason="it is a fragment", text=DAMAGED)
        assert client.commands == [expected]


async def test_more_attempts() -> None:
    """A number from 1 to 50."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("plus")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        app.screen.query_exactly_one(Input).value = "99"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == []
        app.screen.query_exactly_one(Input).value = "4"
        await pilot.press("enter")
        await pilot.pause()
        assert client.commands == [cmd.RaiseAttempts(step=S2, attempts=4)]


async def test_skip_and_revert_of_a_file() -> None:
    """Each asks first."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("s")
        await agree(pilot)
        await pilot.pause()
        assert client.commands == [cmd.SkipStep(step=S2)]
        await pilot.press("end", "x")
        await agree(pilot)
        await pilot.pause()
        assert client.commands[1:] == [cmd.RevertFile(step=StepId("s4"))]


async def test_revert_of_the_run_names_what_goes_back() -> None:
    """A preview, file by file."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("X")
        await until(pilot, lambda: bool(app.screen.query(".question")))
        told = "\n".join(str(widget.visual) for widget in app.screen.query(PlainStatic))
        assert "app/limits.py is removed: the run made it" in told
        assert "is still written: s on the Run screen stops the run" in told


async def test_an_attempt_is_opened_with_what_was_asked_and_answered() -> None:
    """Read when it is looked at; the request as its messages."""
    client = troubled()
    client.answers[GetReply] = f"=== FILE x\n{HOSTILE}".replace("\ud800", "")
    client.answers[GetRequest] = '{"messages": [{"role": "user", "content": "write it whole"}]}'
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        assert not any(isinstance(query, GetReply | GetRequest) for query in client.queries)
        await pilot.press("enter", "enter")
        await quiet(pilot)
        view = app.screen.query_exactly_one(SourceView)
        rows = "\n".join(shown(view))
        assert "=== FILE x" in rows
        assert not any(character in rows for character in "\x1b\x07\x9b\u202e")
        await pilot.press("tab")
        await quiet(pilot)
        rows = "\n".join(shown(view))
        assert "--- user ---" in rows
        assert "write it whole" in rows
        asked = [query for query in client.queries if isinstance(query, GetReply | GetRequest)]
        assert [query.call for query in asked] == ["r1/s2/recover/3/call/1"] * 2


async def test_the_attempt_that_runs_is_seen_as_it_writes() -> None:
    """The live pane is there while somebody works at the file, and goes after."""
    client, stream = attempting()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        client.stream(stream, 0, "class Bucket:\n")
        pane = screen.query_one(LivePane).pane
        assert pane is not None
        await until(pilot, lambda: "class Bucket" in "\n".join(shown(pane.reply)))
        rows = shown(screen.query_one(AttemptTimeline))
        assert "consult" in rows[-1]
        assert "running" in rows[-1]
        done = recovered().state
        client.open(done)
        await until(pilot, lambda: screen.query_one(LivePane).pane is None)


async def test_findings_are_jumped_between_in_both_texts() -> None:
    """`]` and `[`, round the ends."""
    client = troubled()
    many = "".join(f"line_{n} = {n}\n" for n in range(1, 301))
    client.answers[GetBlob] = many
    story = Story(client)
    again = story.begun("s2", ActivityKind.RECOVER, attempt=9, approach=RecoveryApproach.CONSULT)
    story.called(again)
    found = tuple(CUT.model_copy(update={"line": line}) for line in (10, 150, 290))
    story.refused(again, diagnostics=found, text=blob_hash(b"many"))
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.choose(S2)
        await quiet(pilot)
        left = screen.query_one("#damaged-text", SourceView)
        for key, line in (("]", 10), ("]", 150), ("]", 290), ("]", 10), ("[", 290)):
            await pilot.press("right_square_bracket" if key == "]" else "left_square_bracket")
            await pilot.pause()
            assert any(f"line_{line} = " in row for row in shown(left)[-40:] or shown(left)), line
            assert screen._place == line  # noqa: SLF001


async def test_a_huge_text_is_made_ready_elsewhere() -> None:
    """A hundred thousand lines and a line of a megabyte; the screen is there at once."""
    huge = "x = 1\n" * 100_000 + "y" * 1_000_000
    client = troubled()
    client.answers[GetBlob] = huge
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        left = screen.query_one("#damaged-text", SourceView)
        assert len(huge) > LARGE
        await until(pilot, lambda: left.end_row > 100_000)
        left.action_scroll_finish()
        await pilot.pause()
        assert "996000 more characters" in "".join(
            "".join(text for text, _ in left.row_spans(row))
            for row in range(left.end_row - 80, left.end_row)
        )


async def test_the_keys_are_in_the_footer_at_80_columns_and_can_be_clicked() -> None:
    """Two lines of hints; the mouse presses them."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        hints = screen.query_exactly_one(KeyHints)
        told = str(hints.render())
        for words in (
            "r retry",
            "t by hand",
            "A accept anyway",
            "s skip",
            "X revert run",
            "^q quit",
        ):
            assert words in told
        line = told.split("\n")[1]
        await pilot.click(hints, offset=(1 + line.index("X revert"), 1))
        await agree(pilot)
        await pilot.pause()
        assert client.commands == [cmd.RevertRun()]


async def test_the_palette_has_the_actions_but_not_the_approval() -> None:
    """A damaged text is never taken by typing a name."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        found = [str(hit.text) async for hit in OrchestraCommands(screen).discover()]
        assert any(name.startswith("retry") for name in found)
        assert any(name.startswith("by hand") for name in found)
        assert not any(name.startswith("accept") for name in found)


# --- opening by itself -----------------------------------------------------------------------


def defeat(story: Story, step: str = "s2") -> None:
    """Everything that can be tried for the step fails."""
    tries = (
        None,
        RecoveryApproach.CONSULT,
        RecoveryApproach.OTHER_ADAPTER,
        RecoveryApproach.PIECES,
    )
    for attempt, approach in enumerate(tries):
        kind = ActivityKind.EXECUTE if approach is None else ActivityKind.RECOVER
        trying = story.begun(step, kind, attempt=max(1, attempt), approach=approach)
        if approach is RecoveryApproach.OTHER_ADAPTER:
            story.attempted(trying, AttemptOutcome.IMPOSSIBLE, "no other adapter")
            continue
        story.called(trying)
        story.refused(trying, diagnostics=(CUT,), text=BlobHash("2" * 40))


async def at_work(pilot: Pilot[Any]) -> None:
    """The run screen is in front."""
    await until(pilot, lambda: pilot.app.screen.NAME == "run")
    await pilot.pause()


async def test_it_opens_by_itself_when_a_decision_is_needed_while_others_work() -> None:
    """Once per file that waits; the title and the status line say so."""
    client = StubClient()
    story = Story(client).started().approved(PATHS).accepted("s1")
    story.called(story.begun("s3"), adapter=CODEX)
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_work(pilot)
        defeat(story)
        await until(pilot, lambda: app.screen.NAME == "recovery")
        await quiet(pilot)
        title = str(app.screen.query_one("#recovery-title", PlainStatic).visual)
        assert "recovery waits for you: decide about app/limits_store.py" in title
        status = str(app.screen.query_exactly_one(StatusLine).visual)
        assert "recovery waits for you" in status
        app.go("run")
        await at_work(pilot)
        story.called(story.begun("s4"))
        await quiet(pilot)
        assert app.screen.NAME == "run", "the user has seen it and went away"
        defeat(story, "s5")
        await until(pilot, lambda: app.screen.NAME == "recovery")
        await quiet(pilot)
        assert app.screen.files.key == "s5"


async def test_it_does_not_open_over_a_dialog() -> None:
    """Whoever answers a question is not interrupted; badge and status line tell."""
    client = StubClient()
    story = Story(client).started().approved(PATHS).accepted("s1")
    story.called(story.begun("s3"), adapter=CODEX)
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_work(pilot)
        await pilot.press("f1")
        await pilot.pause()
        defeat(story)
        await quiet(pilot)
        assert app.current_mode == "run"
        await pilot.press("escape")
        await quiet(pilot)
        status = str(app.screen.query_exactly_one(StatusLine).visual)
        assert "recovery waits for you" in status


async def test_it_does_not_open_while_the_users_editor_has_the_terminal() -> None:
    """He comes back to where he left; badge and status line tell."""
    client = StubClient()
    story = Story(client).started().approved(PATHS).accepted("s1")
    story.called(story.begun("s3"), adapter=CODEX)
    app = WorkApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_work(pilot)
        app.add_class(external_editor._LENT)  # noqa: SLF001
        defeat(story)
        await quiet(pilot)
        assert app.current_mode == "run"
        app.remove_class(external_editor._LENT)  # noqa: SLF001
        status = str(app.screen.query_exactly_one(StatusLine).visual)
        assert "recovery waits for you" in status
