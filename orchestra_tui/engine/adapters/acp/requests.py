"""What an agent asks of us: permission, and files of its copy through our hands.

The rule a reader must not break: every path is judged twice, by the policy from its name and by
the copy on the disk. A refusal is an answer to the agent and a line in the pane, never a crash.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from acp.exceptions import RequestError
from acp.meta import CLIENT_METHODS
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    ReadTextFileResponse,
    RequestPermissionResponse,
    WriteTextFileResponse,
)
from pydantic import BaseModel

from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.acp.policy import (
    Policy,
    Wish,
    decide,
    inside,
    objection,
    wish_of,
)
from orchestra_tui.engine.adapters.acp.reader import AcpReader
from orchestra_tui.engine.adapters.process.events import Event, items, text_at
from orchestra_tui.engine.adapters.process.talk import Turn, hear_event

_MAX_TITLE = 120
_Result = TypeVar("_Result")


class Requests:
    """Answers the agent of one turn; the package's `MethodHandler`."""

    def __init__(self, turn: Turn, reader: AcpReader, policy: Policy) -> None:
        self._turn = turn
        self._reader = reader
        self._policy = policy
        self._writing = asyncio.Lock()
        self._answers: Mapping[str, Callable[[Event], Awaitable[BaseModel]]] = {
            CLIENT_METHODS["session_request_permission"]: self._permission,
            CLIENT_METHODS["fs_read_text_file"]: self._read,
            CLIENT_METHODS["fs_write_text_file"]: self._write,
        }

    async def __call__(
        self, method: str, params: object, is_notification: bool
    ) -> BaseModel | None:
        """One message of the agent. Raises RequestError for what is refused or not offered."""
        told = params if isinstance(params, Mapping) else {}
        if is_notification:
            hear_event(self._turn, {"method": method, "params": told})
            if self._reader.hopeless() or self._reader.failure:
                self._turn.run.let_go()
            return None
        answer = self._answers.get(method)
        if answer is None:
            raise RequestError.method_not_found(method)
        self._turn.clock.progress()
        return await answer(told)

    async def settled(self) -> None:
        """Until no file is being written."""
        async with self._writing:
            return

    async def _permission(self, params: Event) -> BaseModel:
        asked = params.get("toolCall")
        call = self._reader.call(asked if isinstance(asked, Mapping) else {})
        self._show(self._reader.changes(call))
        wish = wish_of(call)
        decision = decide(wish, items(params.get("options")), self._policy)
        self._tell(wish, decision.why)
        if decision.option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        outcome = AllowedOutcome(outcome="selected", option_id=decision.option)
        return RequestPermissionResponse(outcome=outcome)

    async def _read(self, params: Event) -> BaseModel:
        path = self._allowed("read", params)
        data = await _on_disk(lambda: self._turn.copy.read(path))
        try:
            # gemini fails on the proper error for a file that is not there yet (observed).
            text = (data or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise RequestError.internal_error({"details": f"{path} is not UTF-8"}) from None
        return ReadTextFileResponse(content=_part(text, params.get("line"), params.get("limit")))

    async def _write(self, params: Event) -> BaseModel:
        path = self._allowed("edit", params)
        text = text_at(params, "content")
        async with self._writing:
            before = await _on_disk(lambda: self._turn.copy.read(path)) or b""
            data = text.encode("utf-8", "replace")
            await _on_disk(lambda: self._turn.copy.write(path, data))
        self._show(self._reader.change(path, before.decode("utf-8", "replace"), text))
        return WriteTextFileResponse()

    def _allowed(self, kind: str, params: Event) -> str:
        """The path below the copy. Raises RequestError."""
        wish = Wish(title=f"{kind} {text_at(params, 'path')}", kind=kind, paths=_paths(params))
        path = inside(self._policy.root, text_at(params, "path"))
        why = objection(wish, self._policy) or ("" if path else "it is no file of its copy")
        if path is None or why:
            self._tell(wish, why)
            raise RequestError.invalid_params({"details": f"refused: {why}"})
        return path

    def _tell(self, wish: Wish, why: str) -> None:
        """One line about a decision."""
        title = clean_line(wish.title.replace(f"{self._policy.root}/", ""))[:_MAX_TITLE]
        if why:
            self._reader.refused.append(f"{title}: {why}")
        self._show(f"\n[refused: {title}: {why}]\n" if why else f"\n[allowed: {title}]\n")

    def _show(self, text: str) -> None:
        if text:
            self._turn.show(text)


async def _on_disk(act: Callable[[], _Result]) -> _Result:
    try:
        return await asyncio.to_thread(act)
    except OSError as error:
        raise RequestError.internal_error({"details": str(error)}) from None


def _paths(params: Event) -> tuple[str, ...]:
    path = text_at(params, "path")
    return (path,) if path else ()


def _part(text: str, first: object, count: object) -> str:
    """The lines that are asked for; counted from 1."""
    if not isinstance(first, int) and not isinstance(count, int):
        return text
    lines = text.splitlines(keepends=True)
    start = max(first - 1, 0) if isinstance(first, int) else 0
    end = start + count if isinstance(count, int) else None
    return "".join(lines[start:end])
