"""All four agents as one scripted chat server, for a small job that meets every kind of change.

The rule a reader must not break: replies depend on the request alone, so a repeated request is a
repeated reply, whoever asks and however often.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from orchestra_tui.domain.prompt_blocks import read_file_block
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.stubs.openai_server import DONE, EVENTS, delta, usage

GOOD_CORE = '"""The core."""\n\n\ndef double(number: int) -> int:\n    return number * 2\n'
BAD_CORE = GOOD_CORE.replace("* 2", "* 3  # BUG")
README_BEFORE = "# Project\n\nIt does nothing yet.\n"
README_AFTER = "# Project\n\nIt doubles numbers.\n"
MOVED = "kept as it is\n"
GUIDE = "# Guide\n\nCall `double`.\n"
MAKEFILE = "test:\n\t@! grep -q BUG app/core.py\n"
BEFORE = {
    "README.md": README_BEFORE,
    "old_name.txt": MOVED,
    "gone.txt": "not needed\n",
    "Makefile": MAKEFILE,
    "untouched.txt": "the user's own\n",
}
AFTER = {
    "app/core.py": GOOD_CORE,
    "README.md": README_AFTER,
    "docs/guide.md": GUIDE,
    "new_name.txt": MOVED,
    "Makefile": MAKEFILE,
    "untouched.txt": "the user's own\n",
}
PLAN = {
    "summary": "Double numbers",
    "steps": [
        {"id": "s1", "path": "app/core.py", "change": "create", "purpose": "double a number"},
        {"id": "s2", "path": "README.md", "change": "modify", "purpose": "say what it does"},
        {
            "id": "s3",
            "path": "docs/guide.md",
            "change": "create",
            "purpose": "explain it",
            "depends_on": ["s1"],
        },
        {
            "id": "s4",
            "path": "new_name.txt",
            "from": "old_name.txt",
            "change": "rename",
            "purpose": "a better name",
        },
        {"id": "s5", "path": "gone.txt", "change": "delete", "purpose": "not needed any more"},
    ],
    "checks": [],
    "commit_message": "feat: double numbers",
    "end": True,
}
_STEP = re.compile(r"^(?:Your step|The step under review) is (\w+): (.+)\.$", re.MULTILINE)


def write_project(root: Path) -> None:
    """The project before the run, without its git repository."""
    for path, text in BEFORE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def answer(body: bytes) -> str:
    """The reply to a chat request for the job of this module."""
    step, prompt = question(body)
    if not step:
        return json.dumps(PLAN)
    if "The step under review" in prompt:
        return _verdict(prompt, step)
    is_fix = "The Auditor found issues" in prompt
    match step:
        case "s1":
            return whole_file("app/core.py", GOOD_CORE if is_fix else BAD_CORE)
        case "s2":
            search = "It does nothing yet.\n=======\nIt doubles numbers.\n>>>>>>> REPLACE\n"
            return f"=== EDIT README.md\n<<<<<<< SEARCH\n{search}=== END EDIT\n=== END REPLY\n"
        case "s3":
            return whole_file("docs/guide.md", GUIDE)
        case _:
            return "=== EDIT new_name.txt\n=== END EDIT\n=== END REPLY\n"


def question(body: bytes) -> tuple[str, str]:
    """Which step a request is about ("" for the plan), and its prompt."""
    prompt = str(json.loads(body)["messages"][-1]["content"])
    found = _STEP.search(prompt)
    return (found.group(1) if found else ""), prompt


def _verdict(prompt: str, step: str) -> str:
    text = read_file_block(prompt, "app/core.py") if step == "s1" else ""
    if text is None or "BUG" not in text:
        return json.dumps({"verdict": "pass", "issues": [], "end": True})
    issue = {"severity": "error", "line": 5, "message": "it triples", "suggestion": "use 2"}
    return json.dumps({"verdict": "issues", "issues": [issue], "end": True})


def whole_file(path: str, text: str) -> str:
    """An Executor's reply with a whole file."""
    return f"=== FILE {path}\n{text}=== END FILE\n=== END REPLY\n"


def scripted_agents(script: Callable[[bytes], str] = answer) -> App:
    """The server's app: streams what `script` answers in a few pieces, with usage."""

    async def app(request: AppRequest, reply: Reply) -> None:
        text = script(request.body)
        await reply.start(200, EVENTS)
        for at in range(0, len(text), 200):
            await reply.send(delta(text[at : at + 200]))
        await reply.send(delta(None, finish="stop"))
        await reply.send(usage(len(request.body) // 4, len(text) // 4))
        await reply.send(DONE)

    return app
