"""How the recovery console looks in every state: look at the SVGs that change."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain.ports import GetReply, ValidateText
from orchestra_tui.screens.base import AppOptions
from tests.ui.recovery_samples import CUT, DAMAGED, attempting, recovered, troubled
from tests.ui.stub_client import StubClient
from tests.ui.test_recovery_hand import quiet
from tests.ui.waiting import until
from tests.ui.work_story import RecoveryApp

SnapCompare = Callable[..., bool]
SIZES = [(80, 24), (120, 40)]
WRITING = """=== FILE app/limits_store.py
class TokenBucket:
    rate: float

    def take(self, key: str) -> bool:
        return"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of the user's place: here always the same one."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def steps(*keys: str, stream: tuple[StubClient, str] | None = None) -> Callable[[Pilot[Any]], Any]:
    """Go to the console, press keys, let everything be drawn."""

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        await until(pilot, lambda: app.session is not None and app.project is not None)
        app.go("recovery")
        await quiet(pilot)
        if stream is not None:
            stream[0].stream(stream[1], 0, WRITING)
        for key in keys:
            await pilot.press(key)
            await quiet(pilot)
        if isinstance(dialog := app.screen, GuardedDialog):
            await until(pilot, lambda: dialog.is_open)
        for field in app.screen.query(TextArea):
            field.cursor_blink = False
        await quiet(pilot)
        await pilot.pause(0.3)

    return run


@pytest.mark.parametrize("size", SIZES)
def test_nothing_in_trouble(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What the screen is for."""
    assert snap_compare(RecoveryApp(StubClient()), terminal_size=size, run_before=steps())


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_an_attempt_runs(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """The Consultant writes while the damaged text can be read."""
    client, stream = attempting()
    before = steps(stream=(client, stream))
    assert snap_compare(RecoveryApp(client), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_recovered(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """It came through; what was wrong can still be read."""
    assert snap_compare(RecoveryApp(recovered()), terminal_size=size, run_before=steps())


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_a_decision_is_needed(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Nothing helped: the title, the choices, the attempts."""
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=steps())


def test_a_decision_in_ascii_and_light(snap_compare: SnapCompare) -> None:
    """Signs without Unicode, and the light theme."""
    app = RecoveryApp(troubled(), options=AppOptions(use_ascii=True, theme="orchestra-light"))
    assert snap_compare(app, terminal_size=(120, 40), run_before=steps())


@pytest.mark.parametrize("size", SIZES)
def test_a_conflict(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What the user wrote meanwhile, and what the plan was made against."""
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=steps("down"))


@pytest.mark.parametrize("size", SIZES)
def test_reverted(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """A file that went back."""
    before = steps("down", "down")
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_by_hand_with_findings(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """The editor, a finding at its line, what can be done with the text."""
    client = troubled()
    client.answers[ValidateText] = (CUT,)
    assert snap_compare(RecoveryApp(client), terminal_size=size, run_before=steps("t"))


@pytest.mark.parametrize("size", SIZES)
def test_accept_anyway(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """A reason is asked for."""
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=steps("A"))


@pytest.mark.parametrize("size", SIZES)
def test_another_attempt(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """A note, and who is asked."""
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=steps("c"))


@pytest.mark.parametrize("size", SIZES)
def test_revert_of_the_run(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What goes back is named."""
    assert snap_compare(RecoveryApp(troubled()), terminal_size=size, run_before=steps("X"))


@pytest.mark.parametrize("size", SIZES)
def test_an_attempt_opened(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What the agent answered."""
    client = troubled()
    client.answers[GetReply] = f"=== FILE app/limits_store.py\n{DAMAGED}"
    before = steps("enter", "enter")
    assert snap_compare(RecoveryApp(client), terminal_size=size, run_before=before)
