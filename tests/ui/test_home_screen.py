"""Home: a task starts, earlier ones come back, pasted text is only text."""

from decimal import Decimal
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.events import Paste
from textual.pilot import Pilot

from orchestra_tui.app import AppOptions, OrchestraApp, Reopen
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.commands import Command, NewSession, OpenSession, StartRun
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ports import CompletePath, ListSessions
from orchestra_tui.domain.settings import Mode
from orchestra_tui.domain.state import SessionState
from orchestra_tui.screens.home import EXAMPLES, HomeScreen
from orchestra_tui.widgets.composer import Composer
from orchestra_tui.widgets.row_list import RowList
from tests.ui.stories import SESSIONS, TASK, begun, proposed
from tests.ui.stub_client import PROJECT, REHEARSAL_PROJECT, START, StubClient
from tests.ui.waiting import until

OPTIONS = AppOptions(clock=lambda: START)


def starting(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
    return begun() if isinstance(command, StartRun) else ()


def text_of(pilot: Pilot[Reopen]) -> str:
    return pilot.app.screen.query_exactly_one(Composer).area.text


def shown(pilot: Pilot[Reopen], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector).render())


async def test_enter_starts_the_task_with_the_settings_shown() -> None:
    """And the composer is empty afterwards, so nothing starts twice."""
    client = StubClient(on_command=starting)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"fix it")
        for _ in range(4):
            await pilot.press("tab", "space")
        await pilot.press("shift+tab", "shift+tab", "shift+tab", "shift+tab", "enter")
        await pilot.pause()
        (command,) = client.commands
        assert isinstance(command, StartRun)
        assert command.task == "fix it"
        assert command.settings.mode is Mode.PARALLEL
        assert command.settings.max_concurrency == 6
        assert command.settings.budget == Budget(usd=Decimal("0.50"))
        assert command.settings.run_checks is False
        assert app.session == client.state
        await pilot.press("f2")
        assert text_of(pilot) == ""


async def test_a_refused_task_stays_in_the_composer() -> None:
    """The reason is shown, nothing that was typed is lost."""
    client = StubClient()
    client.refusal = CommandRefused("a run is going on: [/] stop it first")
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(notifications=True) as pilot:
        await pilot.press(*"task", "ctrl+s")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert text_of(pilot) == "task"
        assert app.current_mode == "home"
        assert "a run is going on: [/] stop it first" in shown(pilot, "Toast")


async def test_an_empty_task_does_not_start() -> None:
    """Blanks are not a task."""
    client = StubClient()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.press("space", "enter")
        await pilot.pause()
        assert client.commands == []


async def test_new_lines_by_key_and_by_backslash() -> None:
    """Where the terminal knows no shift+enter."""
    app = OrchestraApp(StubClient(), options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b", "backslash", "enter", "c")
        assert text_of(pilot) == "a\nb\nc"


async def test_pasted_text_is_never_parsed() -> None:
    """A newline starts nothing, an @ asks nothing, markup stays markup."""
    client = StubClient(answers={CompletePath: ("src/app.py",)})
    app = OrchestraApp(client, options=OPTIONS)
    hostile = "@src\n[@click=app.leave]x[/]\n/quit\n"
    async with app.run_test() as pilot:
        app.post_message(Paste(hostile))
        await pilot.pause()
        assert text_of(pilot) == hostile
        assert client.commands == []
        assert not any(isinstance(query, CompletePath) for query in client.queries)


async def test_a_slash_finds_a_command_and_is_text_elsewhere() -> None:
    """In the empty field only; a path in a task stays a path."""
    app = OrchestraApp(StubClient(), options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.press(*"fix /login")
        assert text_of(pilot) == "fix /login"
        app.screen.query_exactly_one(Composer).set_text("")
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert text_of(pilot) == ""


async def test_at_completes_a_path() -> None:
    """Arrows choose, tab takes, escape leaves the list and not the screen."""
    client = StubClient(answers={CompletePath: ("src/app.py", "src/apple.py")})
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.press(*"fix @ap")
        await pilot.pause()
        assert client.queries[-1] == CompletePath(text="ap", limit=20)
        choices = app.screen.query_one("#choices")
        assert choices.has_class("-open")
        await pilot.press("down", "tab")
        await pilot.pause()
        assert text_of(pilot) == "fix src/apple.py "
        assert not choices.has_class("-open")
        await pilot.press("@", "x")
        await pilot.pause()
        assert choices.has_class("-open")
        await pilot.press("escape")
        await pilot.pause()
        assert not choices.has_class("-open")
        assert client.commands == []


async def test_arrow_up_recalls_earlier_tasks_and_the_draft() -> None:
    """Newest first; down comes back to what was being typed."""
    client = StubClient(answers={ListSessions: SESSIONS})
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*"new", "up")
        await pilot.pause()
        assert text_of(pilot) == SESSIONS[0].title
        await pilot.press("up", "up", "up", "up")
        await pilot.pause()
        assert text_of(pilot) == SESSIONS[2].title
        await pilot.press("down", "down", "down")
        await pilot.pause()
        assert text_of(pilot) == "new"


async def test_a_draft_survives_a_crash(tmp_path: Path) -> None:
    """What was typed is there again in the next app; a started task is not."""
    project = PROJECT.model_copy(update={"state_folder": str(tmp_path)})
    first = OrchestraApp(StubClient(project=project), options=OPTIONS)
    async with first.run_test() as pilot:
        await pilot.press(*"half a task")
        await until(pilot, lambda: (tmp_path / "draft.txt").exists())
    client = StubClient(project=project, on_command=starting)
    second = OrchestraApp(client, options=OPTIONS)
    async with second.run_test() as pilot:
        await until(pilot, lambda: text_of(pilot) == "half a task")
        await pilot.press("enter")
        await until(pilot, lambda: not (tmp_path / "draft.txt").exists())
    assert [type(command) for command in client.commands] == [StartRun]


async def test_the_last_words_before_leaving_are_kept(tmp_path: Path) -> None:
    """Whoever types and quits at once finds his task again."""
    project = PROJECT.model_copy(update={"state_folder": str(tmp_path)})
    app = OrchestraApp(StubClient(project=project), options=OPTIONS)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.project is not None)
        await pilot.press(*"half a task", "ctrl+q")
    assert (tmp_path / "draft.txt").read_text(encoding="utf-8") == "half a task"


async def test_enter_on_an_interrupted_session_resumes_it() -> None:
    """And lands where it stands."""
    client = StubClient(answers={ListSessions: SESSIONS})

    def opening(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
        return proposed()

    client.on_command = opening
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.screen.query_one("#recent").focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert client.commands == [OpenSession(session=SESSIONS[1].id, resume=True)]
        assert app.current_mode == "plan"


async def test_the_rehearsal_explains_itself() -> None:
    """One line, the folder it writes in, three tasks to try; the label is in the frame."""
    client = StubClient(project=REHEARSAL_PROJECT)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        note = shown(pilot, "#rehearsal-note")
        assert "no AI" in note
        assert REHEARSAL_PROJECT.root in note
        examples = app.screen.query_one("#examples", RowList)
        examples.focus()
        await until(pilot, lambda: examples.has_focus and examples.highlighted == 0)
        await pilot.press("down", "enter")
        await until(pilot, lambda: text_of(pilot) == EXAMPLES[1])


@pytest.mark.parametrize("has_run", [True, False])
async def test_a_session_goes_on_or_is_left(has_run: bool) -> None:
    """The next task belongs to the open session until the user leaves it."""
    client = StubClient()
    if has_run:
        client.emit(*proposed())
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        assert (TASK in shown(pilot, "#question")) is has_run
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert client.commands == ([NewSession()] if has_run else [])
