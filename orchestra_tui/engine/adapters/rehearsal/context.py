"""What the script is told beside the prompt, in the header `x-orchestra-context`.

The rule a reader must not break: an answer depends on the request alone. Which try it is comes
from the call's structural key (`r1/s2/execute/<attempt>/call/<n>`), never from a counter in the
provider, so a run that was killed and resumed meets the same script. Prompts stay free text that
users may edit; only the blocks `=== FILE path` to `=== END FILE` are read from them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters.base import CompletionRequest

HEADER = "x-orchestra-context"
_KEY = re.compile(r"(?P<verb>[a-z_]+)/(?P<attempt>\d+)/call/(?P<call>\d+)$")
_FILE_LINE = "=== FILE "
_END_LINE = "=== END FILE"


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
        """True for the first call of the first attempt."""
        return self.attempt == 1 and self.call == 1

    def shown_file(self) -> str | None:
        """The text of the file that the question is about, as the prompt shows it."""
        return shown_files(self.prompt).get(self.path or "")

    def names(self, path: str) -> bool:
        """True if a line of the prompt is this path, as in a tree listing."""
        line = rf"^[\s*-]*{re.escape(path)}(?:\s|$)"
        return re.search(line, self.prompt, re.MULTILINE) is not None


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


def shown_files(prompt: str) -> dict[str, str]:
    """Every file shown in the prompt by its path; the first block of a path wins."""
    found: dict[str, str] = {}
    path: str | None = None
    lines: list[str] = []
    for line in prompt.split("\n"):
        if path is None and line.startswith(_FILE_LINE):
            path, lines = line.removeprefix(_FILE_LINE).strip(), []
        elif path is not None and line.rstrip() == _END_LINE:
            found.setdefault(path, "".join(f"{text}\n" for text in lines))
            path = None
        elif path is not None:
            lines.append(line)
    return found
