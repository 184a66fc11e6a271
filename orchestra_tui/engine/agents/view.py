"""The port through which agents see the project; `engine.workspace.listing` implements it.

The rule a reader must not break: an agent reads nothing but through this view, and only paths
that `listing` names, so a file that git ignores never reaches a model.
"""

from typing import Protocol


class ProjectView(Protocol):
    """A read-only look at the project as it is on disk now."""

    async def listing(self) -> tuple[str, ...]:
        """Every file that may be shown, project-relative with `/`, sorted.

        Neither files that git ignores nor those whose names say that they hold secrets.
        """
        ...

    async def read(self, path: str) -> str | None:
        r"""The text of a file with `\n` line ends and without BOM.

        None if it is not there, may not be shown, is no regular file, or is not UTF-8 text.
        """
        ...
