"""The JSON-RPC connection to one running agent; the only modules that load `acp` are those here.

The rule a reader must not break: nothing an agent sends may make the package's loops raise: they
would write a traceback through the root logger, onto the user's screen. So a message is put in
order here before the package sees it, and sending to an agent that is gone is no error.
"""

import json
from collections.abc import AsyncGenerator, Mapping

from acp.connection import Connection, MethodHandler
from acp.exceptions import RequestError
from pydantic import BaseModel

from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.process.talk import MAX_GARBAGE, Turn, event_of


class Gone(Exception):
    """The agent ended, or its output cannot be read on."""


class Pipe:
    """`acp`'s transport over a run below the warden, with the bounds of every client."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._lines: AsyncGenerator[bytes, None] = turn.run.lines()
        self._garbage = 0
        self.error: AdapterError | None = None
        """Why it stopped to read, if it was not the end."""

    async def send(self, message: dict[str, object]) -> None:
        """One message as one line."""
        await self._turn.run.tell(json.dumps(message).encode() + b"\n")

    async def receive(self) -> dict[str, object] | None:
        """The next message in order; None at the end or when it is no protocol."""
        try:
            async for line in self._lines:
                message = event_of(line)
                if message is not None and is_in_order(message):
                    return message
                self._garbage += bool(line.strip())
                if self._garbage > MAX_GARBAGE:
                    raise self._turn.no_events()
        except AdapterError as error:
            self.error = error
        return None

    async def close(self) -> None:
        """Nothing: the run is ended by whoever started it."""


class Wire:
    """Requests to the agent. Each raises RequestError for its refusal and Gone for its end."""

    def __init__(self, turn: Turn, handler: MethodHandler) -> None:
        self._pipe = Pipe(turn)
        self._connection = Connection(handler, self._pipe)

    async def ask(self, method: str, params: BaseModel) -> Mapping[str, object]:
        """One request and its result; an empty one for anything that is no object."""
        try:
            result = await self._connection.send_request(method, _plain(params))
        except ConnectionError as error:
            if self._pipe.error is not None:
                raise self._pipe.error from error
            raise Gone from error
        return result if isinstance(result, Mapping) else {}

    async def tell(self, method: str, params: BaseModel) -> None:
        """One notification; an agent that is gone needs none."""
        try:
            await self._connection.send_notification(method, _plain(params))
        except ConnectionError:
            return

    async def close(self) -> None:
        """Stop reading and answering."""
        await self._connection.close()


def is_in_order(message: Mapping[str, object]) -> bool:
    """True for what the package handles without a stumble: proper ids, methods and errors."""
    if not isinstance(message.get("id"), str | int | None):
        return False
    if "method" in message:
        return isinstance(message["method"], str)
    error = message.get("error")
    if error is None:
        return "id" in message
    return isinstance(error, Mapping) and isinstance(error.get("code", 0), int)


def refusal_of(error: RequestError) -> tuple[object, str, object]:
    """Code, message and data of an error answer."""
    return error.code, str(error), error.data


def _plain(params: BaseModel) -> dict[str, object]:
    return params.model_dump(mode="json", by_alias=True, exclude_none=True)
