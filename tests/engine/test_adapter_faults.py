"""What a server can do wrong, over a real socket and over the in-process transport alike."""

import asyncio
import gzip

import pytest

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ConnectionFailed,
    ContextTooLong,
    EmptyResponse,
    FirstByteTimeout,
    IdleTimeout,
    InvalidResponse,
    ModelNotFound,
    OutputFiltered,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
    StreamCut,
    TotalTimeout,
)
from orchestra_tui.engine.adapters.openai_compatible import OpenAICompatibleAdapter
from orchestra_tui.engine.adapters.rehearsal.transport import (
    AppRequest,
    InProcessTransport,
    Reply,
)
from orchestra_tui.engine.adapters.sse import MAX_LINE
from tests.engine.adapter_wires import Wire, both_wires, failure, question
from tests.stubs.openai_server import (
    DONE,
    EVENTS,
    chat,
    cut_after,
    delta,
    drip,
    event,
    raw,
    refusal,
    stall_after,
)

SHORT = 0.3


@both_wires
@pytest.mark.parametrize(
    ("status", "error", "kind", "is_retryable"),
    [
        (400, {"message": "bad temperature"}, RequestRefused, False),
        (400, {"code": "context_length_exceeded", "message": "x"}, ContextTooLong, False),
        (400, {"message": "This model's maximum context length is 8"}, ContextTooLong, False),
        (400, {"code": "content_filter"}, OutputFiltered, False),
        (401, {"message": "no key"}, AuthenticationFailed, False),
        (402, {"message": "pay"}, QuotaExhausted, False),
        (403, {"message": "not you"}, AuthenticationFailed, False),
        (404, {"message": "no model"}, ModelNotFound, False),
        (413, {"message": "large"}, ContextTooLong, False),
        (429, {"message": "slow down"}, RateLimited, True),
        (429, {"type": "insufficient_quota", "code": None}, QuotaExhausted, False),
        (429, {"code": "1113", "message": "GLM: balance"}, QuotaExhausted, False),
        (429, {"code": "1302", "message": "GLM: rate"}, RateLimited, True),
        (429, {"code": "1305", "message": "GLM: busy"}, Overloaded, True),
        (500, {"message": "oops"}, ServerFailed, True),
        (502, "a string", ServerFailed, True),
        (503, {"message": "busy"}, Overloaded, True),
        (529, {"message": "busy"}, Overloaded, True),
        (418, {"message": "teapot"}, RequestRefused, False),
    ],
)
async def test_a_refusal_has_its_own_class(
    wire: Wire, status: int, error: object, kind: type[AdapterError], is_retryable: bool
) -> None:
    caught = await failure(wire, refusal(status, error))
    assert type(caught) is kind
    assert caught.is_retryable is is_retryable
    assert str(status) in str(caught)
    assert caught.retry_after is None


@both_wires
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 11:00:30 GMT",
                "date": "Mon, 23 Nov 2026 11:00:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "1e12"}, 86_400.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
async def test_retry_after_comes_with_the_error(
    wire: Wire, headers: dict[str, str], seconds: float | None
) -> None:
    caught = await failure(wire, refusal(429, {"message": "slow"}, headers))
    assert isinstance(caught, RateLimited)
    assert caught.retry_after == seconds


@both_wires
async def test_the_server_may_say_itself_whether_to_retry(wire: Wire) -> None:
    no = await failure(wire, refusal(429, {"message": "x"}, {"x-should-retry": "false"}))
    yes = await failure(wire, refusal(400, {"message": "x"}, {"x-should-retry": "true"}))
    assert (no.is_retryable, yes.is_retryable) == (False, True)


@both_wires
@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"\xff\xfe", b"[" * 50_000])
async def test_an_error_page_that_is_no_json_is_still_its_status(wire: Wire, body: bytes) -> None:
    caught = await failure(wire, raw(body, status=502))
    assert type(caught) is ServerFailed
    assert len(str(caught)) < 700


@both_wires
async def test_a_redirect_is_not_followed(wire: Wire) -> None:
    app = raw(b"", status=307, headers={"location": "http://elsewhere.invalid/v1"})
    caught = await failure(wire, app)
    assert isinstance(caught, InvalidResponse)
    assert not caught.is_retryable
    assert "elsewhere.invalid" in str(caught)


@both_wires
async def test_a_cut_stream_keeps_what_had_come(wire: Wire) -> None:
    caught = await failure(wire, cut_after(delta("half of "), delta("it")))
    assert type(caught) is StreamCut
    assert caught.is_retryable
    assert caught.partial == "half of it"


@both_wires
async def test_a_cut_before_any_text_is_a_failed_connection(wire: Wire) -> None:
    assert type(await failure(wire, cut_after(b": hi\n\n"))) is ConnectionFailed


@both_wires
async def test_a_stream_that_just_ends_is_cut(wire: Wire) -> None:
    caught = await failure(wire, raw(delta("half"), headers=EVENTS))
    assert type(caught) is StreamCut
    assert caught.partial == "half"


@both_wires
async def test_silence_before_the_first_piece(wire: Wire) -> None:
    role_only = delta("", role="assistant")
    caught = await failure(wire, stall_after(role_only), question(first_byte=SHORT))
    assert type(caught) is FirstByteTimeout


@both_wires
async def test_silence_in_mid_stream(wire: Wire) -> None:
    caught = await failure(wire, stall_after(delta("abc")), question(idle=SHORT))
    assert type(caught) is IdleTimeout
    assert caught.partial == "abc"


@both_wires
@pytest.mark.parametrize("piece", [b": keep-alive\n\n", event({"choices": []}), delta("")])
async def test_dripping_nothing_is_silence(wire: Wire, piece: bytes) -> None:
    app = drip(piece, every=0.02, begin=[delta("abc")])
    assert type(await failure(wire, app, question(idle=SHORT))) is IdleTimeout


@both_wires
async def test_dripping_text_for_ever_ends_too(wire: Wire) -> None:
    app = drip(delta("x"), every=0.02)
    caught = await failure(wire, app, question(total=SHORT))
    assert type(caught) is TotalTimeout
    assert caught.partial.startswith("x")


@both_wires
async def test_thinking_counts_as_life_and_not_as_answer(wire: Wire) -> None:
    thought = delta(None, reasoning_content="hmm")
    app = drip(thought, every=0.02)
    caught = await failure(wire, app, question(first_byte=SHORT, idle=5.0, total=SHORT * 3))
    assert type(caught) is TotalTimeout
    assert caught.partial == ""


@both_wires
@pytest.mark.parametrize(
    "pieces",
    [
        (b"data: {oops\n\n",),
        (b"data: [1, 2]\n\n",),
        (b'data: {"choices": [{"delta": "text"}]}\n\n',),
        (b"data: " + b"[" * 100_000 + b"\n\n",),
        (b"<html><body>Welcome to the hotel network</body></html>",),
        (b"",),
        (b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',),
    ],
)
async def test_garbage_is_named_as_such(wire: Wire, pieces: tuple[bytes, ...]) -> None:
    caught = await failure(wire, raw(*pieces))
    assert type(caught) is InvalidResponse
    assert caught.is_retryable


@both_wires
async def test_a_line_without_end_is_refused(wire: Wire) -> None:
    app = drip(b"x" * 256 * 1024, every=0.0, begin=[b"data: "])
    caught = await failure(wire, app)
    assert type(caught) is InvalidResponse
    assert f"{MAX_LINE // 1024} KiB" in str(caught)


@both_wires
async def test_a_packed_bomb_is_refused_before_it_is_unpacked(wire: Wire) -> None:
    bomb = gzip.compress((b":" + b"x" * 998 + b"\n") * 100_000, 9)
    caught = await failure(wire, raw(bomb, headers={**EVENTS, "content-encoding": "gzip"}))
    assert type(caught) is InvalidResponse
    assert "larger" in str(caught)


@both_wires
async def test_a_packed_answer_is_read_although_nobody_asked(wire: Wire) -> None:
    body = delta("hello") + delta(None, finish="stop") + DONE
    app = raw(gzip.compress(body), headers={**EVENTS, "content-encoding": "gzip"})
    async with wire(app) as adapter:
        assert (await adapter.execute(question(), lambda _: None)).text == "hello"


@both_wires
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip"])
async def test_a_packing_that_cannot_be_read_is_named(wire: Wire, encoding: str) -> None:
    app = raw(b"\x01\x02", headers={**EVENTS, "content-encoding": encoding})
    assert type(await failure(wire, app)) is InvalidResponse


@both_wires
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slot lost"}, ServerFailed),
        ({"code": "1302", "message": "rate"}, RateLimited),
        ({"code": 400, "type": "exceed_context_size_error", "message": "n_ctx"}, ContextTooLong),
        ({"code": 503, "message": "loading"}, Overloaded),
        ("just words", ServerFailed),
    ],
)
async def test_an_error_inside_a_good_status(
    wire: Wire, error: object, kind: type[AdapterError]
) -> None:
    caught = await failure(wire, raw(delta("abc"), event({"error": error})))
    assert type(caught) is kind
    assert caught.partial == "abc"


@both_wires
@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls"])
async def test_an_answer_without_a_word_is_empty(wire: Wire, finish: str) -> None:
    caught = await failure(wire, chat(finish=finish))
    assert type(caught) is EmptyResponse
    assert ("max_output_tokens" in str(caught)) is (finish == "length")


@both_wires
@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("content_filter", OutputFiltered),
        ("sensitive", OutputFiltered),
        ("network_error", ServerFailed),
    ],
)
async def test_an_end_that_makes_the_answer_useless_is_an_error(
    wire: Wire, finish: str, kind: type[AdapterError]
) -> None:
    caught = await failure(wire, chat("half an answer", finish=finish))
    assert type(caught) is kind
    assert caught.partial == "half an answer"


async def test_nobody_listens() -> None:
    adapter = OpenAICompatibleAdapter("stub", "http://127.0.0.1:9/v1", "m")
    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:9"):
        await adapter.execute(question(), lambda _: None)
    assert not await adapter.is_available()
    await adapter.close()


@both_wires
async def test_a_cancelled_call_stops_the_server_and_leaves_no_task(wire: Wire) -> None:
    left = asyncio.Event()

    async def endless(request: AppRequest, reply: Reply) -> None:
        try:
            await stall_after(delta("abc"))(request, reply)
        finally:
            left.set()

    before = asyncio.all_tasks()
    first = asyncio.Event()
    async with wire(endless) as adapter:
        call = asyncio.create_task(adapter.execute(question(), lambda _: first.set()))
        await first.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(left.wait(), 5)
    assert asyncio.all_tasks() == before


async def test_an_app_that_is_broken_is_not_taken_for_the_network() -> None:
    async def broken(_request: AppRequest, _reply: Reply) -> None:
        raise ZeroDivisionError

    adapter = OpenAICompatibleAdapter(
        "stub", "http://stub.invalid/v1", "m", transport=InProcessTransport(broken)
    )
    with pytest.raises(ZeroDivisionError):
        await adapter.execute(question(), lambda _: None)
    await adapter.close()
