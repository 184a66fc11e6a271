"""Waits in words."""

import pytest

from orchestra_tui.domain.durations import seconds_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.4999, "0.5 s"),
        (1.992, "2 s"),
        (9.95, "10 s"),
        (59.6, "60 s"),
        (119.9, "120 s"),
        (600.0, "10 min"),
        (7200.0, "2 h"),
        (86_400.0, "24 h"),
    ],
)
def test_one_number_with_its_unit(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
