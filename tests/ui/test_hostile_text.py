"""Text from models, files and git on every screen: nothing a terminal or Textual would obey."""

import html
import re

import pytest
from textual.pilot import Pilot

from orchestra_tui.app import AppOptions, OrchestraApp, Reopen
from orchestra_tui.dialogs.approve import ApproveDialog
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.preview import PreviewDialog
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.plan_markdown import to_markdown
from orchestra_tui.domain.ports import ListSessions
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.widgets.composer import Composer
from orchestra_tui.widgets.tabs import TABS, Tab
from tests.ui.stories import RUN, step, summary
from tests.ui.stub_client import PROJECT, START, StubClient
from tests.ui.waiting import until

OSC = "\x1b]52;c;ZXZpbA==\x07"
HOSTILE = f"{OSC}\x9d52;c;eA==\x9c\x1b[2J\u202e\u2066[@click=app.leave]x[/][/]\x00\u200b[bold"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
PLAN = Plan(
    summary=HOSTILE,
    steps=(
        step("s1", f"a/{HOSTILE}.py", "create", purpose=HOSTILE, notes=HOSTILE),
        step("s2", "b.py", "rename", (), agents=(HOSTILE,), **{"from": HOSTILE}),
    ),
    checks=(HOSTILE,),
    commit_message=HOSTILE,
)


def hostile_client() -> StubClient:
    project = PROJECT.model_copy(
        update={
            "root": f"/tmp/{HOSTILE}",
            "branch": HOSTILE,
            "adapters": {"architect": HOSTILE},
            "checks": (HOSTILE,),
            "checks_why": HOSTILE,
            "warnings": (HOSTILE,),
        }
    )
    sessions = (summary("a", HOSTILE, root=HOSTILE), summary("b", HOSTILE))
    client = StubClient(project=project, answers={ListSessions: sessions})
    client.emit(
        ev.SessionStarted(title=HOSTILE, root=HOSTILE, provider=ProviderKind.REHEARSAL),
        ev.RunStarted(run=RUN, task=HOSTILE, settings=RunSettings()),
        ev.PlanProposed(run=RUN, activity=None, plan=PLAN),
    )
    return client


def assert_harmless(pilot: Pilot[Reopen]) -> None:
    """What is drawn holds the hostile text, and no character of it that acts."""
    drawn = html.unescape(pilot.app.export_screenshot())
    assert RAW.findall(drawn) == []
    assert "52;c;" in drawn


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab.name in {"home", "plan", "sessions"}])
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_screens_show_hostile_text_as_text(tab: Tab, size: tuple[int, int]) -> None:
    """Also in titles, tabs, borders, table cells and the status line."""
    app = OrchestraApp(hostile_client(), options=AppOptions(clock=lambda: START))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        await pilot.press(tab.key)
        await pilot.pause()
        assert_harmless(pilot)


async def test_dialogs_and_notices_show_hostile_text_as_text() -> None:
    """A question that holds a path or an error message."""
    app = OrchestraApp(hostile_client())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        for dialog in (
            ConfirmDialog("Revert?", HOSTILE),
            ApproveDialog(PLAN, RunSettings()),
            PreviewDialog(to_markdown(PLAN)),
        ):
            await app.push_screen(dialog)
            await pilot.pause()
            assert_harmless(pilot)
            await pilot.press("escape")
            await pilot.pause()
        app.say(HOSTILE, is_error=True)
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        await pilot.pause()
        assert_harmless(pilot)


async def test_a_pasted_escape_reaches_no_terminal() -> None:
    """The field keeps what was pasted; the last line of defence cleans what is drawn."""
    app = OrchestraApp(StubClient())
    async with app.run_test(size=(100, 30)) as pilot:
        app.screen.query_exactly_one(Composer).set_text(HOSTILE)
        await pilot.pause()
        assert app.screen.query_exactly_one(Composer).area.text == HOSTILE
        assert_harmless(pilot)


async def test_clicking_markup_in_foreign_text_does_nothing() -> None:
    """`[@click=app.leave]` in a plan is six words, not a button."""
    client = hostile_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        for x in range(0, 120, 3):
            await pilot.click(offset=(x, 2))
        await pilot.pause()
        assert app.is_running
        assert app.return_code is None
        assert client.commands == []
