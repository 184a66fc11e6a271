"""Answers that are cut at their length: continued by the same adapter, and the joint is checked."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.fallback import error_class
from orchestra_tui.engine.adapters.fallback_joint import JointStream, anchor_of, joined
from tests.engine.chain_doubles import Notes, Says, ScriptedAdapter, chain_of, run_timeless

WHOLE = "".join(
    f"def function_{i}(value: int) -> int:\n    return value * {i}\n\n" for i in range(40)
)
CUT = FinishReason.LENGTH


def cut(text: str) -> Says:
    return Says(text, finish=CUT)


def tail_after(head: str, text: str) -> str:
    """What a model sends that does as it is told: the anchor and the rest."""
    anchor = anchor_of(head)
    assert anchor is not None
    return anchor + text[len(head) :]


@given(st.integers(41, len(WHOLE) - 1), st.integers(1, 5))
def test_the_joint_holds_wherever_the_cut_was(at: int, size: int) -> None:
    head = WHOLE[:at]
    anchor = anchor_of(head)
    assert anchor is not None
    assert head.endswith(anchor)
    tail = tail_after(head, WHOLE)
    assert joined(head, anchor, tail) == WHOLE
    assert joined(head, anchor, "\n" + tail) == WHOLE
    stream = JointStream(anchor)
    pieces = [tail[i : i + size] for i in range(0, len(tail), size)]
    assert "".join(stream.feed(piece) for piece in pieces) == WHOLE[at:]


@given(st.integers(60, len(WHOLE) - 1), st.integers(1, 30))
def test_missing_or_doubled_text_is_refused(at: int, lost: int) -> None:
    head = WHOLE[:at]
    anchor = anchor_of(head)
    assert anchor is not None
    tail = tail_after(head, WHOLE)
    assert joined(head, anchor, tail[lost:]) is None
    assert joined(head, anchor, WHOLE[at:]) is None, "not one word of the overlap"
    assert joined(head, anchor, anchor + tail) is None, "the overlap twice"
    assert joined(head, anchor, "Sure, here is the rest:\n" + tail) is None
    if at > 80:
        assert joined(head, anchor, WHOLE) is None, "from the beginning"
        assert joined(head, anchor, anchor + "\n" + WHOLE) is None


@given(st.text(max_size=300))
def test_a_cut_is_named_so_that_there_is_only_one(head: str) -> None:
    anchor = anchor_of(head)
    assume(anchor is not None)
    assert anchor
    assert head.endswith(anchor)
    assert len(head) <= 40 or head.count(anchor) == 1


def test_text_that_repeats_itself_is_not_continued() -> None:
    assert anchor_of("ab" * 1000) is None
    assert anchor_of("  \n ") is None


def test_the_same_adapter_continues_before_another_is_asked() -> None:
    async def work() -> None:
        head, second = WHOLE[:500], WHOLE[:1200]
        long = ScriptedAdapter(
            "a", cut(head), cut(tail_after(head, second)), Says(tail_after(second, WHOLE))
        )
        other = ScriptedAdapter("b")
        notes = Notes()
        answer = await chain_of(long, other).answer(notes)
        assert answer.text == WHOLE
        assert answer.finish is FinishReason.STOP
        assert notes.calls == ["a", "a", "a"]
        asked = long.requests[1].messages
        assert asked[1].author == "assistant"
        assert asked[1].text == head
        assert str(anchor_of(head)) in asked[2].text

    run_timeless(work())


@pytest.mark.parametrize("tail", ["something else\n", WHOLE[600:], WHOLE, ""])
def test_a_joint_that_does_not_hold_goes_to_the_next(tail: str) -> None:
    async def work() -> None:
        long = ScriptedAdapter("a", cut(WHOLE[:500]), Says(tail))
        other = ScriptedAdapter("b", Says(WHOLE))
        notes = Notes()
        answer = await chain_of(long, other).answer(notes)
        assert answer.text == WHOLE
        assert notes.calls == ["a", "a", "b"]
        assert ("hop", "a", "b", "output_truncated") in notes.lines
        assert len(other.requests[0].messages) == 1, "the next begins anew"

    run_timeless(work())


def test_it_is_continued_three_times_and_no_more() -> None:
    async def work() -> None:
        cuts = [WHOLE[:at] for at in (300, 600, 900, 1200)]
        steps = [cuts[0], *(tail_after(a, b) for a, b in pairwise(cuts))]
        only = ScriptedAdapter("a", *map(cut, steps))
        answer = await chain_of(only).answer(Notes())
        assert answer.finish is CUT, "who asked sees that it is not whole"
        assert answer.text == WHOLE[:1200]
        assert len(only.requests) == 4

    run_timeless(work())


def test_a_failure_in_a_continuation_drops_what_the_other_would_have_to_finish() -> None:
    async def work() -> None:
        limited = Says(error=base.RateLimited("a: 429", retry_after=500))
        long = ScriptedAdapter("a", cut(WHOLE[:500]), limited)
        other = ScriptedAdapter("b", Says(WHOLE))
        notes = Notes()
        assert (await chain_of(long, other).answer(notes)).text == WHOLE
        assert notes.calls == ["a", "a", "b"]

    run_timeless(work())


def test_a_client_that_fails_at_the_limit_is_continued_from_what_came() -> None:
    async def work() -> None:
        head = WHOLE[:500]
        stopped = error_class("output_truncated")("a: max_output_tokens", partial=head)
        long = ScriptedAdapter("a", Says(error=stopped), Says(tail_after(head, WHOLE)))
        answer = await chain_of(long).answer(Notes())
        assert answer.text == WHOLE

    run_timeless(work())
