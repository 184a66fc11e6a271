"""Every HTTP adapter over a socket, through everything a provider does: the same table for all.

The expectations are what the adapters gave for a separate loopback server with these scenarios.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    AuthenticationFailed,
    ConnectionFailed,
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
)
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.rehearsal.transport import App
from tests.engine.adapter_wires import KEY, adapter_for, question
from tests.stubs import dialects
from tests.stubs.dialects import WireDialect
from tests.stubs.openai_server import EVENTS, cut_after, event, raw, stall_after

SHORT = 0.3
DATE = {"date": "Mon, 23 Nov 2026 11:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 11:00:03 GMT"}

every_dialect = pytest.mark.parametrize("dialect", dialects.ALL, ids=lambda one: one.kind)


async def failure(dialect: WireDialect, app: App, **timeouts: float) -> AdapterError:
    """The error that this adapter raises for this app."""
    async with adapter_for(dialect, app) as (adapter, _):
        with pytest.raises(AdapterError) as caught:
            await adapter.execute(question(**timeouts), lambda _: None)
    assert KEY.get_secret_value() not in f"{caught.value} {caught.value!r}"
    return caught.value


async def answer(dialect: WireDialect, app: App) -> tuple[Any, list[str]]:
    pieces: list[str] = []
    async with adapter_for(dialect, app) as (adapter, _):
        return await adapter.execute(question(idle=2.0), pieces.append), pieces


@every_dialect
@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_after"),
    [
        pytest.param(429, {"retry-after": "2"}, RateLimited, 2.0, id="429 seconds"),
        pytest.param(429, DATE, RateLimited, 3.0, id="429 date"),
        pytest.param(429, {"retry-after-ms": "1500"}, RateLimited, 1.5, id="429 ms"),
        pytest.param(429, {}, RateLimited, None, id="429 bare"),
        pytest.param(429, {"retry-after": "3600"}, RateLimited, 3600.0, id="429 long"),
        pytest.param(429, {"retry-after": "1e99"}, RateLimited, 86_400.0, id="429 absurd"),
        pytest.param(429, {"retry-after": "-1"}, RateLimited, 0.0, id="429 negative"),
        pytest.param(429, {"retry-after": "nan"}, RateLimited, None, id="429 nan"),
        pytest.param(400, {}, RequestRefused, None, id="400"),
        pytest.param(401, {}, AuthenticationFailed, None, id="401"),
        pytest.param(403, {}, AuthenticationFailed, None, id="403"),
        pytest.param(404, {}, ModelNotFound, None, id="404"),
        pytest.param(500, {}, ServerFailed, None, id="500"),
        pytest.param(503, {"retry-after": "1"}, Overloaded, 1.0, id="503"),
        pytest.param(529, {}, Overloaded, None, id="529"),
    ],
)
async def test_a_refusal_is_its_cause(
    dialect: WireDialect,
    status: int,
    headers: Mapping[str, str],
    kind: type[AdapterError],
    retry_after: float | None,
) -> None:
    caught = await failure(dialect, dialect.refusal(status, headers))
    assert type(caught) is kind
    assert caught.retry_after == retry_after
    assert caught.is_retryable is kind.retryable
    assert f"fake error {status}" in str(caught)


@every_dialect
async def test_money_is_told_from_the_rate_and_has_no_wait(dialect: WireDialect) -> None:
    field = {"gemini": "status", "anthropic": "type"}.get(dialect.kind, "code")
    words = "You exceeded your current quota. Please try again in 20s."
    app = dialect.refusal(
        429, {"x-should-retry": "true"}, message=words, **{field: "insufficient_quota"}
    )
    caught = await failure(dialect, app)
    assert type(caught) is QuotaExhausted
    assert (caught.is_retryable, caught.retry_after) == (False, None)


@every_dialect
async def test_a_wait_in_the_words_is_found(dialect: WireDialect) -> None:
    app = dialect.refusal(429, message="Rate limit reached. Please try again in 1m2.5s.")
    caught = await failure(dialect, app)
    assert (type(caught), caught.retry_after) == (RateLimited, 62.5)


@every_dialect
async def test_a_header_goes_before_the_words(dialect: WireDialect) -> None:
    app = dialect.refusal(429, {"retry-after": "7"}, message="Please try again in 2s.")
    assert (await failure(dialect, app)).retry_after == 7.0


@every_dialect
@pytest.mark.parametrize(("left", "wait"), [("0", 6.0), ("3", None)])
async def test_the_headers_of_rates_say_it_when_nothing_else_does(
    dialect: WireDialect, left: str, wait: float | None
) -> None:
    rates = {"x-ratelimit-remaining-requests": left, "x-ratelimit-reset-requests": "6s"}
    assert (await failure(dialect, dialect.refusal(429, rates))).retry_after == wait
    said = dialect.refusal(429, {**rates, "retry-after": "2"})
    assert (await failure(dialect, said)).retry_after == 2.0
    assert (await failure(dialect, dialect.refusal(500, rates))).retry_after is None


@every_dialect
@pytest.mark.parametrize(("said", "may_pass"), [("true", True), ("false", False), ("?", True)])
async def test_the_provider_says_whether_to_retry(
    dialect: WireDialect, said: str, may_pass: bool
) -> None:
    caught = await failure(dialect, dialect.refusal(500, {"x-should-retry": said}))
    assert caught.is_retryable is may_pass


@every_dialect
async def test_an_answer_with_its_counts_in_one_normal_form(dialect: WireDialect) -> None:
    completion, pieces = await answer(dialect, dialect.answer("Hel", "lo ", "wörld 🎉"))
    assert (completion.text, completion.finish) == ("Hello wörld 🎉", FinishReason.STOP)
    assert pieces == ["Hel", "lo ", "wörld 🎉"]
    assert completion.usage == Usage(
        input_tokens=1200,
        output_tokens=34,
        cached_tokens=200,
        reasoning_tokens=5,
        # Of the four only Anthropic tells it.
        cache_write_tokens=100 if dialect.kind == "anthropic" else None,
    )


@every_dialect
async def test_characters_split_between_packets(dialect: WireDialect) -> None:
    whole = dialect.begin + dialect.said("é🎉") + dialect.said("ü") + dialect.end("stop")
    plain = whole.decode().encode("unicode_escape").decode("unicode_escape").encode()
    as_utf8 = plain.replace(b"\\u00e9\\ud83c\\udf89", "é🎉".encode()).replace(
        b"\\u00fc", "ü".encode()
    )
    assert "é🎉".encode() in as_utf8
    completion, pieces = await answer(dialect, raw(*(bytes([byte]) for byte in as_utf8)))
    assert (completion.text, pieces) == ("é🎉ü", ["é🎉", "ü"])


@every_dialect
async def test_thoughts_are_no_answer_but_a_sign_of_life(dialect: WireDialect) -> None:
    app = raw(dialect.begin, dialect.thought("hmm"), dialect.said("yes"), dialect.end("stop"))
    completion, pieces = await answer(dialect, app)
    assert (completion.text, pieces) == ("yes", ["yes"])
    caught = await failure(
        dialect, stall_after(dialect.begin, dialect.thought("hmm")), first_byte=20.0, idle=SHORT
    )
    assert type(caught) is IdleTimeout


@every_dialect
async def test_a_truncated_answer_says_so(dialect: WireDialect) -> None:
    completion, _ = await answer(dialect, dialect.answer("half", finish="length"))
    assert (completion.text, completion.finish) == ("half", FinishReason.LENGTH)
    assert completion.usage.output_tokens == 34


@every_dialect
async def test_a_limit_used_up_by_thinking_is_an_empty_answer(dialect: WireDialect) -> None:
    caught = await failure(dialect, raw(dialect.begin, dialect.end("length")))
    assert type(caught) is EmptyResponse
    assert "max_output_tokens" in str(caught)


@every_dialect
async def test_an_empty_answer(dialect: WireDialect) -> None:
    assert type(await failure(dialect, dialect.answer())) is EmptyResponse


@every_dialect
async def test_a_filtered_answer_keeps_what_had_come(dialect: WireDialect) -> None:
    caught = await failure(dialect, dialect.answer("half", finish="filtered"))
    assert (type(caught), caught.partial) == (OutputFiltered, "half")


@every_dialect
async def test_a_blocked_prompt(dialect: WireDialect) -> None:
    assert type(await failure(dialect, raw(dialect.blocked))) is OutputFiltered


@every_dialect
async def test_a_cut_stream(dialect: WireDialect) -> None:
    caught = await failure(dialect, cut_after(dialect.begin, dialect.said("half")))
    assert (type(caught), caught.partial) == (StreamCut, "half")


@every_dialect
async def test_a_stream_that_just_ends(dialect: WireDialect) -> None:
    caught = await failure(dialect, raw(dialect.begin, dialect.said("half")))
    assert (type(caught), caught.partial) == (StreamCut, "half")


@every_dialect
async def test_an_error_in_mid_answer(dialect: WireDialect) -> None:
    for status, kind in ((429, RateLimited), (500, ServerFailed)):
        broken = event(dialect.error(status))
        caught = await failure(dialect, raw(dialect.begin, dialect.said("half"), broken))
        assert (type(caught), caught.partial) == (kind, "half")
        assert "mid-answer" in str(caught)


@every_dialect
async def test_silence_before_and_within_the_answer(dialect: WireDialect) -> None:
    before = await failure(dialect, stall_after(dialect.begin), first_byte=SHORT)
    within = await failure(dialect, stall_after(dialect.begin, dialect.said("It is.")), idle=SHORT)
    assert (type(before), type(within), within.partial) == (FirstByteTimeout, IdleTimeout, "It is.")


@every_dialect
@pytest.mark.parametrize(
    "app",
    [
        pytest.param(raw(b'data: {"half": "of an eve\n\n'), id="half an event"),
        pytest.param(raw(b"data: [1]\n\n"), id="a list"),
        pytest.param(raw(b"<html>502</html>", headers={"content-type": "text/html"}), id="html"),
        pytest.param(raw(b"data: \xff\xfe\n\n", headers=EVENTS), id="no UTF-8"),
        pytest.param(raw(b""), id="nothing"),
    ],
)
async def test_garbage(dialect: WireDialect, app: App) -> None:
    assert type(await failure(dialect, app)) is InvalidResponse


@every_dialect
async def test_nobody_listens(dialect: WireDialect) -> None:
    settings = AdapterSettings(
        name="stub", kind=dialect.kind, base_url="http://127.0.0.1:9/v1", model="m"
    )
    adapter: Adapter = build_adapter(settings, {})
    with pytest.raises(ConnectionFailed):
        await adapter.execute(question(), lambda _: None)
    assert not await adapter.is_available()
    await adapter.close()


@every_dialect
async def test_a_cancelled_call_hangs_up(dialect: WireDialect) -> None:
    first = asyncio.Event()
    async with adapter_for(dialect, stall_after(dialect.begin, dialect.said("It is."))) as found:
        adapter, server = found
        call = asyncio.create_task(adapter.execute(question(), lambda _: first.set()))
        await first.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(server.client_left.wait(), 5)


@every_dialect
async def test_the_key_that_a_provider_repeats_is_not_shown(dialect: WireDialect) -> None:
    app = dialect.refusal(401, message=f"bad key {KEY.get_secret_value()}\x1b[31m")
    caught = await failure(dialect, app)
    assert "[secret]" in str(caught)
    assert "\x1b" not in str(caught)
    assert "KEY" in str(caught)


@every_dialect
async def test_many_streams_at_once_lose_nothing(dialect: WireDialect) -> None:
    pieces = [f"piece {number} " for number in range(40)]
    async with adapter_for(dialect, dialect.answer(*pieces)) as (adapter, _):
        calls = [adapter.execute(question(), lambda _: None) for _ in range(64)]
        answers = await asyncio.gather(*calls)
    assert {one.text for one in answers} == {"".join(pieces)}
