"""How Home, Plan, Sessions and the dialogs look, fed with values; look at the SVGs that change."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from orchestra_tui.app import AppOptions, OrchestraApp
from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain.ports import ListSessions
from tests.ui.stories import PLAN, SESSIONS, begun, proposed, step, waiting_client
from tests.ui.stub_client import REHEARSAL_PROJECT, START, StubClient
from tests.ui.waiting import until

SnapCompare = Callable[..., bool]
OPTIONS = AppOptions(clock=lambda: START)
SMALL, WIDE, HUGE = (80, 24), (120, 40), (200, 60)
BROKEN = PLAN.model_copy(
    update={"steps": (*PLAN.steps[:3], step("s6", "../sign_in.py", "create", ("s9",)))}
)


def steps(*keys: str, place: str = "") -> Callable[[Pilot[Any]], Any]:
    """Go to `place` (or wait for it), press keys, let blinking cursors rest."""

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        await until(pilot, lambda: app.project is not None)
        if place:
            await until(pilot, lambda: app.current_mode == place)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if isinstance(dialog := app.screen, GuardedDialog):
            await until(pilot, lambda: dialog.is_open)
        for kind in (TextArea, Input):
            for field in app.screen.query(kind):
                field.cursor_blink = False
        await pilot.pause()

    return run


def home(*, is_rehearsal: bool = False, options: AppOptions = OPTIONS) -> OrchestraApp:
    answers = {ListSessions: SESSIONS}
    if is_rehearsal:
        return OrchestraApp(StubClient(project=REHEARSAL_PROJECT, answers=answers), options=options)
    return OrchestraApp(StubClient(answers=answers), options=options)


@pytest.mark.parametrize("size", [SMALL, WIDE, HUGE])
def test_home(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What is configured, what was done, one thing to go on with."""
    assert snap_compare(home(), terminal_size=size, run_before=steps())


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_home_in_rehearsal(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """The label, one line that explains it, three tasks."""
    assert snap_compare(home(is_rehearsal=True), terminal_size=size, run_before=steps())


@pytest.mark.parametrize("theme", ["orchestra-light", "orchestra-high-contrast"])
def test_home_in_other_themes(snap_compare: SnapCompare, theme: str) -> None:
    """Readable in each."""
    app = home(options=AppOptions(clock=lambda: START, theme=theme))
    assert snap_compare(app, terminal_size=WIDE, run_before=steps(*"fix"))


def test_home_without_colour(snap_compare: SnapCompare, no_color: None) -> None:
    """NO_COLOR: signs and weight carry the meaning."""
    assert snap_compare(home(is_rehearsal=True), terminal_size=SMALL, run_before=steps())


@pytest.fixture
def no_color() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_COLOR", "1")
        yield


@pytest.mark.parametrize("size", [SMALL, WIDE, HUGE])
def test_plan(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Steps, the form beside them where there is room, the order below."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("down", place="plan"))


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_plan_while_editing(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """In 80 columns the form takes the place of the table."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("down", "e", place="plan"))


def test_plan_with_problems(snap_compare: SnapCompare) -> None:
    """What blocks approval is marked in the table and said below."""
    app = OrchestraApp(waiting_client(BROKEN), options=OPTIONS)
    assert snap_compare(app, terminal_size=WIDE, run_before=steps("end", place="plan"))


def test_plan_in_ascii(snap_compare: SnapCompare) -> None:
    """Signs that every terminal has."""
    options = AppOptions(clock=lambda: START, use_ascii=True)
    app = OrchestraApp(waiting_client(is_rehearsal=True), options=options)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps(place="plan"))


def test_plan_before_there_is_one(snap_compare: SnapCompare) -> None:
    """The Architect is at work."""
    client = StubClient()
    client.emit(*begun())
    app = OrchestraApp(client, options=OPTIONS)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps("f3", place="run"))


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_approve_dialog(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Mode, agents at once, a last note."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("a", place="plan"))


def test_reject_dialog(snap_compare: SnapCompare) -> None:
    """What is wrong with the plan."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps("x", *"big", place="plan"))


def test_markdown_preview(snap_compare: SnapCompare) -> None:
    """The plan as it stands in plan.md."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=WIDE, run_before=steps("m", place="plan"))


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_help(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """The keys of the screen in front."""
    app = OrchestraApp(waiting_client(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("f1", place="plan"))


@pytest.mark.parametrize("size", [SMALL, WIDE, HUGE])
def test_sessions(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """All projects; the one selected in facts."""
    client = StubClient(answers={ListSessions: SESSIONS})
    client.emit(*proposed())
    app = OrchestraApp(client, options=OPTIONS)
    keys = ("f7", "down", "down")
    assert snap_compare(app, terminal_size=size, run_before=steps(*keys, place="plan"))
