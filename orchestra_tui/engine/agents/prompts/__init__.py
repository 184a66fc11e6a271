"""The default prompts, one Markdown file per role, and the reply formats they end with.

The rule a reader must not break: a user may replace what a role is told, never the format of its
reply, because the parser does not change with it.
"""

from importlib import resources
from pathlib import Path

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role

MAX_PROMPT_BYTES = 100_000
_FORMATS = {
    Role.ARCHITECT: "format-plan",
    Role.EXECUTOR: "format-file",
    Role.AUDITOR: "format-audit",
    Role.CONSULTANT: "format-file",
}


class PromptLibrary:
    """The prompts in force: those of a folder of the user first, else the defaults."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` may hold `architect.md`, `executor.md`, `auditor.md`, `consultant.md`."""
        self._folder = folder

    def system(self, role: Role) -> str:
        """What the role is told, then the format of its reply; reads files, so call it in a
        thread. Raises UsageError if a file of the user cannot be used."""
        told = self._override(role) or _packaged(role.value)
        return f"{told.strip()}\n\n{_packaged(_FORMATS[role]).strip()}\n"

    def _override(self, role: Role) -> str | None:
        if self._folder is None:
            return None
        path = self._folder / f"{role.value}.md"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"the prompt {path} cannot be read: {error.strerror}") from error
        if len(data) > MAX_PROMPT_BYTES:
            raise UsageError(
                f"the prompt {path} is larger than {MAX_PROMPT_BYTES} bytes: shorten it"
            )
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"the prompt {path} is not UTF-8 text: save it as UTF-8") from error
        if not text.strip():
            raise UsageError(f"the prompt {path} is empty: write it, or delete the file")
        return text


def _packaged(name: str) -> str:
    return resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")
