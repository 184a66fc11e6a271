"""The HTTP adapters in the cases of docs/adapters.md, by the clock: these are milliseconds."""

import time

import pytest

from tests.tables import http_cells
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
