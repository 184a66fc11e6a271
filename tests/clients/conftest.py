"""The seconds of the cases in docs/adapters.md, kept when the whole run passed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version as version_of

import pytest

from tests.clients.programs import KINDS, version
from tests.tables.cases import BY_KEY
from tests.tables.seconds import recorded

BY_NAME = {**{kind: kind for kind in KINDS}, "acp gemini": "gemini_cli"}
"""The program behind a name of the tables; the others have none."""


@pytest.fixture(scope="session")
def stopwatch(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, float]]]:
    """Seconds by adapter and case; what is in it at the end is written down."""
    measured: dict[str, dict[str, float]] = {}
    yield measured
    if request.session.testsfailed:
        return
    kept = recorded()
    for name, took in measured.items():
        program = version(BY_NAME[name]) if name in BY_NAME else f"httpx {version_of('httpx')}"
        seconds = {case: took[case] for case in took if case in BY_KEY}
        today = datetime.now(UTC).date().isoformat()
        kept.put(name, version=program, date=today, seconds=seconds)
