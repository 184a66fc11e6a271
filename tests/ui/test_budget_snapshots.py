"""How a reached budget and the figures look: look at the SVGs that change."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain.metrics import metrics_of
from orchestra_tui.domain.ports import GetProject
from orchestra_tui.screens.base import AppOptions
from orchestra_tui.widgets.metric_words import Tile, tiles
from tests.ui.budget_story import spending, stopped
from tests.ui.stub_client import REHEARSAL_PROJECT, START, StubClient
from tests.ui.waiting import until
from tests.ui.work_story import WorkApp

SnapCompare = Callable[..., bool]
SIZES = [(80, 24), (120, 40)]


def app_of(client: StubClient, *, use_ascii: bool = False) -> WorkApp:
    return WorkApp(client, options=AppOptions(clock=lambda: START, use_ascii=use_ascii))


def steps(*keys: str) -> Callable[[Pilot[Any]], Any]:
    """Wait for the session, press keys, let everything be drawn."""

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        await until(pilot, lambda: app.session is not None and app.project is not None)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if isinstance(dialog := app.screen, GuardedDialog):
            await until(pilot, lambda: dialog.is_open)
            for field in dialog.query(Input):
                field.cursor_blink = False
        await pilot.pause(0.3)

    return run


@pytest.mark.parametrize("size", SIZES)
def test_budget_reached(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """The bar, the badge, the status line."""
    assert snap_compare(app_of(stopped()[0]), terminal_size=size, run_before=steps())


@pytest.mark.parametrize("size", SIZES)
def test_budget_dialog(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Why, what was used, the limits."""
    assert snap_compare(app_of(stopped()[0]), terminal_size=size, run_before=steps("b"))


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_metrics(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Large numbers, bars, the table."""
    assert snap_compare(app_of(spending()[0]), terminal_size=size, run_before=steps("f8"))


def test_metrics_of_a_rehearsal_in_ascii(snap_compare: SnapCompare) -> None:
    """Simulated, and without line drawing."""
    client, _ = spending(is_rehearsal=True)
    client.answers[GetProject] = REHEARSAL_PROJECT
    app = app_of(client, use_ascii=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=steps("f8"))


def test_every_tile_fits_80_columns() -> None:
    """A number too large for its tile would be cut in the middle."""
    for client in (spending()[0], stopped()[0], spending(is_rehearsal=True)[0]):
        for tile in tiles(metrics_of([client.state])):
            assert isinstance(tile, Tile)
            assert len(tile.value) * 3 <= 19
