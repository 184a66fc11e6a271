"""The scripted provider that stands in when nothing is configured: no AI, no network, no key.

The rule a reader must not break: it is reached only through the ordinary OpenAI-compatible
adapter, everything it writes says `REHEARSAL - no AI`, and it is never a link of a real chain.
"""

from orchestra_tui.engine.adapters.rehearsal.adapter import build_rehearsal

__all__ = ["build_rehearsal"]
