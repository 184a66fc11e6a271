"""The App: follows the engine, goes where something waits, never into somebody's typing."""

import subprocess
import sys

import pytest
from textual.widgets import OptionList

from orchestra_tui.app import EXIT_CRASHED, AppOptions, OrchestraApp, Reopen
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.commands import Command, OpenSession, StartRun
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import GetProject, ListSessions
from orchestra_tui.domain.state import SessionState
from orchestra_tui.palette import OrchestraCommands
from orchestra_tui.screens.sessions import SessionsScreen
from orchestra_tui.widgets.frame import FrameHeader
from orchestra_tui.widgets.session_table import SessionTable
from orchestra_tui.widgets.tabs import HEADER_TABS, Tab
from tests.ui.stories import PLAN, SESSIONS, TASK, approved, begun, executed, proposed
from tests.ui.stub_client import PROJECT, START, StubClient
from tests.ui.waiting import until

OPTIONS = AppOptions(clock=lambda: START)


async def test_app_starts_on_home_and_leaves_with_zero() -> None:
    """With nothing open, Home is first; ^q works in a text field too."""
    app = OrchestraApp(StubClient())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.project is not None and app.session is not None)
        assert app.current_mode == "home"
        await pilot.press("ctrl+q")
    assert app.return_code == 0


async def test_ctrl_c_says_how_to_leave_and_how_to_stop() -> None:
    app = OrchestraApp(StubClient())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.project is not None and app.session is not None)
        app.switch_mode("run")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert "^q leaves" in str(app.screen.query_one("Toast").render())
        assert app.is_running


async def test_the_app_goes_where_something_waits() -> None:
    """Plan, run, diff, each when its time has come; and the state is the engine's."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for events, place in (
            (begun(), "run"),
            ((proposed()[-1],), "plan"),
            ((approved(),), "run"),
            (tuple(e for s in PLAN.enabled_steps for e in executed(s.id)), "diff"),
        ):
            client.emit(*events)
            await until(pilot, lambda place=place: app.current_mode == place)
            assert app.session == client.state


async def test_typing_is_never_interrupted() -> None:
    """While a task is being typed the plan only marks its tab and the status line."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"next idea")
        client.emit(*proposed())
        await until(pilot, lambda: app.session == client.state)
        await pilot.pause()
        assert app.current_mode == "home"
        tab = app.screen.query_exactly_one(FrameHeader).query(".-waiting").first()
        assert "Plan" in str(tab.render())
        assert "plan waits for you" in str(app.screen.query_one("StatusLine").render())


@pytest.mark.parametrize("tab", HEADER_TABS, ids=lambda tab: tab.name)
async def test_every_tab_by_key_and_by_mouse(tab: Tab) -> None:
    """From a text field as well; escape leads back."""
    client = StubClient()
    app = OrchestraApp(client)
    place = HEADER_TABS.index(tab)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press(HEADER_TABS[place].key)
        await pilot.pause()
        assert app.current_mode == HEADER_TABS[place].name
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "home"
        await pilot.click(list(app.screen.query("ScreenTab"))[place])
        await pilot.pause()
        assert app.current_mode == HEADER_TABS[place].name


async def test_a_slow_screen_subscribes_again() -> None:
    """After Lagged the snapshot brings everything that was missed."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session is not None)
        client.emit(*begun())
        client.lag()
        await pilot.pause()
        client.emit(proposed()[-1])
        await until(pilot, lambda: app.session == client.state)
        assert app.current_mode == "plan"


async def test_records_of_another_session_change_nothing() -> None:
    """Late records of the session that was left are dropped, its streams too."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        client.emit(*proposed())
        client.stream("k", 0, "text")
        await until(pilot, lambda: app.streams.tail("k") == "text")
        old = client.state
        client.open(SessionState(id=SessionId("s2")))
        await until(pilot, lambda: app.session is not None and app.session.id == "s2")
        assert app.streams.tail("k") == ""
        client.state = old
        client.emit(approved())
        await pilot.pause()
        assert app.session is not None
        assert app.session.id == "s2"


async def test_help_explains_the_screen_in_front() -> None:
    """Its own keys with their meaning, from its bindings."""
    client = StubClient()
    client.emit(*proposed())
    app = OrchestraApp(client)
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(str(part.render()) for part in app.screen.query("PlainStatic"))
        assert "Plan: read, edit and approve the plan" in text
        assert "delete the step" in text
        assert "leave; what runs can be resumed" in text
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "plan"


async def test_the_palette_offers_no_approval() -> None:
    """Approvals are keys or buttons; other keys, screens and themes are there by name."""
    client = StubClient()
    client.emit(*proposed())
    app = OrchestraApp(client)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        provider = OrchestraCommands(app.screen)
        found = [hit.text or "" async for hit in provider.discover()]
        assert any(text.startswith("delete") for text in found)
        assert any(text.startswith("Sessions") for text in found)
        assert any("orchestra-light" in text for text in found)
        assert not any("approve" in text for text in found)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"theme orchestra-light")
        await until(pilot, lambda: app.screen.query_exactly_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.theme == "orchestra-light")


async def test_a_failing_query_is_said() -> None:
    """A journal that cannot be read is a notice, not the end."""
    client = StubClient(answers={GetProject: StorageError("the journal is damaged")})
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert "the journal is damaged" in str(app.screen.query("Toast").first().render())


async def test_start_at_once_submits_the_task() -> None:
    """`orchestra run TASK` on a terminal: the run starts, the plan still waits for the user."""

    def starting(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
        return proposed()

    client = StubClient(on_command=starting)
    app = OrchestraApp(client, options=AppOptions(initial_task=TASK, start_at_once=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        assert [type(command) for command in client.commands] == [StartRun]


async def test_sessions_filter_open_and_reopen() -> None:
    """Search as you type; another project's session ends the app with a wish."""
    client = StubClient(answers={ListSessions: SESSIONS})
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
        table = app.screen.query_exactly_one(SessionTable)
        await until(pilot, lambda: table.option_count == 3)
        await pilot.press("r")
        assert client.commands == [], "a finished session has nothing to resume"
        await pilot.press("down")
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause()
        assert client.commands == [OpenSession(session=SESSIONS[1].id, resume=True)]
        await pilot.press("f7")
        await pilot.pause()
        await pilot.press("slash", *"blog")
        await until(pilot, lambda: table.option_count == 1)
        await pilot.press("enter", "enter")
        await pilot.pause()
    assert app.return_value == Reopen(SESSIONS[2].root, SESSIONS[2].id, resume=False)
    assert SESSIONS[2].root != PROJECT.root


async def test_an_exception_ends_the_app_with_a_short_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No traceback with our variables on the terminal: it is in the log."""
    app = OrchestraApp(StubClient(), options=AppOptions(log_file="/tmp/o.log"))
    with pytest.raises(ZeroDivisionError):
        await fail_inside(app)
    assert app.return_code == EXIT_CRASHED
    assert "ZeroDivisionError" in caplog.text


async def fail_inside(app: OrchestraApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.call_later(lambda: 1 // 0)
        await pilot.pause()


def test_the_first_paint_needs_textual_and_the_domain_only() -> None:
    """What the engine needs is imported behind the first frame, not before it."""
    program = (
        "import sys, orchestra_tui.app; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "textual" in loaded
    # (tree_sitter itself comes with the text field of textual, its languages do not.)
    heavy = {"httpx", "aiosqlite", "pygit2", "watchdog", "markdown_it", "pathspec"}
    heavy |= {"tree_sitter_language_pack", "pygments"}
    assert loaded & heavy == set()


async def test_the_cursor_stays_on_its_session_when_the_list_moves() -> None:
    """A session that began meanwhile stands on top; what is opened is still the one chosen."""
    client = StubClient(answers={ListSessions: SESSIONS})
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
        table = app.screen.query_exactly_one(SessionTable)
        await until(pilot, lambda: table.option_count == 3)
        await pilot.press("down")
        newest = SESSIONS[0].model_copy(update={"id": SessionId("z9"), "title": "A new one"})
        client.answers[ListSessions] = (newest, *SESSIONS)
        await pilot.press("f8", "f7")
        await until(pilot, lambda: table.option_count == 4)
        assert table.selected == SESSIONS[1]
        await pilot.press("r")
        await pilot.pause()
        assert client.commands == [OpenSession(session=SESSIONS[1].id, resume=True)]
