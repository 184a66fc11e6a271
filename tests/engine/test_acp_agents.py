"""An agent that plays, driven by the real adapter: what it may do, and that nothing is left."""

import asyncio
import gc
import os
import sys
import time
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters import base
from tests.engine.acp_sandbox import REPLY, WRITTEN, AcpBench
from tests.engine.process_sandbox import FOREIGN, is_alive, until
from tests.stubs.scripted_acp import (
    AcpPlay,
    does,
    ends,
    fails,
    heard,
    playing,
    says,
    turn,
    update,
    wants,
)
from tests.stubs.scripted_client import report

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the agent is a shell script")
TWO_SECONDS = 2.0
pytestmark = POSIX


@pytest.fixture
def bench(tmp_path: Path) -> AcpBench:
    return AcpBench(tmp_path)


async def test_a_plain_answer(bench: AcpBench) -> None:
    counts = {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}
    answer = await bench.ask(playing(says("Hello "), says("there."), ends(usage=counts)))
    assert (answer.text, answer.finish) == ("Hello there.", FinishReason.STOP)
    assert answer.usage == Usage(input_tokens=7, output_tokens=3)
    assert bench.shown == "Hello there."
    assert bench.left_running() == []


async def test_it_is_greeted_and_asked_in_its_copy(bench: AcpBench) -> None:
    await bench.ask(playing(says("Hi."), ends()))
    greeting, opening, prompt = heard(bench.folder)
    assert greeting["params"]["clientCapabilities"]["fs"] == {
        "readTextFile": True,
        "writeTextFile": True,
    }
    assert opening["params"]["cwd"] == report(bench.folder).folder
    assert report(bench.folder).files == ["README.md"]
    assert not report(bench.folder).folder.startswith(str(bench.folder))
    assert prompt["params"]["prompt"][0]["text"].rstrip().endswith("Say hello.")
    assert "Say hello." not in " ".join(report(bench.folder).argv)


async def test_no_other_key_is_in_its_environment(bench: AcpBench) -> None:
    await bench.ask(playing(says("Hi."), ends()))
    assert report(bench.folder).environ.keys() & FOREIGN.keys() == set()


async def test_a_vendors_agent_sees_its_own_key(bench: AcpBench) -> None:
    await bench.ask(playing(says("Hi."), ends()), agent="gemini")
    seen = report(bench.folder).environ
    assert seen.keys() & FOREIGN.keys() == {"GEMINI_API_KEY"}
    assert report(bench.folder).argv == ["--acp", "--skip-trust"]


async def test_a_file_that_it_wrote_itself_is_the_reply(bench: AcpBench) -> None:
    files = {"hello.txt": WRITTEN, "README.md": "# mine\n"}
    answer = await bench.ask(playing(does("write", files=files), says("Done."), ends()))
    assert answer.text == REPLY
    assert "not taken: README.md" in bench.deltas[-1]
    assert sorted(path.name for path in bench.project.iterdir()) == ["README.md"]
    assert (bench.project / "README.md").read_text() == "# demo\n"


@pytest.mark.parametrize("answer", [{"result": {}}, fails(-32603, "no"), does("hang")])
async def test_the_agent_is_told_to_forget_the_session(
    bench: AcpBench, answer: dict[str, object]
) -> None:
    """Its history is the user's; an agent that cannot do it loses nobody's answer."""
    able = {"agentCapabilities": {"sessionCapabilities": {"delete": {}}}}
    script = {
        **turn(says("Hi."), ends()),
        "initialize": [{"result": {"protocolVersion": 1, **able}}],
        "session/delete": [answer],
    }
    assert (await bench.ask(AcpPlay(script=script))).text == "Hi."
    assert heard(bench.folder)[-1]["params"] == {"sessionId": "s1"}
    assert heard(bench.folder)[-1]["method"] == "session/delete"


async def test_only_the_last_message_is_the_answer(bench: AcpBench) -> None:
    call = update("tool_call", toolCallId="c", title="Look", kind="read")
    answer = await bench.ask(playing(says("Let me look."), call, says("Found."), ends()))
    assert answer.text == "Found."
    assert bench.shown == "Let me look.\nFound."


async def test_another_session_of_the_agent_is_not_the_answer(bench: AcpBench) -> None:
    other = says("I am a helper.")
    other["params"] = {**other["params"], "sessionId": "s2"}
    answer = await bench.ask(playing(says("Found."), other, ends()))
    assert answer.text == bench.shown == "Found."


@pytest.mark.parametrize(
    ("agent", "line", "error"),
    [
        # As gemini and opencode say it on standard error; both then wait in silence.
        ("gemini", "Attempt 1 failed with status 429. Retrying with backoff...", base.RateLimited),
        (
            "opencode",
            'message="stream error" small=false error.error="AI_APICallError: fake error 429"',
            base.RateLimited,
        ),
    ],
)
async def test_a_retry_that_is_told_on_standard_error(
    bench: AcpBench, agent: str, line: str, error: type[base.AdapterError]
) -> None:
    with pytest.raises(error):
        await bench.ask(playing(does("stderr", line=line), does("hang")), agent=agent)


@pytest.mark.parametrize(
    ("end", "finish"),
    [("max_tokens", FinishReason.LENGTH), ("refusal", FinishReason.FILTERED)],
)
async def test_an_end_that_is_no_success(bench: AcpBench, end: str, finish: FinishReason) -> None:
    play = playing(does("write", files={"hello.txt": WRITTEN}), says("Hell"), ends(end))
    answer = await bench.ask(play)
    assert (answer.text, answer.finish) == ("Hell", finish)


RETRYING = {
    "method": "_session/retrying",
    "params": {"sessionId": "s1", "category": "rate_limited", "detail": "HTTP 429"},
}
BROKEN = update("session_info_update", _meta={"codex": {"threadStatus": {"type": "systemError"}}})
GIVEN_UP = update(
    "session_info_update",
    _meta={
        "codex": {
            "error": {
                "message": "unexpected status",
                "codexErrorInfo": {"httpConnectionFailed": {"httpStatusCode": 503}},
                "willRetry": False,
            }
        }
    },
)
NO_TOKENS = {"quota": {"token_count": {"input_tokens": 0, "output_tokens": 0}}}
ERRORS: dict[str, tuple[tuple[dict[str, object], ...], type[base.AdapterError]]] = {
    "a retry notice": ((RETRYING, does("hang")), base.RateLimited),
    "codex broke": ((says("Hm."), BROKEN, says("high demand"), ends()), base.Overloaded),
    "codex gave up": ((GIVEN_UP, does("hang")), base.Overloaded),
    "gemini broke": ((says("Hm."), ends(_meta=NO_TOKENS)), base.StreamCut),
    "429": ((fails(429, "slow down"),), base.RateLimited),
    "401": ((fails(-32000, "Authentication required"),), base.AuthenticationFailed),
    "empty": ((ends(),), base.EmptyResponse),
    "turns": ((says("Hm."), ends("max_turn_requests")), base.ProcessFailed),
    "ended": ((says("Hm."), does("end", code=0)), base.ProcessFailed),
    "no result": (({"result": None},), base.ProcessFailed),
    "garbage": ((*[does("print", line="<html>")] * 1200, does("hang")), base.InvalidResponse),
    "silence before": ((does("hang"),), base.FirstByteTimeout),
    "silence after": ((says("Hm."), does("hang")), base.IdleTimeout),
}


@pytest.mark.parametrize("case", list(ERRORS))
async def test_a_failure_has_its_class(bench: AcpBench, case: str) -> None:
    messages, error = ERRORS[case]
    idle = 0.5 if case == "silence after" else 20.0
    first = 1.0 if case == "silence before" else 20.0
    with pytest.raises(base.AdapterError) as caught:
        await bench.ask(playing(*messages), idle=idle, first=first)
    assert type(caught.value) is error, str(caught.value)
    assert bench.left_running() == []


async def test_messages_out_of_order_are_no_harm(
    bench: AcpBench, caplog: pytest.LogCaptureFixture
) -> None:
    lines = (
        '[1, 2]', "null", '{"id": [], "result": 1}', '{"id": {}, "method": "x"}',
        '{"id": 2, "error": "broken"}', '{"id": 99, "result": {}}', '{"method": 5}',
        '{"method": "session/update", "params": 7}', '{"method": "session/update"}',
        '{"method": "session/update", "params": {"update": {"sessionUpdate": "new_thing"}}}',
        '{"method": "session/update", "params": {"update": {"sessionUpdate": "tool_call"}}}',
    )  # fmt: skip
    odd = [does("print", line=line) for line in lines]
    answer = await bench.ask(playing(*odd, says("Hi."), ends()))
    assert answer.text == "Hi."
    assert caplog.records == []


async def test_its_key_is_in_no_message(bench: AcpBench) -> None:
    environ = {**FOREIGN, "MY_KEY": "key-of-mine-0009"}
    play = playing(fails(-32603, "bad key key-of-mine-0009"))
    adapter = bench.adapter(play, environ, agent="gemini", api_key_env="MY_KEY")
    request = base.CompletionRequest(
        key="k", role=Role.AUDITOR, path=None, task="", messages=(base.Message("user", "x"),)
    )
    with pytest.raises(base.AdapterError) as caught:
        await adapter.execute(request, bench.deltas.append)
    assert "key-of-mine-0009" not in str(caught.value)
    assert report(bench.folder).environ["GEMINI_API_KEY"] == "key-of-mine-0009"


@LINUX
@pytest.mark.parametrize("is_deaf", [False, True])
async def test_cancel_is_passed_on_and_leaves_nothing(bench: AcpBench, is_deaf: bool) -> None:
    script = turn(says("Hm."), does("hang"))
    play = AcpPlay(script=script, is_deaf=is_deaf, stays=True, grandchild=True)
    asking = asyncio.create_task(bench.ask(play))
    await until(lambda: bool(bench.deltas))
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert time.monotonic() - began < TWO_SECONDS
    assert bench.left_running() == []


@LINUX
async def test_an_agent_that_stops_when_told_is_told(bench: AcpBench) -> None:
    asking = asyncio.create_task(bench.ask(playing(says("Hm."), does("listen"))))
    await until(lambda: bool(bench.deltas))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert heard(bench.folder)[-1]["method"] == "session/cancel"


@LINUX
async def test_what_it_says_when_its_time_is_over_is_no_news(
    bench: AcpBench, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told to stop, and goes on for a moment; a traceback would end up on the screen."""
    late = (says("late"), wants("Write", "edit", "hello.txt"), ends("cancelled"))
    with pytest.raises(base.IdleTimeout):
        await bench.ask(playing(says("Hm."), does("listen"), *late), idle=0.3)
    assert "late" in bench.shown
    assert caplog.records == []


@LINUX
@pytest.mark.parametrize("answer", [fails(-32603, "stopped"), ends("cancelled")])
async def test_its_answer_to_a_cancel_is_no_news(
    bench: AcpBench, answer: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    play = playing(says("Hm."), does("listen"), answer)
    asking = asyncio.create_task(bench.ask(play))
    await until(lambda: bool(bench.deltas))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    gc.collect()
    assert caplog.records == []


@LINUX
async def test_a_second_cancel_does_not_cut_the_ending_short(bench: AcpBench) -> None:
    script = turn(says("Hm."), does("hang"))
    play = AcpPlay(script=script, is_deaf=True, grandchild=True)
    asking = asyncio.create_task(bench.ask(play))
    await until(lambda: bool(bench.deltas))
    asking.cancel()
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert bench.left_running() == []


@LINUX
async def test_an_agent_that_stays_and_its_grandchild_are_ended(bench: AcpBench) -> None:
    script = turn(says("Hi."), ends())
    answer = await bench.ask(AcpPlay(script=script, stays=True, grandchild=True))
    assert answer.text == "Hi."
    assert len(report(bench.folder).pids) == 2
    assert bench.left_running() == []


@LINUX
async def test_nothing_outlives_the_engine_when_it_is_killed(bench: AcpBench) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.engine.acp_sandbox import AcpBench\n"
        "from tests.stubs.scripted_acp import AcpPlay, does, turn\n"
        "play = AcpPlay(script=turn(does('hang')), is_deaf=True, grandchild=True)\n"
        "asyncio.run(AcpBench(Path(sys.argv[1])).ask(play))\n"
    )
    engine = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(bench.folder)),
        env={**os.environ, "TMPDIR": str(bench.folder)},
    )
    await bench.has_asked()
    engine.kill()
    await engine.wait()
    await until(lambda: not any(is_alive(pid) for pid in report(bench.folder).pids))
