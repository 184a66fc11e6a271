"""What the doctor speaks of: a thing that was looked for, what it could become, what a test said.

The rule a reader must not break: of a key only the name of its variable and its length are ever
here, and an offer is only an offer. Nothing uses one before the user has taken it.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.settings import AdapterSettings

ProbeState = Literal["looking", "found", "missing", "broken", "foreign", "silent"]
"""`foreign`: something else answers there. `silent`: it did not answer in time."""
ENVIRONMENT_ADAPTER = "environment"
"""The adapter that ORCHESTRA_BASE_URL makes. It is in no file, so no saved chain may name it."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Offer(_Value):
    """An adapter that could be configured: its name, and the fields to write under it."""

    name: str
    fields: dict[str, str]
    is_free: bool = False
    """A call costs nothing."""

    def settings(self) -> AdapterSettings:
        """The entry as the configuration would read it."""
        return AdapterSettings.model_validate({"name": self.name, **self.fields})

    def renamed(self, name: str) -> "Offer":
        """The same under another name."""
        return self.model_copy(update={"name": name})


class DoctorLine(_Value):
    """One thing that could work here, and how it was found."""

    name: str
    state: ProbeState
    detail: str
    is_usable: bool = False
    """It is configured, and nothing stands against using it."""
    key: str = ""
    """Which probe this is: its place in the list, and what to ask for again."""
    adapter: str = ""
    """The configured adapter that this line is about."""
    offer: Offer | None = None
    """What the user could take; None if there is nothing to take, or not yet."""
    is_free: bool = False
    """Asking it costs nothing."""
    key_variable: str = ""
    """The variable that a pasted key is kept for, in place of one that is kept; empty if none is
    wanted, or the environment has it and goes first."""
    is_minor: bool = False
    """Not worth a line while it is missing."""

    @property
    def can_be_tried(self) -> bool:
        """There is something that could answer a prompt."""
        return self.offer is not None or (bool(self.adapter) and self.state in {"found", "silent"})


class LinkTrial(_Value):
    """How one tiny prompt to one adapter went. `error` is the kind of its error, empty if none."""

    seconds: float
    answer: str = ""
    error: str = ""
    detail: str = ""
    tokens: int | None = None
    cost: Cost | None = None
    """What it cost, which no budget counts; None is unknown."""


class Configuration(_Value):
    """What the user's file and the environment say of agents, without any secret."""

    place: str
    """The file, whether or not it is there."""
    adapters: tuple[AdapterSettings, ...] = ()
    chains: dict[Role, tuple[str, ...]] = {}
    """As written; a role that is absent uses all adapters in their order."""
    is_in_use: bool = True
    """These agents are asked; not so when the file was edited since it was read."""

    def is_named(self, name: str) -> bool:
        """There is an adapter of this name."""
        return any(adapter.name == name for adapter in self.adapters)
