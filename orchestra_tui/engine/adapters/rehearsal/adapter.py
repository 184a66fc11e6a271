"""The rehearsal as an adapter: the ordinary one, over the in-process server.

The rule a reader must not break: nothing here answers by itself. What a rehearsal shows (streams,
retries, timeouts, refusals) must be the path that a real model takes.
"""

import math
from collections.abc import Mapping

from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.openai_compatible import OpenAICompatibleAdapter
from orchestra_tui.engine.adapters.rehearsal.app import MODEL, RehearsalApp
from orchestra_tui.engine.adapters.rehearsal.context import context_headers
from orchestra_tui.engine.adapters.rehearsal.recipe import LABEL, load_recipes
from orchestra_tui.engine.adapters.rehearsal.script import Script
from orchestra_tui.engine.adapters.rehearsal.transport import InProcessTransport

NAME = "rehearsal"
RATE_VARIABLE = "ORCHESTRA_REHEARSAL_RATE"
DEFAULT_RATE = 200.0
IDLE_TIMEOUT = 2.0
"""Seconds of silence before a rehearsed call is given up; a person is watching."""
MIN_RATE = 2.0


def build_rehearsal(
    scenario: Scenario, *, rate: float | None = DEFAULT_RATE
) -> OpenAICompatibleAdapter:
    """The scripted provider. `rate` is in tokens a second and stream; None never pauses.

    Reads the recipes from the package (a few small files).
    """
    app = RehearsalApp(Script(scenario, load_recipes()), scenario, rate=rate)
    return OpenAICompatibleAdapter(
        NAME,
        # Never resolved: the transport answers. `.invalid` cannot exist, should that ever break.
        "http://rehearsal.invalid/v1",
        MODEL,
        transport=InProcessTransport(app),
        request_headers=context_headers,
        kind=ProviderKind.REHEARSAL,
        provider=LABEL,
        idle_cap=IDLE_TIMEOUT,
    )


def rehearsal_rate(environ: Mapping[str, str]) -> float | None:
    """The pace that the environment asks for: tokens a second, or `max` for no pause.

    Raises UsageError if ORCHESTRA_REHEARSAL_RATE is neither.
    """
    text = environ.get(RATE_VARIABLE, "").strip()
    if not text:
        return DEFAULT_RATE
    if text == "max":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate) or rate < MIN_RATE:
        raise UsageError(
            f"{RATE_VARIABLE} is {text!r}: give tokens a second ({MIN_RATE:g} or more) or max"
        )
    return rate
