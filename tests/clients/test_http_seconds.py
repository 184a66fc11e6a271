"""What speaks HTTP itself, by the clock in the cases of docs/adapters.md: milliseconds."""

import tempfile
import time
from pathlib import Path

import pytest

from orchestra_tui.engine.adapters.local.models import END_WAIT
from tests.tables import http_cells, local_cells
from tests.tables.cases import BY_KEY

pytestmark = pytest.mark.clients
QUICK = 2.0


@pytest.mark.parametrize("kind", http_cells.KINDS)
async def test_every_case_is_over_at_once(
    kind: str, stopwatch: dict[str, dict[str, float]]
) -> None:
    took = stopwatch.setdefault(kind, {})
    for case in BY_KEY:
        began = time.monotonic()
        await http_cells.ask(kind, case)
        took[case] = time.monotonic() - began
        assert took[case] < QUICK


async def test_a_model_of_this_machine_is_over_at_once(
    tmp_path: Path, stopwatch: dict[str, dict[str, float]]
) -> None:
    """Its child is a stand-in that loads nothing."""
    took = stopwatch.setdefault(local_cells.KIND, {})
    for case in BY_KEY:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            if await local_cells.ask(case, Path(folder)):
                took[case] = time.monotonic() - began
                assert took[case] < QUICK + END_WAIT
