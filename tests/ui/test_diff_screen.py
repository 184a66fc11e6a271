"""The diff screen as a reviewer meets it: read, decide, commit."""

from collections.abc import Iterable
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.commands import (
    Command,
    CommitChanges,
    DecideHunks,
    FinishRun,
    RevertFile,
)
from orchestra_tui.domain.ids import ActivityKey, StepId
from orchestra_tui.domain.ports import DiffReport, GetDiff
from orchestra_tui.domain.state import SessionState
from orchestra_tui.widgets.diff_view import DiffView
from orchestra_tui.widgets.file_list import FileList
from orchestra_tui.widgets.message_editor import MessageEditor
from orchestra_tui.widgets.plain_static import PlainStatic
from tests.ui.diff_samples import MESSAGE, PATHS, reviewed, sample_report
from tests.ui.hostile import HOSTILE_PATH, hostile_diff
from tests.ui.stub_client import StubClient
from tests.ui.test_line_pane import shown
from tests.ui.work_story import R1, DiffApp, agree

OID = "ab" * 20


def decide(command: Command, state: SessionState) -> Iterable[ev.Event]:
    """Record decisions as the engine does."""
    if isinstance(command, DecideHunks):
        yield ev.HunksDecided(run=R1, path=command.path, rejected=command.rejected)
    if isinstance(command, CommitChanges | FinishRun):
        message = command.message if isinstance(command, CommitChanges) else None
        yield ev.CommitRequested(run=R1, message=message)


def text_of(app: DiffApp, selector: str) -> str:
    """What a static says."""
    return str(app.screen.query_one(selector, PlainStatic).visual)


async def settle(pilot: Pilot[Any]) -> None:
    """Records folded, the diff asked for and shown."""
    for _ in range(3):
        await pilot.pause()


async def test_shows_files_diff_and_message() -> None:
    """Title with counts and checks; the first file; the drafted message."""
    app = DiffApp(reviewed())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        title = text_of(app, "#diff-title")
        assert title.startswith("4 files  +13 -2   5 of 5 hunks accepted")
        assert "✔ pytest 48 passed" in title
        assert "app/limits.py · file 1/4 · step s1 · glm · audited" in text_of(app, "#diff-head")
        assert app.screen.query_one(MessageEditor).message == MESSAGE
        assert "52/72" in text_of(app, ".message-head")
        rows = shown(app.screen.query_one(FileList))
        assert rows[1].endswith("+4   -2")
        assert rows[3].endswith("binary")


async def test_space_rejects_a_hunk_and_takes_it_back() -> None:
    """A key sends the ids that are rejected; the record changes what is shown."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    first, second = (hunk.id for hunk in sample_report().files[1].hunks)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right_curly_bracket", "right_square_bracket", "space")
        await settle(pilot)
        assert client.commands == [DecideHunks(path=PATHS[1], rejected=(second,))]
        assert "4 of 5 hunks accepted" in text_of(app, "#diff-title")
        assert "will be stale" in text_of(app, "#diff-title")
        assert "◪" in shown(app.screen.query_one(FileList))[1]
        assert any("✖ rejected" in row for row in shown(app.screen.query_one(DiffView)))
        await pilot.press("left_square_bracket", "space", "right_square_bracket", "space")
        await settle(pilot)
        assert client.commands[-1] == DecideHunks(path=PATHS[1], rejected=(first,))


async def test_quick_keys_on_one_file_do_not_overwrite_each_other() -> None:
    """Two decisions in a row both count."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    first, second = (hunk.id for hunk in sample_report().files[1].hunks)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right_curly_bracket")
        await settle(pilot)
        view = app.screen.query_one(DiffView)
        for hunk in (first, second):
            view.post_message(DiffView.HunkToggled(view, PATHS[1], hunk))
        await settle(pilot)
        assert client.commands[-1] == DecideHunks(path=PATHS[1], rejected=(first, second))


async def test_keys_typed_ahead_decide_the_file_they_were_meant_for() -> None:
    """Two files on, then space, faster than the screen can follow."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key, character in (
            ("right_curly_bracket", "}"),
            ("right_curly_bracket", "}"),
            ("space", " "),
        ):
            app.post_message(events.Key(key, character))
        await settle(pilot)
        (command,) = client.commands
        assert isinstance(command, DecideHunks)
        assert command.path == PATHS[2]


async def test_whole_files_from_the_list() -> None:
    """Space on the list takes or leaves the file, a binary one too."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        files = app.screen.query_one(FileList)
        files.focus()
        await pilot.press("end", "space")
        await settle(pilot)
        assert client.commands == [DecideHunks(path="logo.png", rejected=("*",))]
        assert "✖" in shown(files)[3]
        assert "binary file" in shown(app.screen.query_one(DiffView))[0]
        await pilot.press("space")
        await settle(pilot)
        assert client.commands[-1] == DecideHunks(path="logo.png", rejected=())


async def test_layout_follows_the_width_until_the_user_chooses() -> None:
    """Side by side from 120 columns on; `v` overrides."""
    app = DiffApp(reviewed())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right_curly_bracket")
        await settle(pilot)
        view = app.screen.query_one(DiffView)
        assert any("│" in row for row in shown(view))
        await pilot.resize_terminal(100, 40)
        await settle(pilot)
        assert not any("│" in row for row in shown(view))
        await pilot.press("v")
        await settle(pilot)
        assert any("│" in row for row in shown(view))


async def test_search_marks_counts_and_closes() -> None:
    """`/` finds as one types, enter keeps the marks, escape drops them."""
    app = DiffApp(reviewed())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right_curly_bracket")
        await settle(pilot)
        await pilot.press("slash", *"LIMITER")
        await settle(pilot)
        assert app.screen.query_one(Input).has_focus
        assert "2 rows" in text_of(app, ".search-count")
        await pilot.press("enter")
        await settle(pilot)
        view = app.screen.query_one(DiffView)
        assert view.is_searching
        assert view.has_focus
        await pilot.press("slash", "escape")
        await settle(pilot)
        assert not view.is_searching


async def test_commit_sends_the_edited_message() -> None:
    """With green checks no question is asked; then the screen says how it ended."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        editor = app.screen.query_one(MessageEditor)
        editor.area.load_text("fix: something\x1b]52;c;eA==\x07 else")
        await pilot.press("ctrl+s")
        await settle(pilot)
        (command,) = client.commands
        assert isinstance(command, CommitChanges)
        assert "\x1b" not in command.message
        assert "applying your decisions" in text_of(app, "#diff-end")
        counts = ev.Counts(accepted=4)
        client.emit(
            ev.Committed(
                run=R1, activity=ActivityKey("r1/commit/1"), commit="ab" * 20, message="fix"
            ),
            ev.RunFinished(run=R1, outcome=ev.Outcome.DONE, counts=counts, commit=OID),
        )
        await settle(pilot)
        assert "committed as ababababab" in text_of(app, "#diff-end")
        assert "F2 takes the next task" in text_of(app, "#diff-end")


@pytest.mark.parametrize("state", [ev.CheckState.FAILED, ev.CheckState.NO_TESTS])
async def test_commit_over_failing_checks_asks(state: ev.CheckState) -> None:
    """Not green: one more question, and the guard holds the first half second."""
    client = reviewed(checks=state)
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert client.commands == []
        await agree(pilot)
        await settle(pilot)
        assert client.commands == [CommitChanges(message=MESSAGE)]


async def test_message_problems_are_said_and_an_edit_is_never_replaced() -> None:
    """The caption says what is wrong; a new draft does not undo the user's words."""
    client = reviewed()
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        editor = app.screen.query_one(MessageEditor)
        editor.area.load_text("just words")
        await settle(pilot)
        assert "type(scope): text" in text_of(app, ".message-head")
        editor.propose("feat: another draft")
        assert editor.message == "just words"


async def test_without_git_the_files_can_be_kept() -> None:
    """No message, no commit key; `K` ends the run."""
    client = reviewed(sample_report(has_git=False, git_problem="not a repository"))
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "not a repository: no commit" in text_of(app, "#diff-end")
        assert not app.screen.query_one(MessageEditor).display
        await pilot.press("ctrl+s", "K")
        await settle(pilot)
        assert client.commands == [FinishRun()]


async def test_refused_path_is_shown_with_its_reason() -> None:
    """A file that cannot be committed says why."""
    reason = "it has a git filter (lfs)"
    client = reviewed(sample_report(refused={PATHS[3]: reason}))
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "1 file cannot be committed" in text_of(app, "#diff-title")
        await pilot.press(*["right_curly_bracket"] * 3)
        await settle(pilot)
        assert f"cannot be committed: {reason}" in text_of(app, "#diff-head")


async def test_revert_file_asks_first() -> None:
    """`x` puts the file back after a question."""
    client = reviewed()
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("x")
        await agree(pilot)
        await settle(pilot)
        assert client.commands == [RevertFile(step=StepId("s1"))]


async def test_diff_is_asked_for_again_only_when_files_change() -> None:
    """Deciding a hunk does not read the diff again."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        before = sum(isinstance(query, GetDiff) for query in client.queries)
        await pilot.press("space")
        await settle(pilot)
        assert sum(isinstance(query, GetDiff) for query in client.queries) == before


async def test_hostile_diff_is_read_not_obeyed() -> None:
    """Path and lines from anywhere are characters."""
    report = DiffReport(files=(hostile_diff(),), message=HOSTILE_PATH, has_git=True)
    app = DiffApp(reviewed(report))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        view = app.screen.query_one(DiffView)
        everything = [*shown(view), *shown(app.screen.query_one(FileList))]
        everything += [str(widget.visual) for widget in app.screen.query(PlainStatic)]
        text = "".join(everything)
        assert "[@click=app.quit]" in text
        assert not any(character in text for character in "\x1b\x07\x9b\u202e")
        for y in range(8):
            await pilot.click(view, offset=(20, y))
            await pilot.click("#diff-head", offset=(y * 6, 0))
        assert app.is_running


async def test_nothing_to_compare_says_what_to_do() -> None:
    """Without a run the screen names the next key."""
    app = DiffApp(StubClient())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "F2 opens Home" in shown(app.screen.query_one(DiffView))[0]


@pytest.mark.parametrize(("key", "character"), [("ctrl+s", None), ("K", "K")])
async def test_what_was_rejected_before_the_end_is_not_committed(
    key: str, character: str | None
) -> None:
    """Two files rejected and the run ended, faster than the screen can follow."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for typed, text in (("space", " "), ("right_curly_bracket", "}"), ("space", " ")):
            app.post_message(events.Key(typed, text))
        app.post_message(events.Key(key, character))
        await settle(pilot)
        kinds = [type(command) for command in client.commands]
        assert kinds[:2] == [DecideHunks, DecideHunks]
        assert kinds[2:] == [CommitChanges if key == "ctrl+s" else FinishRun]


async def test_agents_that_wrote_what_was_there_are_not_waited_for() -> None:
    """The work is over and nothing differs: said so, with the key that ends the run."""
    app = DiffApp(reviewed(DiffReport(has_git=True)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        view = app.screen.query_one(DiffView)
        assert any("Nothing differs" in row and "K ends it" in row for row in shown(view))


async def test_deciding_is_offered_while_the_run_waits_for_it() -> None:
    """After the end a hint for it would be one for a dead key."""
    client = reviewed()
    client.on_command = decide
    app = DiffApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert app.screen.active_bindings["space"].enabled
        client.emit(ev.RunFinished(run=R1, outcome=ev.Outcome.DONE, counts=ev.Counts(accepted=4)))
        await settle(pilot)
        assert not app.screen.active_bindings["space"].enabled
        await pilot.press("space")
        app.screen.query_one(FileList).focus()
        await pilot.press("space")
        await settle(pilot)
        assert client.commands == []
