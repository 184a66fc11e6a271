"""Waiting for what happens in a thread or after a delay, without guessing how long it takes."""

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot


async def until(pilot: Pilot[Any], is_true: Callable[[], bool]) -> None:
    """Let the app work until the condition holds; the test's timeout ends the wait."""
    while not is_true():
        await pilot.pause(0.02)
