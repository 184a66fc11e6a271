"""The seconds of the cases in docs/adapters.md, kept when the whole run passed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version as version_of

import pytest

from tests.clients.programs import KINDS, version
from tests.tables.cases import BY_KEY
from tests.tables.seconds import recorded


@pytest.fixture(scope="session")
def stopwatch(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, float]]]:
    """Seconds by adapter and case; what is in it at the end is written down."""
    measured: dict[str, dict[str, float]] = {}
    yield measured
    if request.session.testsfailed:
        return
    kept = recorded()
    for kind, took in measured.items():
        program = version(kind) if kind in KINDS else f"httpx {version_of('httpx')}"
        seconds = {case: took[case] for case in took if case in BY_KEY}
        today = datetime.now(UTC).date().isoformat()
        kept.put(kind, version=program, date=today, seconds=seconds)
