"""Replies under watch: what runs away is stopped, what looks damaged is said, no more than that."""

import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.agents.parsing import ReplyRefused, parse_plan
from orchestra_tui.engine.agents.partial import PartialReply
from orchestra_tui.engine.agents.runaway import (
    ANSWER_LIMIT,
    FILE_LIMIT,
    MAX_PERIOD,
    STEP,
    WINDOW,
    RunawayWatch,
    repeated,
    size_limit,
)
from orchestra_tui.engine.validation.growing import CLOSED, Doubt, GrowingText

STDLIB = Path(sysconfig.get_paths()["stdlib"])


def real_files(count: int, *, seed: int) -> list[str]:
    """Files of the standard library, with its data and its tests where they are installed."""
    paths = sorted(path for path in STDLIB.rglob("*.py") if "site-packages" not in path.parts)
    chosen = random.Random(seed).sample(paths, min(count, len(paths)))
    largest = sorted(paths, key=lambda path: path.stat().st_size)[-5:]
    texts = []
    for path in (*chosen, *largest):
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    return texts


def reply_of(text: str) -> str:
    return f"=== FILE a.py\n{text}=== END FILE\n=== END REPLY\n"


def test_intact_files_of_the_standard_library_are_never_stopped() -> None:
    chance = random.Random(1)
    for text in real_files(400, seed=2):
        watch = RunawayWatch(size_limit(Role.EXECUTOR, None))
        reply, at = reply_of(text), 0
        while at < len(reply):
            size = chance.choice([1, 7, 60, 400, 5_000]) * chance.randint(1, 30)
            assert watch.feed(reply[at : at + size]) == ""
            at += size


def test_intact_files_of_the_standard_library_raise_no_doubt() -> None:
    chance = random.Random(3)
    for text in real_files(60, seed=4)[:60]:
        partial = PartialReply(Role.EXECUTOR, "a.py", chance.choice([None, text]))
        reply, at = reply_of(text), 0
        while at < len(reply):
            at += chance.choice([300, 1_000, 4_000]) + at // 10
            assert partial.look(reply[:at]) is None


@given(
    st.text(min_size=1, max_size=300).filter(lambda block: block.strip() != ""),
    st.integers(1, 3_000),
    st.integers(0, 40_000),
)
@settings(max_examples=60)
def test_a_reply_that_repeats_itself_is_stopped_within_a_bound(
    block: str, size: int, sane: int
) -> None:
    start = "".join(f"line {number} is new\n" for number in range(sane // 16))
    watch = RunawayWatch(FILE_LIMIT)
    for at in range(0, len(start), size):
        assert not watch.feed(start[at : at + size])
    endless = block * (2 * WINDOW // len(block) + 1)
    fed = 0
    while not watch.feed(endless[fed : fed + size]):
        fed += size
        assert fed <= WINDOW + 2 * max(STEP, size)
    assert "over and over" in watch.reason


def test_a_repeated_function_counts_and_a_table_does_not() -> None:
    function = "def f(x):\n" + "".join(f"    step_{n}(x)\n" for n in range(60)) + "\n\n"
    assert len(function) < MAX_PERIOD
    assert repeated((function * 40)[-WINDOW:]) == len(function)
    table = "".join(f"    ({n}, {n * n}),\n" for n in range(3_000))
    assert repeated(table[-WINDOW:]) == 0
    assert repeated("x" * (WINDOW - 1)) == 0


def test_what_the_file_had_already_is_no_repetition() -> None:
    old = "0x00,\n" * 40_000
    watch = RunawayWatch(size_limit(Role.EXECUTOR, old), old)
    assert not any(watch.feed(old[at : at + 500]) for at in range(0, len(old), 500))
    assert RunawayWatch(FILE_LIMIT).feed(old)


@pytest.mark.parametrize(
    ("role", "old", "limit"),
    [
        (Role.ARCHITECT, None, ANSWER_LIMIT),
        (Role.AUDITOR, "x", ANSWER_LIMIT),
        (Role.EXECUTOR, None, FILE_LIMIT),
        (Role.CONSULTANT, "x" * 1_000, 203_000),
    ],
    ids=["plan", "audit", "new file", "changed file"],
)
def test_growing_far_beyond_the_purpose_is_a_reason_too(
    role: Role, old: str | None, limit: int
) -> None:
    assert size_limit(role, old) == limit
    watch = RunawayWatch(size_limit(role, old), old or "")
    chance = random.Random(5)
    while not watch.feed(f"{chance.random()} is a new line\n" * 40):
        assert watch.length < limit + 10_000
    assert "grew to more than" in watch.reason
    assert watch.length > limit


def test_the_refusal_of_a_stopped_reply_says_why() -> None:
    with pytest.raises(ReplyRefused, match="the same 6 characters, over and over") as refusal:
        parse_plan("{" + "again " * 5_000, FinishReason.RUNAWAY)
    assert not refusal.value.is_cut
    with pytest.raises(ReplyRefused, match="stopped after 20 characters"):
        parse_plan("x" * 20, FinishReason.RUNAWAY)


LINES = [f"def f{n}(x):\n    return x + {n}\n\n\n" for n in range(200)]
SOUND = "".join(LINES)


def doubts(reply: str, *, old: str | None = None, role: Role = Role.EXECUTOR) -> list[Doubt]:
    """Every doubt while the reply grows by a few lines at a time, as often as it is raised."""
    partial = PartialReply(role, "a.py", old)
    found = []
    for at in range(0, len(reply) + 400, 400):
        if doubt := partial.look(reply[:at]):
            found.append(doubt)
    return found


def test_an_elision_is_said_while_the_reply_still_comes() -> None:
    elided = "".join(LINES[:5]) + "# ... rest of the code unchanged\n" + "".join(LINES[5:])
    found = doubts(reply_of(elided))
    assert found[0].line == 21
    assert "# ... rest of the code unchanged" in found[0].message
    assert doubts(reply_of(elided), old=elided) == []


def test_an_error_is_said_once_it_is_left_behind() -> None:
    broken = "".join(LINES[:5]) + "def g(:\n    return = 3\n\n\n" + "".join(LINES[5:])
    found = doubts(reply_of(broken))
    assert found[0] == Doubt(found[0].line, "a syntax error is left behind")
    assert 21 <= (found[0].line or 0) <= 22
    assert CLOSED > 10
    assert doubts(reply_of(broken), old=broken) == []
    assert doubts(reply_of("".join(LINES[:100]) + "x = (\n")) == []


@pytest.mark.parametrize(
    ("reply", "role", "says"),
    [
        ("Sure, here is the file:\n\n=== FILE a.py\n", Role.EXECUTOR, "begin with its file"),
        ("=== FILE a.py\n```python\nx = 1\n", Role.EXECUTOR, "fence stands around"),
        ("Here is the plan:\n{\n", Role.ARCHITECT, "begin with a JSON object"),
        ("I looked at it.\n", Role.AUDITOR, "begin with a JSON object"),
    ],
)
def test_what_can_not_become_a_reply_any_more_is_said(reply: str, role: Role, says: str) -> None:
    assert says in doubts(reply, role=role)[0].message


@pytest.mark.parametrize(
    "reply", ["", "\n\n", "Sure", "=== FI", "{", '{\n"summary"', "```json\n{\n"]
)
def test_what_may_still_become_one_is_not(reply: str) -> None:
    role = Role.EXECUTOR if reply.startswith(("S", "=")) else Role.ARCHITECT
    assert doubts(reply, role=role) == []
    if not reply.strip():
        assert doubts(reply) == []


PIECES = [*LINES[:4], "x = (\n", "    y = 1\n", '"""\n', ")\n", "é = '€'\n"]


@given(st.lists(st.sampled_from(PIECES)))
def test_a_text_that_grows_is_parsed_as_if_it_had_come_at_once(pieces: list[str]) -> None:
    """Whatever was parsed on the way, the errors left behind are those of the whole text."""
    text = "".join([*pieces, "\n" * (CLOSED + 1)])
    at_once, growing = GrowingText("a.py", None), GrowingText("a.py", None)
    for number in range(len(pieces)):
        growing.look("".join(pieces[: number + 1]))
    last = [growing.look(text) for _ in range(3)][-1]
    assert last == [at_once.look(text) for _ in range(3)][-1]
