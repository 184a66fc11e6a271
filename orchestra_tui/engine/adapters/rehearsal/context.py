"""What the script is told beside the prompt, in the header `x-orchestra-context`.

The rule a reader must not break: an answer depends on the request alone. Which try it is comes
from the call's structural key (`r1/s2/execute/<attempt>/call/<n>`), never from a counter in the
provider, so a run that was killed and resumed meets the same script. Prompts stay free text that
users may edit; only the blocks of `domain.prompt_blocks` are read from them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.prompt_blocks import blocks, read_file_block
from orchestra_tui.engine.adapters.base import CompletionRequest

HEADER = "x-orchestra-context"
_KEY = re.compile(r"(?P<verb>[a-z_]+)/(?P<attempt>\d+)/call/(?P<call>\d+)$")


@dataclass(frozen=True)
class Ask:
    """One question to the script; `attempt` and `call` count from 1."""

    role: Role
    path: str | None
    task: str
    verb: str
    attempt: int
    call: int
    prompt: str

    @property
    def is_first(self) -> bool:
        """True for the first call of the first attempt; a recovery is never the first."""
        return self.attempt == 1 and self.call == 1 and self.verb != ActivityKind.RECOVER.value

    def shown_file(self) -> str | None:
        """The text of the file that the question is about, as the prompt shows it."""
        return read_file_block(self.prompt, self.path or "")

    @property
    def has_feedback(self) -> bool:
        """True if the prompt holds a user's objection to the last plan."""
        return any(kind == "FEEDBACK" for kind, _, _ in blocks(self.prompt))

    def lists(self, path: str) -> bool:
        """True if the tree listing in the prompt names this path."""
        listings = (text for kind, _, text in blocks(self.prompt) if kind == "LISTING")
        return any(path in listing.splitlines() for listing in listings)


def context_headers(request: CompletionRequest) -> dict[str, str]:
    """The header that only the rehearsal's adapter adds; ASCII, whatever the task holds."""
    context = {
        "key": request.key,
        "role": request.role,
        "path": request.path,
        "task": request.task,
    }
    return {HEADER: json.dumps(context)}


def read_ask(headers: Mapping[str, str], prompt: str) -> Ask:
    """The question behind a request. Raises ValueError if the header is missing or odd."""
    context = json.loads(headers.get(HEADER, "null"))
    if not isinstance(context, dict):
        raise ValueError(f"the header {HEADER} is missing")
    key = _KEY.search(str(context.get("key", "")))
    path = context.get("path")
    return Ask(
        role=Role(str(context.get("role"))),
        path=None if path is None else str(path),
        task=str(context.get("task", "")),
        verb=key["verb"] if key else "",
        attempt=int(key["attempt"]) if key else 1,
        call=int(key["call"]) if key else 1,
        prompt=prompt,
    )
