"""A file taken over by hand on the recovery screen: judged as typed, written, never lost."""

from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import TextArea

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.commands import AcceptAnyway, Command, TakeOver
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import StepId, blob_hash
from orchestra_tui.domain.ports import GetBlob, GetProject, ValidateText
from orchestra_tui.domain.state import SessionState
from orchestra_tui.screens.recovery import RecoveryScreen
from orchestra_tui.widgets.hand_editor import CodeArea, HandEditor
from orchestra_tui.widgets.issue_list import IssueList
from tests.ui.hostile import HOSTILE
from tests.ui.recovery_samples import BLOBS, CUT, DAMAGED, troubled
from tests.ui.stub_client import PROJECT, StubClient
from tests.ui.test_line_pane import shown
from tests.ui.waiting import until
from tests.ui.work_story import R1, RecoveryApp, agree

S2 = StepId("s2")
_OURS = {"load", "judge", "save", "call"}
MENDED = "def take(key: str) -> bool:\n    return True\n"


async def quiet(pilot: Pilot[Any]) -> None:
    """Let workers and messages settle."""
    for _ in range(4):
        await until(pilot, lambda: not any(w.group in _OURS for w in pilot.app.workers))
        await pilot.pause()


async def opened(app: RecoveryApp, pilot: Pilot[Any]) -> RecoveryScreen:
    """The console, with its texts."""
    await until(pilot, lambda: app.session is not None and app.project is not None)
    app.go("recovery")
    await quiet(pilot)
    screen = app.screen
    assert isinstance(screen, RecoveryScreen)
    return screen


def kept_here(client: StubClient, folder: Path) -> StubClient:
    """The state folder is a real one."""
    client.answers[GetProject] = PROJECT.model_copy(update={"state_folder": str(folder)})
    return client


async def typed(pilot: Pilot[Any], text: str) -> None:
    """The user's text, as if typed, and the pause after it."""
    pilot.app.screen.query_one(CodeArea).load_text(text)
    editor = pilot.app.screen.query_one(HandEditor)
    await pilot.pause()
    editor.tell_now()
    await quiet(pilot)


def took(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
    """The engine takes the text."""
    if isinstance(command, TakeOver):
        blob = blob_hash(command.text.encode())
        return (ev.TextTaken(run=R1, step=command.step, text=blob),)
    return ()


async def test_it_begins_with_the_damaged_text_and_shows_findings_at_their_lines() -> None:
    """The validator is asked with the last good text, and its words stand where they belong."""
    client = troubled()
    client.answers[ValidateText] = lambda query: (CUT,) if "limits=(1," in query.text else ()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        assert screen.query_one(CodeArea).text == DAMAGED
        assert "truncated" in shown(screen.query_one("#hand-findings", IssueList))[0]
        area = screen.query_one(CodeArea)
        assert "\N{BLACK FLAG}" in area.render_line(3).text
        assert "\N{BLACK FLAG}" not in area.render_line(2).text
        await typed(pilot, MENDED)
        assert not screen.query_one("#hand-findings", IssueList).display
        asked = [query for query in client.queries if isinstance(query, ValidateText)]
        assert asked[-1] == ValidateText(path="app/limits_store.py", text=MENDED, old=None)


async def test_typing_is_judged() -> None:
    """After the pause that follows the last key."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await pilot.press("#", "a", "b")
        await until(
            pilot,
            lambda: any(
                isinstance(q, ValidateText) and q.text.startswith("#ab") for q in client.queries
            ),
        )


async def test_ctrl_s_writes_it_and_the_draft_goes_when_the_file_is_there(tmp_path: Path) -> None:
    """`TakeOver` with exactly the text; the draft lives until the file holds it."""
    client = kept_here(troubled(), tmp_path)
    client.on_command = took
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, MENDED)
        draft = tmp_path / "draft-s1-r1-s2.txt"
        assert draft.read_text() == MENDED
        await pilot.press("ctrl+s")
        await quiet(pilot)
        assert client.commands == [TakeOver(step=S2, text=MENDED)]
        assert not screen.is_editing
        assert draft.exists(), "it is not in the file yet"
        run = client.state.run
        assert run is not None
        client.emit(ev.StepExecuted(run=R1, activity="r1/s2/manual/1", step=S2))
        await until(pilot, lambda: not draft.exists())


async def test_a_refused_text_stays_in_the_editor() -> None:
    """The engine has the last word; what was written is still there."""
    client = troubled()
    client.refusal = CommandRefused("line 4: the text ends inside a bracket")
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await pilot.press("ctrl+s")
        await quiet(pilot)
        assert screen.is_editing
        assert screen.query_one(CodeArea).text == DAMAGED


async def test_a_draft_survives_leaving_the_editor_the_screen_and_the_app(tmp_path: Path) -> None:
    """`esc`, another tab in mid-typing, and a new app on the same session."""
    app = RecoveryApp(kept_here(troubled(), tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, MENDED)
        await pilot.press("escape")
        await quiet(pilot)
        assert not screen.is_editing
        await pilot.press("t")
        await quiet(pilot)
        assert screen.query_one(CodeArea).text == MENDED
        await pilot.press("#")
        await pilot.press("f4")
        await pilot.pause()
        assert app.screen is not screen
        await quiet(pilot)
        assert (tmp_path / "draft-s1-r1-s2.txt").read_text() == f"#{MENDED}"
    again = RecoveryApp(kept_here(troubled(), tmp_path))
    async with again.run_test(size=(120, 40)) as pilot:
        screen = await opened(again, pilot)
        await pilot.press("t")
        await quiet(pilot)
        assert screen.query_one(CodeArea).text == f"#{MENDED}"
        await pilot.press("escape")
        await quiet(pilot)
        await pilot.press("D")
        await agree(pilot)
        await quiet(pilot)
        assert not (tmp_path / "draft-s1-r1-s2.txt").exists()


async def test_another_beginning_can_be_undone() -> None:
    """`^t` puts the other text in; `^z` brings the user's back."""
    client = troubled()
    good = "GOOD = 1\n"
    client.answers[GetBlob] = lambda query: BLOBS.get(query.blob, good)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await pilot.press("x", "ctrl+t")
        await quiet(pilot)
        area = screen.query_one(CodeArea)
        assert area.text == DAMAGED
        await pilot.press("ctrl+z")
        await quiet(pilot)
        assert area.text == f"x{DAMAGED}"


async def test_anyway_from_the_editor_takes_what_stands_in_it() -> None:
    """With a reason, after the guard."""
    client = troubled()
    client.answers[ValidateText] = (CUT,)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, "odd (\n")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: bool(app.screen.query("#reason")))
        app.screen.query_one("#reason", TextArea).load_text("it is a template")
        await agree(pilot)
        await quiet(pilot)
        command = AcceptAnyway(step=S2, reason="it is a template", text="odd (\n")
        assert client.commands == [command]


async def test_hostile_text_is_edited_byte_for_byte_and_drawn_harmless() -> None:
    """What is shown is cleaned; what is written is what the user has."""
    text = HOSTILE.replace("\ud800", "").replace("\r\n", "\n").replace("\r", "")
    client = troubled()
    client.answers[GetBlob] = text
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        rows = [
            "".join(segment.text for segment in strip)
            for strip in app.screen._compositor.render_strips()  # noqa: SLF001
        ]
        assert not any(character in "".join(rows) for character in "\x1b\x07\x9b\u202e")
        assert screen.query_one(CodeArea).text == text
        await pilot.press("ctrl+s")
        await quiet(pilot)
        assert client.commands == [TakeOver(step=S2, text=text)]


async def test_a_terminal_that_cannot_be_lent_is_said() -> None:
    """The editor is not started, and the console is as it was. With a terminal: in tests/e2e."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("e")
        await until(
            pilot,
            lambda: any("cannot be lent" in n.message for n in app._notifications),  # noqa: SLF001
        )
        assert not screen.is_editing
        assert client.commands == []


async def test_letters_typed_right_before_the_key_are_written_too() -> None:
    """Faster than the field takes them."""
    client = troubled()
    client.on_command = took
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, MENDED)
        for letter in "#ab":
            app.post_message(events.Key("number_sign" if letter == "#" else letter, letter))
        app.post_message(events.Key("ctrl+s", None))
        await until(pilot, lambda: bool(client.commands))
        (command,) = client.commands
        assert isinstance(command, TakeOver)
        assert command.text == f"#ab{MENDED}"
