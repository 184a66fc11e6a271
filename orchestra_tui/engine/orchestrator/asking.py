"""From an agent's prompt to a question for the chain of its role.

The rule a reader must not break: what the prompt was made of is named by content, so that a kept
answer is never given for a file that has changed since.
"""

import asyncio

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.calls import ContextItem
from orchestra_tui.domain.errors import FileAccessError, PathRefused
from orchestra_tui.domain.ids import BlobHash, Role
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.orchestrator.calls import Answer, Question
from orchestra_tui.engine.orchestrator.tools import Tools


async def ask(
    tools: Tools,
    activity: Activity,
    prompt: Prompt,
    *,
    role: Role,
    path: str | None = None,
    chain: tuple[str, ...] = (),
) -> Answer:
    """The reply to `prompt`; `chain` names adapters in place of the role's own.

    Raises AdapterError, UsageError when the named chain cannot be used.
    """
    files = None
    if tools.caller.cache is not None:
        files = await asyncio.to_thread(_files_in, tools, prompt.context_items)
    question = Question(
        role=role,
        path=path,
        task=tools.run(activity.run).task,
        messages=prompt.messages,
        context=prompt.context_items,
        json_schema=prompt.json_schema,
        chain=chain,
        files=files,
    )
    return await tools.caller.ask(activity, question)


def _files_in(tools: Tools, items: tuple[ContextItem, ...]) -> dict[str, BlobHash]:
    """The contents of the project's files among the items; labels such as `tree listing` are none.

    A listing is in the prompt as text, and so is every part of a file that was sent.
    """
    found = {}
    for item in items:
        try:
            content = tools.tree.read(item.what)
        except (PathRefused, FileAccessError):
            continue
        if content is not None:
            found[item.what] = content.hash
    return found
