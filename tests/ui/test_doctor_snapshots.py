"""Pictures of the doctor and of the editor of chains."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from orchestra_tui.app import AppOptions, OrchestraApp
from tests.ui.doctor_samples import LINES
from tests.ui.stub_client import REHEARSAL_PROJECT, START
from tests.ui.test_doctor_screen import client_of, opened
from tests.ui.waiting import until

SnapCompare = Callable[..., bool]
OPTIONS = AppOptions(clock=lambda: START)
SMALL, WIDE = (80, 24), (120, 40)


def steps(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: pilot.app.screen.is_current)
        await opened(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        guarded = pilot.app.screen.query("#yes")
        await until(pilot, lambda: not guarded or not guarded.first().disabled)
        await pilot.pause()

    return run


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_doctor_on_the_first_run(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What was found, in every state, and who would be asked."""
    app = OrchestraApp(client_of(project=REHEARSAL_PROJECT), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps())


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_doctor_with_details_of_a_tested_link(
    snap_compare: SnapCompare, size: tuple[int, int]
) -> None:
    """Under the list, with the answer in the line."""
    app = OrchestraApp(client_of(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("down", "down", "t", "enter"))


def test_doctor_with_nothing(snap_compare: SnapCompare) -> None:
    """Only the rehearsal, and what to do about it."""
    lines = tuple(line for line in LINES if line.offer is None)
    app = OrchestraApp(client_of(lines, project=REHEARSAL_PROJECT), options=OPTIONS)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps())


def test_doctor_in_ascii(snap_compare: SnapCompare) -> None:
    """Signs that every terminal has."""
    options = AppOptions(clock=lambda: START, use_ascii=True)
    app = OrchestraApp(client_of(), options=options)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps())


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_confirming_a_proposal(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What would be written, and where."""
    app = OrchestraApp(client_of(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("u"))


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_chain_editor(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """One role's chain, and what is not in it."""
    app = OrchestraApp(client_of(), options=OPTIONS)
    assert snap_compare(app, terminal_size=size, run_before=steps("e", "right", "down", "space"))


def test_pasting_a_key(snap_compare: SnapCompare) -> None:
    """Never what is pasted."""
    app = OrchestraApp(client_of(), options=OPTIONS)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps("down", "k", "x", "y"))
