"""The rehearsal's server: OpenAI chat completions over the script, with its faults and pace.

The rule a reader must not break: it speaks the protocol a real server speaks, so that the adapter
in front of it needs no special case. Streams are byte-identical from run to run: no clock, no
randomness, no state.
"""

import asyncio
import json
import re
from dataclasses import dataclass

from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.rehearsal.context import Ask, read_ask
from orchestra_tui.engine.adapters.rehearsal.faults import (
    CutStream,
    EscapingPath,
    Fault,
    Garbage,
    Silence,
    TooManyRequests,
    Truncated,
    fault_for,
)
from orchestra_tui.engine.adapters.rehearsal.script import GARBAGE, Script
from orchestra_tui.engine.adapters.rehearsal.transport import AppRequest, ConnectionCut, Reply

MODEL = "rehearsal"
_TOKEN = re.compile(r"\s*[^\W_]{1,7}|\s*[\W_]{1,3}|\s+")
_BYTES_PER_TOKEN = 4
_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream"}


class RehearsalApp:
    """Answers `GET .../models` and `POST .../chat/completions`.

    `rate` is in simulated tokens a second and stream; None streams without pause.
    """

    def __init__(self, script: Script, scenario: Scenario, *, rate: float | None) -> None:
        self._script = script
        self._scenario = scenario
        self._rate = rate

    async def __call__(self, request: AppRequest, reply: Reply) -> None:
        """Serve one request."""
        route = (request.method, request.path.rpartition("/v1/")[2])
        match route:
            case ("GET", "models"):
                await _send_json(reply, 200, {"object": "list", "data": [{"id": MODEL}]})
            case ("POST", "chat/completions"):
                await self._complete(request, reply)
            case _:
                await _send_error(reply, 404, "there is nothing at this address")

    async def _complete(self, request: AppRequest, reply: Reply) -> None:
        try:
            body = json.loads(request.body)
            prompt = "\n".join(str(message["content"]) for message in body["messages"])
            ask = read_ask(request.headers, prompt)
        except (ValueError, KeyError, TypeError) as error:
            await _send_error(reply, 400, f"the request cannot be read: {error}")
            return
        fault = fault_for(self._scenario, ask, self._script.kind_of(ask))
        if isinstance(fault, TooManyRequests):
            headers = {"retry-after": str(fault.retry_after)}
            await _send_error(reply, 429, "rehearsed: too many requests", headers)
            return
        # The Auditor parses what it is shown, which may be long.
        told = await asyncio.to_thread(_told, self._script, ask, fault)
        await self._stream(reply, prompt, told)

    async def _stream(self, reply: Reply, prompt: str, told: "_Told") -> None:
        await reply.start(200, _EVENTS)
        await reply.send(_event({"role": "assistant", "content": ""}))
        begin = asyncio.get_running_loop().time()
        for number, token in enumerate(told.tokens, 1):
            await reply.send(_event({"content": token}))
            if self._rate is not None:
                due = begin + number / self._rate
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        if told.is_cut:
            raise ConnectionCut
        if told.is_silent:
            await asyncio.Event().wait()
        await reply.send(_event({}, finish=told.finish))
        await reply.send(_usage_event(prompt, len(told.tokens)))
        await reply.send(b"data: [DONE]\n\n")


@dataclass(frozen=True)
class _Told:
    """The tokens that are sent, and what follows the last of them."""

    tokens: list[str]
    finish: str = "stop"
    is_cut: bool = False
    is_silent: bool = False


def _told(script: Script, ask: Ask, fault: Fault | None) -> _Told:
    match fault:
        case Garbage():
            return _Told(_tokens(GARBAGE))
        case EscapingPath():
            return _Told(_tokens(script.answer(ask, is_escaping=True)))
        case Truncated(finish=finish, share=share):
            return _Told(_head(script.answer(ask), share), finish=finish)
        case CutStream(share=share):
            return _Told(_head(script.answer(ask), share), is_cut=True)
        case Silence(share=share):
            return _Told(_head(script.answer(ask), share), is_silent=True)
        case _:
            return _Told(_tokens(script.answer(ask)))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _head(text: str, share: float) -> list[str]:
    tokens = _tokens(text)
    return tokens[: int(len(tokens) * share)]


def _event(delta: dict[str, str], *, finish: str | None = None) -> bytes:
    return _data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _usage_event(prompt: str, sent: int) -> bytes:
    asked = (len(prompt.encode("utf-8", "replace")) + _BYTES_PER_TOKEN - 1) // _BYTES_PER_TOKEN
    usage = {"prompt_tokens": asked, "completion_tokens": sent, "total_tokens": asked + sent}
    return _data({"choices": [], "usage": usage})


def _data(fields: dict[str, object]) -> bytes:
    event = {"id": "rehearsal", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    return f"data: {json.dumps({**event, **fields})}\n\n".encode()


async def _send_json(
    reply: Reply, status: int, data: object, headers: dict[str, str] | None = None
) -> None:
    await reply.start(status, {**_JSON, **(headers or {})})
    await reply.send(json.dumps(data).encode())


async def _send_error(
    reply: Reply, status: int, message: str, headers: dict[str, str] | None = None
) -> None:
    await _send_json(reply, status, {"error": {"message": message}}, headers)
