"""A reply that is still coming in: what can be said of it already.

The rule a reader must not break: only what cannot become right any more is said. An open bracket,
a missing end, an unfinished line are no damage yet.
"""

import re

from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.validation.growing import Doubt, GrowingText

_OPENING = re.compile(r"=== FILE (?P<path>.+)")


class PartialReply:
    """One reply of `role`, seen again and again as it grows; `old` is its file before."""

    def __init__(self, role: Role, path: str | None, old: str | None) -> None:
        self._is_file = role in {Role.EXECUTOR, Role.CONSULTANT}
        self._growing = GrowingText(path, old) if self._is_file and path else None

    def look(self, text: str) -> Doubt | None:
        """The first thing that is wrong for good with the reply so far."""
        whole, newline, _ = text.replace("\r\n", "\n").rpartition("\n")
        lines = whole.lstrip("\n \t")
        if not newline or not lines.strip():
            return None
        if not self._is_file:
            is_object = lines.startswith(("{", "`"))
            return None if is_object else Doubt(None, "the reply does not begin with a JSON object")
        first, _, body = lines.partition("\n")
        if not first.startswith("==="):
            return Doubt(None, "the reply does not begin with its file")
        if self._growing is None or not _OPENING.fullmatch(first.rstrip()):
            return None
        return self._growing.look(f"{body}\n" if body else "")
