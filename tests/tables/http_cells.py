"""The HTTP adapters, asked through a socket of this machine in every case."""

import asyncio
import json
from collections.abc import Mapping

from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.engine.adapter_wires import adapter_for, question
from tests.stubs import client_dialects, dialects
from tests.stubs.client_dialects import ToolCall
from tests.stubs.dialects import WireDialect
from tests.stubs.openai_server import cut_after, raw, stall_after
from tests.tables.cases import Outcome, outcome_of

KINDS = tuple(dialect.kind for dialect in dialects.ALL)
SHORT, LONG = 0.3, 20.0
HALF = "This is one half of an answer"
NOWHERE = "http://127.0.0.1:9/v1"
_DIALECTS = {dialect.kind: dialect for dialect in dialects.ALL}
_WIRE = {"openai_compatible": "chat", "glm": "chat"}
_MONEY = {"gemini": "status", "anthropic": "type"}
_DATE = {"date": "Mon, 23 Nov 2026 11:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 11:00:03 GMT"}
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "429": {"retry-after": "1"},
    "429-date": _DATE,
    "429-ms": {"retry-after-ms": "1500"},
    "429-bare": {},
    "429-long": {"retry-after": "3600"},
    "429-absurd": {"retry-after": "99999999"},
}


async def ask(kind: str, case: str) -> Outcome:
    """What this adapter makes of this case. Raises KeyError for a case nobody wrote."""
    dialect = _DIALECTS[kind]
    address = {"base_url": NOWHERE} if case == "down" else {}
    async with adapter_for(dialect, _app(dialect, case), **address) as (adapter, server):
        request = question(
            first_byte=SHORT if case == "hang" else LONG,
            idle=SHORT if case == "hang-stream" else LONG,
        )
        begun = asyncio.Event()
        call = asyncio.create_task(adapter.execute(request, lambda _: begun.set()))
        if case == "cancel":
            await begun.wait()
            call.cancel()
        outcome = await outcome_of(call)
        if case == "cancel":
            await asyncio.wait_for(server.client_left.wait(), 5)
        return outcome


def _app(dialect: WireDialect, case: str) -> App:
    half = (dialect.begin, dialect.said(HALF))
    if case in _HEADERS:
        return dialect.refusal(429, _HEADERS[case])
    apps: dict[str, App] = {
        "plain": dialect.answer(HALF, " and the other."),
        "edit-refused": _edit(dialect),
        "429-text": dialect.refusal(429, **_worded(dialect)),
        "429-quota": dialect.refusal(
            429, **{_MONEY.get(dialect.kind, "code"): "insufficient_quota"}
        ),
        "500": dialect.refusal(500),
        "401": dialect.refusal(401),
        "down": _mute,
        "cut": cut_after(*half),
        "malformed": raw(*half, b'data: {"half": "of an eve\n\n'),
        "empty": dialect.answer(),
        "length": dialect.answer(HALF, finish="length"),
        "hang": _mute,
        "hang-stream": stall_after(*half),
        "cancel": stall_after(*half),
    }
    return apps[case]


def _edit(dialect: WireDialect) -> App:
    """The model calls a tool that writes, which was not offered."""
    call = ToolCall("write_file", {"file_path": "hello.txt", "content": "hello\n"})
    answer = client_dialects.Answer(call=call)
    events = client_dialects.events(_WIRE.get(dialect.kind, dialect.kind), {}, answer)
    named = ((f"event: {name}\n" if name else "", json.dumps(data)) for name, data in events)
    return raw(*(f"{name}data: {data}\n\n".encode() for name, data in named))


def _worded(dialect: WireDialect) -> dict[str, object]:
    if dialect.kind != "gemini":
        return {"message": "Rate limit reached. Please try again in 20s."}
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    return {"details": [{"@type": kind, "retryDelay": "20s"}]}


async def _mute(_request: AppRequest, _reply: Reply) -> None:
    await asyncio.Event().wait()
