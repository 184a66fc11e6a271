"""What the roles that look at the project share: how they see it, and where their prompts are.

The rule a reader must not break: a role adds no state of its own; see `base.Agent`.
"""

from orchestra_tui.engine.agents.context import Context, ContextLimits
from orchestra_tui.engine.agents.prompts import PromptLibrary
from orchestra_tui.engine.agents.view import ProjectView


class ProjectAgent:
    """An agent that reads the project through `view`, within `limits`."""

    def __init__(
        self, view: ProjectView, prompts: PromptLibrary, limits: ContextLimits | None = None
    ) -> None:
        self._view = view
        self._prompts = prompts
        self._limits = limits or ContextLimits()

    async def _open_context(self) -> Context:
        return await Context.open(self._view, self._limits)
