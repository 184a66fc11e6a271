"""Nothing of one file, of one run or of an older text is ever taken for that of another."""

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.document._document import Document
from textual.widgets import TextArea

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.commands import AcceptAnyway, Command
from orchestra_tui.domain.ids import ActivityKey, BlobHash, RunId, StepId, blob_hash
from orchestra_tui.domain.ports import BinaryContent, GetBlob, Query
from orchestra_tui.domain.state import SessionState, StepStatus
from orchestra_tui.widgets.hand_drafts import HandDrafts, RunKey
from orchestra_tui.widgets.hand_editor import CodeArea, keeps_every_character
from orchestra_tui.widgets.live_pane import LivePane
from orchestra_tui.widgets.plain_static import PlainStatic
from tests.ui.recovery_samples import BLOBS, DAMAGED, MINE, WHOLE, attempting, troubled
from tests.ui.stub_client import StubClient
from tests.ui.test_recovery_hand import MENDED, S2, kept_here, opened, quiet, typed
from tests.ui.waiting import until
from tests.ui.work_story import R1, RecoveryApp, Story, agree

R = TypeVar("R")


class SlowDisk(StubClient):
    """The text `held` is not read before `release` is set."""

    held: BlobHash | None = None
    is_asked = False

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def query(self, query: Query[R]) -> R:
        if isinstance(query, GetBlob) and query.blob == self.held:
            self.is_asked = True
            await self.release.wait()
        return await super().query(query)


async def test_the_text_of_the_file_before_is_not_accepted_for_this_one() -> None:
    """While the text of the newly chosen file is read, there is nothing to accept."""
    client = SlowDisk()
    troubled(client)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("down")
        await quiet(pilot)
        assert screen.shown_damage is not None
        assert screen.shown_damage.text == MINE
        client.held = blob_hash(DAMAGED.encode())
        await pilot.press("up")
        await until(pilot, lambda: client.is_asked)
        await pilot.press("A")
        await pilot.pause()
        assert app.screen is screen
        client.release.set()
        await quiet(pilot)
        await pilot.press("A")
        await until(pilot, lambda: app.screen is not screen)


async def test_by_hand_waits_for_the_text_of_the_chosen_file() -> None:
    """It begins with the damaged text of this file, however early the key was."""
    client = SlowDisk()
    troubled(client)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("down")
        await quiet(pilot)
        client.held = blob_hash(DAMAGED.encode())
        await pilot.press("up")
        await until(pilot, lambda: client.is_asked)
        await pilot.press("t")
        await pilot.pause()
        assert not screen.is_editing
        client.release.set()
        await until(pilot, lambda: screen.is_editing)
        assert screen.query_one(CodeArea).text == DAMAGED


async def test_a_text_that_comes_back_from_the_editor_chooses_its_file() -> None:
    """Another file may have begun to wait, and been chosen, while the user was away."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.choose(StepId("s3"))
        await quiet(pilot)
        screen._open(S2, MENDED, "as you left it")  # noqa: SLF001
        await quiet(pilot)
        assert screen.trouble is not None
        assert screen.trouble.step == S2
        assert screen.is_editing


async def test_the_next_run_does_not_get_the_draft_of_the_one_before(tmp_path: Path) -> None:
    """Its steps have the same ids. The editor closes, and the draft stays with its run."""
    client = kept_here(troubled(), tmp_path)
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, MENDED)
        state = client.state
        run = state.runs[-1].model_copy(update={"id": RunId("r2")})
        client.open(state.model_copy(update={"runs": (*state.runs, run), "seq": state.seq + 1}))
        await until(pilot, lambda: not screen.is_editing)
        await pilot.press("t")
        await until(pilot, lambda: screen.is_editing)
        assert screen.query_one(CodeArea).text == DAMAGED
        await quiet(pilot)
        assert (tmp_path / "draft-s1-r1-s2.txt").read_text() == MENDED


def took_anyway(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
    """The engine takes the damaged text."""
    assert isinstance(command, AcceptAnyway)
    assert command.text is not None
    blob = blob_hash(command.text.encode())
    return (ev.TextTaken(run=R1, step=command.step, text=blob, is_anyway=True, reason="r"),)


async def test_a_draft_outlives_another_text_that_is_accepted(tmp_path: Path) -> None:
    """What the user wrote goes only when the file holds it, or when he drops it."""
    client = kept_here(troubled(), tmp_path)
    client.on_command = took_anyway
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await typed(pilot, MENDED)
        await pilot.press("escape")
        await quiet(pilot)
        await pilot.press("A")
        await until(pilot, lambda: bool(app.screen.query("#reason")))
        app.screen.query_one("#reason", TextArea).load_text("it is a template")
        await agree(pilot)
        await quiet(pilot)
        assert [type(command) for command in client.commands] == [AcceptAnyway]
        client.emit(ev.StepExecuted(run=R1, activity=ActivityKey("r1/s2/manual/1"), step=S2))
        await quiet(pilot)
        assert (tmp_path / "draft-s1-r1-s2.txt").read_text() == MENDED
        assert screen.has_draft(S2)


async def test_a_draft_of_an_earlier_app_can_be_dropped_at_once(tmp_path: Path) -> None:
    """The key is there without opening the editor first."""
    draft = tmp_path / "draft-s1-r1-s2.txt"
    draft.write_text(MENDED)
    app = RecoveryApp(kept_here(troubled(), tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("D")
        await agree(pilot)
        await until(pilot, lambda: not draft.exists())


async def test_the_pane_of_one_file_is_not_shown_below_another() -> None:
    """Also where the other one waits for its next attempt."""
    client, _ = attempting()
    story = Story(client)
    waiting = story.begun("s4", ActivityKind.EXECUTE)
    story.called(waiting)
    story.refused(waiting, text=blob_hash(DAMAGED.encode()))
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.choose(S2)
        await quiet(pilot)
        assert screen.query_one(LivePane).pane is not None
        screen.choose(StepId("s4"))
        await quiet(pilot)
        assert screen.query_one(LivePane).pane is None


@pytest.mark.parametrize("text", ["one\n\x0c\ntwo\n", 'a = "\u2028"\n', "old mac\rline\n"])
async def test_a_text_that_the_field_would_change_is_not_edited_in_it(text: str) -> None:
    """It says so, and nothing is lost."""
    client = troubled()
    client.answers[GetBlob] = text
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        assert not screen.is_editing
        assert any("$EDITOR" in notice.message for notice in app._notifications)  # noqa: SLF001


@given(st.text(alphabet=st.sampled_from("ab \n\r\x0b\x0c\x1c\x85\u2028")))
def test_what_the_field_keeps_is_known(text: str) -> None:
    """They come out of it as they went in."""
    came_out = Document(text).text.replace("\r\n", "\n")
    assert not keeps_every_character(text) or came_out == text.replace("\r\n", "\n")
    assert keeps_every_character(text) or not text.isascii() or set(text) & set("\r\x0b\x0c\x1c")


async def test_saves_of_a_draft_follow_each_other(tmp_path: Path) -> None:
    """The newest text stands on disk, and nothing of a dropped one comes back."""
    drafts = HandDrafts(tmp_path, RunKey(StubClient().state.id, R1))
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            drafts.hold(S2, "x" * (40 - number) * 1000 + str(number))
            group.create_task(drafts.save(S2))
    assert (tmp_path / "draft-s1-r1-s2.txt").read_text() == "x" * 1000 + "39"
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(drafts.save(S2))
        group.create_task(drafts.drop(S2))
    assert not list(tmp_path.iterdir())


async def test_a_draft_keeps_the_line_ends_of_windows(tmp_path: Path) -> None:
    drafts = HandDrafts(tmp_path, RunKey(StubClient().state.id, R1))
    drafts.hold(S2, "one\r\ntwo\r\n")
    await drafts.save(S2)
    assert await HandDrafts(tmp_path, drafts.of).get(S2) == "one\r\ntwo\r\n"


async def test_the_last_words_before_the_app_ends_are_kept(tmp_path: Path) -> None:
    """Typed and left at once, before the pause after which a draft is saved."""
    app = RecoveryApp(kept_here(troubled(), tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("t")
        await quiet(pilot)
        await pilot.press("#")
    assert (tmp_path / "draft-s1-r1-s2.txt").read_text() == f"#{DAMAGED}"


async def test_by_hand_goes_on_with_what_stands_in_the_project() -> None:
    """Where no damaged text of the file is known, and as one of the beginnings of `^t`."""
    client = troubled()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        story = Story(client)
        story.written(story.begun("s1", ActivityKind.FIX), WHOLE)
        cut = story.begun("s1", ActivityKind.FIX, attempt=2)
        story.called(cut)
        edits = "=== EDIT app/limits.py\n<<<<<<< SEARCH\n"
        client.answers[GetBlob] = lambda query: (
            edits if query.blob == "7" * 40 else BLOBS.get(query.blob)
        )
        story.refused(cut, text=BlobHash("7" * 40))
        await until(pilot, lambda: "s1" in {row.key for row in screen.files.rows})
        screen.choose(StepId("s1"))
        await quiet(pilot)
        assert screen.step is not None
        assert screen.step.status is StepStatus.NEEDS_RECOVERY
        await pilot.press("t")
        await until(pilot, lambda: screen.is_editing)
        assert screen.query_one(CodeArea).text == WHOLE


async def test_a_file_that_came_through_meanwhile_is_said_in_the_editor() -> None:
    """`^s` would be refused; the words say what to do instead."""
    client, _ = attempting()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.choose(S2)
        await quiet(pilot)
        await pilot.press("t")
        await until(pilot, lambda: screen.is_editing)
        note = screen.query_one("#hand-note", PlainStatic)
        await until(pilot, lambda: "nothing is found" in str(note.visual))
        client.emit(
            ev.StepExecuted(run=R1, activity=ActivityKey("r1/s2/recover/2"), step=S2),
        )
        Story(client).audited("s2")
        await until(pilot, lambda: "it came through while you wrote" in str(note.visual))
        assert screen.is_editing
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: note.size.height > 1)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.is_editing)
        told = [notice.message for notice in app._notifications]  # noqa: SLF001
        assert "Your text is kept as a draft" in told, "t is not offered, and not promised"


async def test_a_file_that_is_audited_after_its_recovery_is_said_to_be_at_work() -> None:
    """Not that there is nothing to do."""
    client, _ = attempting()
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        client.emit(ev.StepExecuted(run=R1, activity=ActivityKey("r1/s2/recover/2"), step=S2))
        Story(client).called(Story(client).begun("s2", ActivityKind.AUDIT))
        now = screen.query_one("#recovery-now", PlainStatic)
        await until(pilot, lambda: "agents are at work on it" in str(now.visual))


async def test_enter_in_the_list_leads_back_into_the_editor() -> None:
    """After a click on the files the way back needs no mouse."""
    app = RecoveryApp(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("t")
        await until(pilot, lambda: screen.is_editing)
        await pilot.click(screen.files, offset=(4, 0))
        assert screen.files.has_focus
        await pilot.press("enter")
        await pilot.pause()
        assert screen.query_one(CodeArea).has_focus


@pytest.mark.parametrize("key", ["t", "e", "A"])
async def test_what_is_binary_on_disk_is_not_written_by_hand(key: str) -> None:
    """The user made a picture of the file: the words that describe it are no text of it."""
    client = troubled()
    picture = blob_hash(MINE.encode())
    client.answers[GetBlob] = lambda query: (
        BinaryContent(size=1234) if query.blob == picture else BLOBS.get(query.blob)
    )
    app = RecoveryApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.choose(StepId("s3"))
        await quiet(pilot)
        assert screen.step is not None
        assert screen.step.status is StepStatus.CONFLICT
        said: list[str] = []
        screen.host.say = lambda words, **_: said.append(words)  # type: ignore[method-assign]
        await pilot.press(key)
        await quiet(pilot)
        assert screen.shown_damage is None
        assert not screen.is_editing
        assert client.commands == []
        if key != "A":
            assert "binary, 1234 bytes: no text" in said[0]
