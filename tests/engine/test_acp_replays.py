"""What real ACP agents said, case by case, played to the adapter; and their errors as a table."""

import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.acp.errors import failure_of
from tests.engine.acp_sandbox import REPLY, WRITTEN, AcpBench
from tests.stubs.scripted_acp import RECORDINGS, heard, recorded
from tests.stubs.scripted_client import report

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the agent is a shell script")

HELLO = "Hello from the fake model. Everything is fine."
AGENTS = ("gemini", "claude", "codex", "opencode", "vibe")
FILES = {"hello.txt": WRITTEN}

# The recording server always says 1200 in (200 cached), 34 out (5 reasoning), once per request.
USAGE = {
    # It says 29 out, without the thoughts.
    "gemini": Usage(input_tokens=1200),
    "claude": Usage(input_tokens=1200, output_tokens=34, cached_tokens=200, cache_write_tokens=0),
    "codex": Usage(
        input_tokens=1200,
        output_tokens=34,
        cached_tokens=200,
        reasoning_tokens=5,
        cache_write_tokens=0,
    ),
    "opencode": Usage(input_tokens=1200, output_tokens=34, cached_tokens=200, reasoning_tokens=5),
    "vibe": Usage(input_tokens=1200, output_tokens=34, cached_tokens=200),
}
EDITS = ("edit", "unasked", "older")
"""Cases in which the agent wrote the file, and whether it then wrote it itself."""
THROUGH_US = {"gemini", "opencode"}

ERRORS: dict[tuple[str, str], type[base.AdapterError]] = {
    **{(agent, "401"): base.AuthenticationFailed for agent in AGENTS if agent != "claude"},
    ("codex", "429"): base.RateLimited,
    ("vibe", "429"): base.RateLimited,
    # It said nothing for 150 s; with our settings it gives up after one try.
    ("claude", "silent"): base.FirstByteTimeout,
    ("codex", "reject"): base.RequestRefused,
    ("opencode", "reject"): base.RequestRefused,
    **{(agent, "cancelled"): base.ProcessFailed for agent in AGENTS},
}
# What these retried they told nobody here (gemini on standard error, in newer recordings).
ANSWERS = {(agent, "429"): FinishReason.STOP for agent in ("gemini", "claude", "opencode")}
CUT = {
    # These say nothing of it: an answer without its end is found when it is read.
    ("gemini", "length"): FinishReason.STOP,
    ("opencode", "length"): FinishReason.STOP,
    ("claude", "length"): FinishReason.LENGTH,
    ("codex", "length"): FinishReason.LENGTH,
    ("vibe", "length"): FinishReason.LENGTH,
}
REFUSED = {(agent, "reject") for agent in ("gemini", "claude", "vibe")}
WRITTEN_CASES = {(path.stem.split("-")[0], path.stem.split("-")[1]) for path in RECORDINGS.glob("*")
                 if path.stem.split("-")[1] in EDITS}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> AcpBench:
    return AcpBench(tmp_path)


def test_every_recording_is_played() -> None:
    there = {tuple(path.stem.split("-", 1)) for path in RECORDINGS.glob("*.json")}
    others = {("echo", "plain"), ("claude", "shell")}
    assert there == ERRORS.keys() | ANSWERS.keys() | CUT.keys() | REFUSED | WRITTEN_CASES | others


@pytest.mark.parametrize(("agent", "case"), sorted(WRITTEN_CASES))
async def test_the_file_is_the_reply(bench: AcpBench, agent: str, case: str) -> None:
    play = recorded(agent, case, writes=None if agent in THROUGH_US else FILES)
    answer = await bench.ask(play, agent=agent)
    assert (answer.text, answer.finish) == (REPLY, FinishReason.STOP)
    if agent == "opencode" or (agent, case) == ("codex", "older"):
        # The tokens of its last request only, or none at all: unknown.
        assert answer.usage == Usage()
    else:
        assert answer.usage == USAGE[agent] + USAGE[agent]
    assert (answer.cost is not None) is (agent in {"claude", "vibe"})
    assert "[hello.txt: -0 +1, from line 1]\n+ written by the fake model\n" in bench.shown
    assert bench.shown.count("+ written by the fake model") == 1
    assert ("[allowed: " in bench.shown) is (case != "unasked")
    assert report(bench.folder).folder not in bench.shown
    assert bench.left_running() == []


@pytest.mark.parametrize(("agent", "case"), list(ERRORS))
async def test_a_failure_becomes_the_error_of_its_cause(
    bench: AcpBench, agent: str, case: str
) -> None:
    role = Role.AUDITOR if case == "reject" else Role.EXECUTOR
    first = 1.5 if case == "silent" else 20.0
    with pytest.raises(base.AdapterError) as caught:
        await bench.ask(recorded(agent, case), agent=agent, role=role, first=first)
    assert type(caught.value) is ERRORS[agent, case], str(caught.value)
    assert bench.left_running() == []


@pytest.mark.parametrize(("agent", "case"), list(ANSWERS))
async def test_an_answer_and_its_tokens(bench: AcpBench, agent: str, case: str) -> None:
    answer = await bench.ask(recorded(agent, case), agent=agent)
    assert (answer.text, answer.finish) == (HELLO, ANSWERS[agent, case])
    assert answer.usage == USAGE[agent]


@pytest.mark.parametrize(("agent", "case"), list(CUT))
async def test_a_cut_answer_says_so_where_it_is_told(
    bench: AcpBench, agent: str, case: str
) -> None:
    answer = await bench.ask(recorded(agent, case), agent=agent)
    assert answer.finish is CUT[agent, case]
    assert answer.text.startswith(HELLO)
    # claude goes on by itself in further messages; vibe begins again.
    assert answer.text == HELLO * (4 if agent == "claude" else 1)


@pytest.mark.parametrize(("agent", "case"), sorted(REFUSED))
async def test_a_reader_that_wants_to_write_is_refused(
    bench: AcpBench, agent: str, case: str
) -> None:
    answer = await bench.ask(recorded(agent, case), agent=agent, role=Role.AUDITOR)
    assert answer.text == HELLO
    assert "this role only reads]" in bench.shown
    (said,) = [m["result"]["outcome"] for m in heard(bench.folder) if "outcome" in str(m)]
    assert said["optionId"] in {"cancel", "reject", "reject_once"}


async def test_a_shell_is_refused_though_it_is_not_called_one(bench: AcpBench) -> None:
    """The oldest claude agent asks for `cat > hello.txt` without a kind."""
    await bench.ask(recorded("claude", "shell"), agent="claude")
    assert "it may start no program]" in bench.shown


async def test_an_agent_that_is_not_known(bench: AcpBench) -> None:
    answer = await bench.ask(recorded("echo", "plain"))
    assert answer.text
    assert answer.usage == Usage()


@pytest.mark.parametrize(
    ("agent", "chosen"),
    [("vibe", "ask"), ("codex", "read-only"), ("claude", None), ("gemini", None)],
)
async def test_it_is_put_in_a_mode_that_asks(
    bench: AcpBench, agent: str, chosen: str | None
) -> None:
    await bench.ask(recorded(agent, "length"), agent=agent)
    modes = [m["params"]["modeId"] for m in heard(bench.folder) if m["method"].endswith("set_mode")]
    assert modes == ([chosen] if chosen else [])


async def test_a_model_is_chosen_where_it_is_offered(bench: AcpBench) -> None:
    await bench.ask(recorded("claude", "429"), agent="claude", model="haiku")
    (chosen,) = [m["params"] for m in heard(bench.folder) if "set_config_option" in m["method"]]
    assert (chosen["configId"], chosen["value"]) == ("model", "haiku")


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"model": "gpt-9"}, base.ModelNotFound), ({"mode": "reckless"}, base.RequestRefused)],
)
async def test_what_is_not_offered_is_an_error_with_what_is(
    bench: AcpBench, asked: dict[str, str], error: type[base.AdapterError]
) -> None:
    with pytest.raises(error, match=r"it offers .*default"):
        await bench.ask(recorded("claude", "429"), agent="claude", **asked)


CAUSES: dict[tuple[int, str], type[base.AdapterError]] = {
    # Recorded; gemini puts the HTTP status into the code, and 500 for whatever broke.
    (400, "API key not valid. Please pass a valid API key."): base.AuthenticationFailed,
    (400, '{"error":{"code":400,"message":"x"}}'): base.RequestRefused,
    (429, "fake error 429 Suggested retry after 2s."): base.RateLimited,
    (500, '{"error":{"code":500,"message":"fake error 500"}}'): base.ServerFailed,
    (500, "exception TypeError: fetch failed sending request"): base.ConnectionFailed,
    (500, "terminated"): base.StreamCut,
    (500, "Unterminated string in JSON at position 19"): base.InvalidResponse,
    (500, "it broke"): base.ServerFailed,
    (-32603, "Internal error: fake error 401"): base.AuthenticationFailed,
    (-32000, "Authentication required"): base.AuthenticationFailed,
    (-31002, "Invalid API key (from env var KEY)."): base.AuthenticationFailed,
    # From vibe's own table of codes.
    (-31001, "Rate limit exceeded for x (model: y)."): base.RateLimited,
    (-31004, "Context too long for x (model: y)."): base.ContextTooLong,
    (-31005, "The model declined to respond for x."): base.OutputFiltered,
    (-32603, "Segmentation fault"): base.ProcessFailed,
}


@pytest.mark.parametrize(("code", "words"), list(CAUSES))
def test_the_cause_of_an_error(code: int, words: str) -> None:
    assert failure_of(code, words, None).cause is CAUSES[code, words]


def test_the_wait_stands_in_the_words() -> None:
    assert failure_of(429, "Suggested retry after 2s.", None).wait == 2.0
