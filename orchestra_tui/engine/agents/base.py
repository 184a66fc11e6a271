"""What an agent is: it prepares a prompt for a job and reads the reply to it.

The rule a reader must not break: an agent calls no model, writes no file and keeps nothing
between two jobs; the orchestrator carries prompt and reply.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from orchestra_tui.domain.calls import ContextItem, FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters.base import Message

J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Prompt:
    """One question, and the account of what was sent with it and what was left out.

    `json_schema` is set when the reply is JSON, for providers that can be held to one.
    """

    messages: tuple[Message, ...]
    context_items: tuple[ContextItem, ...]
    json_schema: Mapping[str, object] | None = None


class Agent(Protocol[J_contra, R_co]):
    """One role of the run."""

    @property
    def role(self) -> Role:
        """Which role it plays."""
        ...

    async def prepare(self, job: J_contra) -> Prompt:
        """The prompt for a job, with what the project looks like now. Raises UsageError if a
        prompt file of the user cannot be read."""
        ...

    def parse(self, text: str, finish: FinishReason, job: J_contra) -> R_co:
        """The reply as a value. Raises ReplyRefused with a reason for the next prompt."""
        ...
