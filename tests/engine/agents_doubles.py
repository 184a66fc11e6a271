"""A project in memory behind the `ProjectView` port, which remembers what was read."""

from collections.abc import Iterable, Mapping

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.engine.agents.base import Prompt


class MemoryView:
    """Files by path; those of `ignored` are on disk but not in the listing."""

    def __init__(self, files: Mapping[str, str | None], ignored: Iterable[str] = ()) -> None:
        self._files = dict(files)
        self._ignored = set(ignored)
        self.was_read: list[str] = []

    async def listing(self) -> tuple[str, ...]:
        """Every file that is not ignored."""
        return tuple(sorted(set(self._files) - self._ignored))

    async def read(self, path: str) -> str | None:
        """The text; None stands for a binary file."""
        self.was_read.append(path)
        return self._files.get(path)


def step(name: str, path: str, *after: str, **fields: object) -> PlanStep:
    """A step with a purpose of its own."""
    known = {"purpose": f"Purpose of {name}.", "change": ChangeKind.MODIFY} | fields
    depends_on = tuple(StepId(one) for one in after)
    return PlanStep.model_validate({"id": name, "path": path, "depends_on": depends_on} | known)


def plan(*steps: PlanStep) -> Plan:
    """A plan of these steps."""
    return Plan(summary="The summary.", steps=steps, commit_message="feat: it")


def asked(prompt: Prompt) -> str:
    """The body of the request: what the user's message says."""
    system, user = prompt.messages
    assert (system.author, user.author) == ("system", "user")
    return user.text


def account(prompt: Prompt) -> dict[str, tuple[int, int]]:
    """Size and bytes sent of each context item."""
    return {item.what: (item.size, item.sent) for item in prompt.context_items}
