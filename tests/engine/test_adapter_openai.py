"""What the OpenAI-compatible adapter sends, and how it reads good answers in all their shapes."""

import asyncio
import logging
from dataclasses import replace

import pytest
from pydantic import SecretStr

from orchestra_tui.domain.calls import FinishReason, ProviderKind, Usage
from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    Completion,
    InvalidResponse,
    Message,
)
from orchestra_tui.engine.adapters.openai_compatible import OpenAICompatibleAdapter
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.engine.adapter_wires import Wire, both_wires, question
from tests.stubs.openai_server import (
    DONE,
    EVENTS,
    JSON,
    StubServer,
    chat,
    cut_after,
    delta,
    event,
    in_turn,
    raw,
    refusal,
    stall_after,
    usage,
)

KEY = "sk-very-secret-0123456789"


async def answer(wire: Wire, app: App) -> tuple[Completion, list[str]]:
    pieces: list[str] = []
    async with wire(app) as adapter:
        completion = await adapter.execute(question(idle=1.0), pieces.append)
    return completion, pieces


@both_wires
async def test_an_answer_arrives_in_pieces_and_whole(wire: Wire) -> None:
    completion, pieces = await answer(wire, chat("Hel", "lo ", "wörld 🎉"))
    assert completion.text == "Hello wörld 🎉"
    assert pieces == ["Hel", "lo ", "wörld 🎉"]
    assert completion.finish is FinishReason.STOP
    assert completion.usage == Usage(input_tokens=7, output_tokens=3)


@both_wires
async def test_a_piece_arrives_before_the_next_is_made(wire: Wire) -> None:
    """The app waits for the reader after each piece: a lump at the end would hang here."""
    seen: asyncio.Queue[str] = asyncio.Queue()
    trace: list[str] = []

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(200, EVENTS)
        for piece in ("a", "b", "c"):
            trace.append(f"made {piece}")
            await reply.send(delta(piece))
            trace.append(f"seen {await seen.get()}")
        await reply.send(delta(None, finish="stop") + DONE)

    async with wire(app) as adapter:
        await asyncio.wait_for(adapter.execute(question(), seen.put_nowait), 20)
    assert trace == ["made a", "seen a", "made b", "seen b", "made c", "seen c"]


@both_wires
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("model_length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL),
        ("because", FinishReason.UNKNOWN),
    ],
)
async def test_why_it_ended(wire: Wire, said: str, meant: FinishReason) -> None:
    completion, _ = await answer(wire, chat("text", finish=said))
    assert completion.finish is meant


@both_wires
@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        pytest.param((delta(None, content=None), delta("a")), "a", id="llama.cpp: null first"),
        pytest.param(
            (delta(None, content=[{"type": "thinking", "thinking": []}]),
             delta(None, content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
            "ab",
            id="Mistral: a list of parts",
        ),
        pytest.param((delta(None, reasoning_content="no"), delta("a")), "a", id="GLM: thoughts"),
        pytest.param((delta(None, reasoning="no"), delta("a")), "a", id="vLLM: thoughts"),
        pytest.param((b'data:{"choices":[{"delta":{"content":"a"}}]}\n\n',), "a", id="no space"),
        pytest.param((b": ping\r\n\r\n", delta("a").replace(b"\n", b"\r\n")), "a", id="CRLF"),
        pytest.param((b"event: x\nid: 1\n" + delta("a"),), "a", id="other fields"),
        pytest.param(
            (b'data: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\n',), "a", id="two lines"
        ),
        pytest.param((b"\xef\xbb\xbf" + delta("a"),), "a", id="BOM"),
        pytest.param((event({"choices": []}), event({"choices": None}), delta("a")), "a",
                     id="no choices"),
        pytest.param(tuple(bytes([byte]) for byte in delta("é🎉")), "é🎉", id="byte by byte"),
    ],
)  # fmt: skip
async def test_dialects(wire: Wire, pieces: tuple[bytes, ...], text: str) -> None:
    completion, _ = await answer(wire, raw(*pieces, delta(None, finish="stop"), DONE))
    assert completion.text == text


@both_wires
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(raw(delta("a"), delta(None, finish="stop")), id="no [DONE]"),
        pytest.param(raw(delta("a"), delta(None, finish="stop").rstrip()), id="no last blank line"),
        pytest.param(cut_after(delta("a"), delta(None, finish="stop")), id="hung up after reason"),
        pytest.param(stall_after(delta("a"), delta(None, finish="stop")), id="line kept open"),
        pytest.param(stall_after(delta("a", finish="stop"), DONE), id="open after [DONE]"),
    ],
)
async def test_an_answer_that_gave_its_reason_is_whole(wire: Wire, end: App) -> None:
    completion, _ = await answer(wire, end)
    assert (completion.text, completion.finish) == ("a", FinishReason.STOP)


@both_wires
async def test_done_without_a_reason_is_not_taken_for_a_stop(wire: Wire) -> None:
    completion, _ = await answer(wire, raw(delta("a"), DONE))
    assert completion.finish is FinishReason.UNKNOWN


@both_wires
async def test_usage_of_every_dialect(wire: Wire) -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    with_last = raw(delta("a", finish="stop"), usage(7, 5, **details), DONE)
    beside_reason = event(
        {
            "choices": [{"delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": True, "total_tokens": "9"},
        }
    )
    first, _ = await answer(wire, with_last)
    second, _ = await answer(wire, raw(delta("a"), beside_reason, DONE))
    third, _ = await answer(wire, raw(delta("a", finish="stop"), DONE))
    assert first.usage == Usage(
        input_tokens=7,
        output_tokens=5,
        cached_tokens=3,
        reasoning_tokens=2,
        cache_write_tokens=1,
    )
    assert second.usage == Usage(input_tokens=7)
    assert third.usage == Usage()


@both_wires
async def test_a_server_that_does_not_stream(wire: Wire) -> None:
    body = b'{\n "model": "m-2",\n "choices": [{"message": {"content": "all at once"},\n'
    body += b' "finish_reason": "stop"}],\n "usage": {"prompt_tokens": 1, "completion_tokens": 3}}'
    completion, pieces = await answer(wire, raw(body, headers=JSON))
    assert completion.text == "all at once"
    assert completion.model == "m-2"
    assert pieces == ["all at once"]


async def test_the_request_is_what_such_servers_expect() -> None:
    async with StubServer(chat("ok")) as server:
        adapter = OpenAICompatibleAdapter(
            "stub", f"{server.base_url}/", "glm-4.7", SecretStr(KEY), max_output_tokens=50
        )
        await adapter.execute(question(), lambda _: None)
        await adapter.close()
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert not any(name.startswith("x-orchestra") for name in request.headers)
    assert server.bodies == [
        {
            "model": "glm-4.7",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hello"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 50,
        }
    ]


@both_wires
async def test_a_character_that_a_server_split_in_two_is_joined(wire: Wire) -> None:
    app = raw(delta("a\ud83c"), delta("\udf89b", finish="stop"), DONE)
    completion, _ = await answer(wire, app)
    assert completion.text == "a🎉b"


@both_wires
async def test_half_a_character_is_invalid(wire: Wire) -> None:
    with pytest.raises(InvalidResponse):
        await answer(wire, chat("a\ud83c"))


async def test_a_prompt_with_half_a_character_can_be_sent() -> None:
    request = replace(question(), messages=(Message("user", "caf\udce9 é"),))
    async with StubServer(chat("ok")) as server:
        adapter = OpenAICompatibleAdapter("stub", server.base_url, "m")
        await adapter.execute(request, lambda _: None)
        await adapter.close()
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "caf? é"}]


async def test_without_a_key_none_is_sent() -> None:
    async with StubServer(chat("ok")) as server:
        adapter = OpenAICompatibleAdapter("stub", server.base_url, "m")
        await adapter.execute(question(), lambda _: None)
        await adapter.close()
    assert "authorization" not in server.requests[0].headers


async def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with StubServer(chat("ok")) as server:
        adapter = OpenAICompatibleAdapter("stub", server.base_url, "m")
        completion = await adapter.execute(question(), lambda _: None)
        await adapter.close()
    assert completion.text == "ok"


async def test_the_key_is_in_no_error_and_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"message": f"Incorrect API key provided: {KEY}\x1b[31m", "code": "invalid_api_key"}
    async with StubServer(in_turn(refusal(401, echo), raw(event({"error": echo})))) as server:
        adapter = OpenAICompatibleAdapter(
            "glm", server.base_url, "m", SecretStr(KEY), key_env="ZAI_API_KEY"
        )
        messages = []
        for _ in range(2):
            with pytest.raises(AuthenticationFailed) as caught:
                await adapter.execute(question(), lambda _: None)
            messages.append(f"{caught.value} {caught.value!r}")
        await adapter.close()
    assert all("ZAI_API_KEY" in message for message in messages)
    assert all("\x1b" not in str(message) for message in messages)
    assert KEY not in "".join(messages) + caplog.text + repr(adapter) + repr(vars(adapter.info()))


@pytest.mark.parametrize(
    ("status", "is_available"), [(200, True), (404, True), (401, False), (403, False), (503, False)]
)
@both_wires
async def test_available_means_it_answers_and_takes_the_key(
    wire: Wire, status: int, is_available: bool
) -> None:
    async with wire(raw(b"{}", headers=JSON, status=status)) as adapter:
        assert await adapter.is_available() is is_available


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.openai.com/v1",
        "ftp://host/v1",
        "http://",
        "http://user:key@host/v1",
        "http://[::",
        "http://127.0.0.1:114344/v1",
        "http://h:0/v1",
        "http://xn--a/v1",
    ],
)
def test_a_base_url_that_is_none_says_what_to_do(base_url: str) -> None:
    with pytest.raises(UsageError, match="base_url"):
        OpenAICompatibleAdapter("x", base_url, "m")


@pytest.mark.parametrize("key", ["sk-\nevil: 1", "sk-é", "sk-\x00"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UsageError, match="MY_KEY") as caught:
        OpenAICompatibleAdapter("x", "http://host/v1", "m", SecretStr(key), key_env="MY_KEY")
    assert "sk-" not in str(caught.value)


async def test_settings_become_an_adapter_with_the_key_of_the_environment() -> None:
    async with StubServer(chat("ok")) as server:
        settings = AdapterSettings(
            name="glm", base_url=server.base_url, model="glm-5", api_key_env="ZAI"
        )
        adapter = build_adapter(settings, {"ZAI": f" {KEY}\n"})
        await adapter.execute(question(), lambda _: None)
        await adapter.close()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert adapter.info().name == "glm"
    assert adapter.info().model == "glm-5"
    assert adapter.info().kind is ProviderKind.REAL
    assert adapter.info().provider.startswith("127.0.0.1:")


def test_a_key_that_is_not_set_is_named() -> None:
    settings = AdapterSettings(name="glm", base_url="http://h/v1", model="m", api_key_env="ZAI")
    with pytest.raises(NotConfigured, match="ZAI"):
        build_adapter(settings, {"ZAI": "  "})


def test_every_error_has_a_kind_of_its_own_and_stands_in_the_tree() -> None:
    classes = AdapterError.__subclasses__()
    assert len({error.kind for error in classes}) == len(classes) > 10
    assert all(error.__name__ in (AdapterError.__doc__ or "") for error in classes)
    after = (AdapterError.__doc__ or "").partition("will not pass")[2]
    assert all((error.__name__ in after) is not error.retryable for error in classes)
