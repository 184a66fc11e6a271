"""What an agent's session is opened with, as the configuration and the preset decided it."""

from dataclasses import dataclass

from orchestra_tui.domain.settings import AcpAgent, Permission


@dataclass(frozen=True)
class Terms:
    """What a session is opened with. `agent` is the one that it is, if that is known.

    `mode` and `model` are chosen where the agent offers them; one of `required` ("mode", "model")
    that is not offered is an error.
    """

    mode: str = ""
    model: str = ""
    required: frozenset[str] = frozenset()
    allow: frozenset[Permission] = frozenset()
    agent: AcpAgent | None = None
