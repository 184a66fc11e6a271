"""What real clients printed, case by case, played to the adapter of that client."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import CostBasis
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.process.gemini_cli import GeminiReader
from tests.engine.process_sandbox import ClientBench
from tests.stubs.scripted_client import RECORDINGS, recorded

HELLO = "Hello from the fake model. Everything is fine."
WRITTEN = "written by the fake model\n"
REPLY = f"=== FILE hello.txt\n{WRITTEN}=== END FILE\n=== END REPLY\n"
CLIENTS = ("codex", "claude", "gemini_cli", "opencode", "vibe")
FORMS = ("date", "ms", "text", "bare", "long", "absurd")
"""How the server says when it will answer again; "text" in words, "bare" not at all."""

# The recording server always says 1200 in (200 cached), 34 out (5 reasoning); each client counts
# differently, and claude and vibe say nothing of reasoning.
ONE = {
    "codex": Usage(
        input_tokens=1200,
        output_tokens=34,
        cached_tokens=200,
        reasoning_tokens=5,
        cache_write_tokens=0,
    ),
    "claude": Usage(
        input_tokens=1200,
        output_tokens=34,
        cached_tokens=200,
        reasoning_tokens=0,
        cache_write_tokens=0,
    ),
    "gemini_cli": Usage(input_tokens=1200, output_tokens=34, cached_tokens=200, reasoning_tokens=5),
    "opencode": Usage(
        input_tokens=1200,
        output_tokens=34,
        cached_tokens=200,
        reasoning_tokens=5,
        cache_write_tokens=0,
    ),
    "vibe": Usage(),
}

ERRORS: dict[tuple[str, str], type[base.AdapterError]] = {
    **{(client, "401"): base.AuthenticationFailed for client in CLIENTS},
    **{(client, "400"): base.RequestRefused for client in CLIENTS},
    **{(client, "429"): base.RateLimited for client in CLIENTS},
    **{(client, "500"): base.ServerFailed for client in CLIENTS},
    **{(client, "empty"): base.EmptyResponse for client in CLIENTS},
    **{(client, "stopped"): base.ProcessFailed for client in CLIENTS},
    **{(client, "malformed"): base.InvalidResponse for client in CLIENTS},
    **{(client, "cut"): base.StreamCut for client in CLIENTS},
    **{(client, "down"): base.ConnectionFailed for client in CLIENTS},
    **{(client, f"429-{form}"): base.RateLimited for client in CLIENTS for form in FORMS},
    **{(client, "429-quota"): base.QuotaExhausted for client in CLIENTS},
    **{(client, "hang"): base.FirstByteTimeout for client in CLIENTS},
    # Most say nothing before a message is whole.
    **{(client, "hang-stream"): base.FirstByteTimeout for client in CLIENTS},
    ("claude", "hang-stream"): base.IdleTimeout,
    ("gemini_cli", "hang-stream"): base.IdleTimeout,
    # Its own clock was shorter than ours.
    ("claude", "timeout"): base.FirstByteTimeout,
    # Its retry notice says "rate_limit" of both.
    ("claude", "429-quota"): base.RateLimited,
    # codex has one sentence for every 5xx, and tells a broken event from a broken line not at all.
    ("codex", "500"): base.Overloaded,
    ("codex", "malformed"): base.StreamCut,
    ("vibe", "stopped"): base.StreamCut,
}
ANSWERS = {
    **{(client, case): FinishReason.STOP for client in CLIENTS for case in ("plain", "edit")},
    **{(client, "length"): FinishReason.LENGTH for client in CLIENTS},
    # gemini says nothing of it: an answer without its end is found when it is read.
    ("gemini_cli", "length"): FinishReason.STOP,
    ("gemini_cli", "again"): FinishReason.STOP,
}


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> ClientBench:
    return ClientBench(tmp_path, AdapterKind(request.param))


def test_every_recording_is_played() -> None:
    there = {tuple(path.stem.split("-", 1)) for path in RECORDINGS.glob("*.json")}
    assert there == ERRORS.keys() | ANSWERS.keys()


@pytest.mark.parametrize(("bench", "case"), list(ERRORS), indirect=["bench"])
async def test_a_failure_becomes_the_error_of_its_cause(bench: ClientBench, case: str) -> None:
    is_by_our_clock = case.startswith("hang") and ERRORS[bench.kind, case] is base.FirstByteTimeout
    with pytest.raises(base.AdapterError) as caught:
        await bench.ask(
            recorded(bench.kind, case),
            seconds=1.0 if case == "hang-stream" else 20.0,
            first=2.0 if is_by_our_clock else 20.0,
        )
    assert type(caught.value) is ERRORS[bench.kind, case]
    assert bench.left_running() == []


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_an_answer_is_its_last_message(bench: ClientBench) -> None:
    answer = await bench.ask(recorded(bench.kind, "plain"))
    assert (answer.text, answer.finish) == (HELLO, FinishReason.STOP)
    assert answer.usage == ONE[bench.kind]
    assert "".join(bench.deltas).strip() == HELLO
    assert bench.left_running() == []


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_only_claude_said_what_it_cost(bench: ClientBench) -> None:
    """opencode said 0, as it has no price for the model: that is no price."""
    cost = (await bench.ask(recorded(bench.kind, "plain"))).cost
    if bench.kind != "claude":
        assert cost is None
        return
    assert cost is not None
    assert cost.basis is CostBasis.REPORTED
    assert cost.usd > 0


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_what_a_failure_used_is_known_only_with_its_cost(bench: ClientBench) -> None:
    """claude says 0 also after a stream that was cut, when tokens were paid for."""
    for case, is_told in (("cut", False), ("empty", bench.kind == "claude")):
        if (bench.kind, case) in ERRORS:
            with pytest.raises(base.AdapterError) as caught:
                await bench.ask(recorded(bench.kind, case))
            assert (caught.value.usage is not None) == is_told
            assert (caught.value.cost is not None) == is_told


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_a_file_that_was_changed_is_the_reply(bench: ClientBench) -> None:
    play = recorded(bench.kind, "edit")
    play.writes.update({"hello.txt": WRITTEN, "README.md": "# mine\n", "notes/x.md": "x\n"})
    answer = await bench.ask(play)
    assert answer.text == REPLY
    assert answer.usage == ONE[bench.kind] + ONE[bench.kind]
    assert "not taken: README.md, notes/x.md" in bench.deltas[-1]
    assert (bench.project / "README.md").read_text() == "# demo\n"
    assert not (bench.project / "hello.txt").exists()


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_a_file_counts_only_with_a_final_success(bench: ClientBench) -> None:
    play = recorded(bench.kind, "stopped")
    play.writes.update({"hello.txt": WRITTEN})
    with pytest.raises(base.AdapterError):
        await bench.ask(play)


@pytest.mark.parametrize("bench", CLIENTS, indirect=True)
async def test_a_reader_answers_with_words_only(bench: ClientBench) -> None:
    play = recorded(bench.kind, "edit")
    play.writes.update({"hello.txt": WRITTEN})
    answer = await bench.ask(play, role=Role.AUDITOR)
    assert answer.text == HELLO


LINES = st.lists(st.text(alphabet="ab \n", min_size=1, max_size=6), min_size=2, max_size=12)


@given(said=LINES, until=st.integers(1, 11))
def test_gemini_that_begins_its_answer_again_gives_it_once(said: list[str], until: int) -> None:
    """In pieces of any size; no two lines are the same, so that nothing else is a beginning."""
    pieces = [f"{number}: {text}" for number, text in enumerate(said)]
    begun = pieces[: min(until, len(pieces) - 1)]
    reader = GeminiReader()
    for piece in [*begun, *pieces]:
        reader.feed({"type": "message", "role": "assistant", "content": piece})
    whole = "".join(pieces)
    is_told = len("".join(begun)) >= 8
    assert reader.text == (whole if is_told else "".join(begun) + whole)


@pytest.mark.parametrize(("bench", "case"), [("gemini_cli", "again")], indirect=["bench"])
async def test_what_came_before_a_silent_restart_is_dropped(bench: ClientBench, case: str) -> None:
    answer = await bench.ask(recorded(bench.kind, case))
    assert answer.text == HELLO


@pytest.mark.parametrize("bench", ["gemini_cli"], indirect=True)
async def test_a_character_in_two_pieces_is_joined_and_half_of_one_refused(
    bench: ClientBench,
) -> None:
    """As programs write that count in UTF-16."""
    play = recorded(bench.kind, "plain")
    at = next(n for n, line in enumerate(play.stdout) if '"assistant"' in line)
    said = json.loads(play.stdout[at])
    halves = [json.dumps({**said, "content": half}) for half in ("\ud83d", "\ude00")]
    whole = replace(play, stdout=[*play.stdout[:at], *halves, *play.stdout[at:]])
    assert (await bench.ask(whole)).text == f"\U0001f600{HELLO}"
    with pytest.raises(base.InvalidResponse, match="half a character") as caught:
        await bench.ask(replace(whole, stdout=[*play.stdout[:at], halves[0], *play.stdout[at:]]))
    caught.value.partial.encode()


@pytest.mark.parametrize(
    ("bench", "case"), [key for key in ANSWERS if key[1] == "length"], indirect=["bench"]
)
async def test_a_cut_answer_says_so(bench: ClientBench, case: str) -> None:
    answer = await bench.ask(recorded(bench.kind, case))
    assert answer.finish is ANSWERS[bench.kind, case]
    assert answer.text.startswith(HELLO)
    assert "API Error" not in answer.text


@pytest.mark.parametrize(
    ("bench", "case", "seconds"),
    [
        ("claude", "429", 1.108),
        *((client, "429-text", 20.0) for client in ("gemini_cli", "opencode", "vibe")),
        # A wait that the client chose itself is not the provider's.
        *((client, "429-bare", None) for client in CLIENTS),
    ],
    indirect=["bench"],
)
async def test_the_wait_that_was_asked_for_is_kept(
    bench: ClientBench, case: str, seconds: float | None
) -> None:
    with pytest.raises(base.RateLimited) as caught:
        await bench.ask(recorded(bench.kind, case))
    assert caught.value.retry_after == seconds
