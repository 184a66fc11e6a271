"""The reply of Executor and Consultant: one file, whole or as edits, or a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.agents.edits import EditBlock
from orchestra_tui.engine.agents.file_replies import (
    FileEdits,
    WholeFile,
    composed,
    parse_file_reply,
)
from orchestra_tui.engine.agents.parsing import ReplyRefused

STOP = FinishReason.STOP
ONE_BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


def whole(content: str, path: str = "a.py") -> str:
    return f"=== FILE {path}\n{content}=== END FILE\n=== END REPLY\n"


def edits(content: str, path: str = "a.py") -> str:
    return f"=== EDIT {path}\n{content}=== END EDIT\n=== END REPLY\n"


def read(text: str, finish: FinishReason = STOP) -> WholeFile | FileEdits:
    return parse_file_reply(text, finish, path="a.py", other_paths=("b.py",))


def refusal(text: str, finish: FinishReason = STOP) -> ReplyRefused:
    with pytest.raises(ReplyRefused) as caught:
        read(text, finish)
    return caught.value


MARKERS = st.sampled_from(
    ["=== END FILE", "=== END EDIT", "=== FILE c.py", "=== END REPLY", "=======", "```", "", "x"]
)


@given(st.lists(MARKERS | st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"))))
def test_a_whole_file_holds_any_lines_also_marker_lines(lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    assert read(whole(content)) == WholeFile("a.py", content)


@pytest.mark.parametrize("reply", [whole("x = 1\n\ny = 2\n"), edits(ONE_BLOCK)])
def test_a_reply_cut_anywhere_is_refused_as_cut(reply: str) -> None:
    """Only the newline after the last line may be missing."""
    assert all(refusal(reply[:size]).is_cut for size in range(len(reply) - 1))


@pytest.mark.parametrize("finish", [reason for reason in FinishReason if reason is not STOP])
def test_only_a_proper_finish_makes_a_whole_reply(finish: FinishReason) -> None:
    assert refusal(whole("x\n"), finish)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sure!\n" + whole("x\n"), "does not begin with the line === FILE a.py"),
        ("```\n" + whole("x\n") + "```", "the last line is not === END REPLY"),
        (whole("x\n") + "Done.", "the last line is not === END REPLY"),
        (" " + whole("x\n"), "does not begin"),
        (whole("x\n", "b.py"), "is about b.py; the step's file is a.py"),
        (whole("x\n", "../../etc/passwd"), "the step's file is a.py"),
        (whole("x\n").replace("=== END FILE\n", ""), "is not === END FILE"),
        (whole("x\n").replace("=== END FILE", "=== END EDIT"), "is not === END FILE"),
        ("=== FILE a.py\n=== END REPLY", "is not === END FILE"),
        ("=== END REPLY", "does not begin"),
        (whole("x\n=== END FILE\n\n=== FILE b.py\ny\n"), "a second file, b.py"),
        (whole("x\n=== END FILE\n=== END REPLY\n=== FILE a.py\ny\n"), "a second file, a.py"),
        (whole("x\0\n"), "NUL"),
        (whole("x\ud800\n"), "surrogate"),
        (edits("old\n"), "line 2 of the reply is in no edit block: 'old'"),
        (edits("<<<<<<< SEARCH\nx\n=======\ny\n"), "block 1 does not end in >>>>>>> REPLACE"),
        (edits("<<<<<<< SEARCH\nx\n>>>>>>> REPLACE\n"), "block 1 has no ======= line"),
        (
            edits("<<<<<<< SEARCH\nx\n=======\ny\n=======\nz\n>>>>>>> REPLACE\n"),
            "block 1 has 2 ======= lines",
        ),
        (
            edits("<<<<<<< SEARCH\nx\n=======\n" + ONE_BLOCK),
            "block 1 does not end in >>>>>>> REPLACE",
        ),
        (edits(ONE_BLOCK + ">>>>>>> REPLACE\n"), "block 1 is closed twice"),
        (edits(ONE_BLOCK * 501), "more than 500 edit blocks"),
    ],
    ids=lambda value: value[:30] if len(value) < 100 else "long",
)
def test_a_reply_of_another_form_is_refused_with_a_reason(text: str, reason: str) -> None:
    assert reason in refusal(text).reason


def test_edits_are_read_in_their_order() -> None:
    second = "<<<<<<< SEARCH\na\n\nb\n=======\n>>>>>>> REPLACE\n"
    reply = read("\n\n" + edits(ONE_BLOCK + "\n" + second) + "\n \n")
    assert reply == FileEdits(
        "a.py", (EditBlock(("old",), ("new",)), EditBlock(("a", "", "b"), ()))
    )


def test_longer_marker_lines_let_a_block_hold_the_usual_ones() -> None:
    inner = "Title\n=======\n>>>>>>> REPLACE\n"
    block = f"<<<<<<<< SEARCH\n{inner}========\nTitle\n>>>>>>>> REPLACE\n"
    reply = read(edits(block))
    assert reply == FileEdits("a.py", (EditBlock(tuple(inner.splitlines()), ("Title",)),))


def test_windows_line_ends_of_a_reply_are_read_as_plain_ones() -> None:
    assert read(whole("x\ny\n").replace("\n", "\r\n")) == WholeFile("a.py", "x\ny\n")


def test_the_remark_with_which_prompts_close_a_file_may_be_repeated() -> None:
    reply = whole("x\n").replace("=== END FILE", "=== END FILE (no final newline)")
    assert read(reply) == WholeFile("a.py", "x\n")


def test_a_whole_file_ends_as_its_base_does() -> None:
    reply = read(whole("x\n"))
    assert composed(reply, None) == "x\n"
    assert composed(reply, "") == "x\n"
    assert composed(reply, "old\n") == "x\n"
    assert composed(reply, "old") == "x"
    assert composed(read(whole("")), "old") == ""


def test_edits_are_composed_against_the_base_or_refused() -> None:
    reply = read(edits(ONE_BLOCK))
    assert composed(reply, "a\nold\n") == "a\nnew\n"
    with pytest.raises(ReplyRefused, match="block 1 is not in the file"):
        composed(reply, "a\n")
    with pytest.raises(ReplyRefused, match=r"a\.py does not exist yet"):
        composed(reply, None)


def test_no_block_at_all_is_for_a_rename_only() -> None:
    reply = read(edits(""))
    assert composed(reply, "a\n", is_rename=True) == "a\n"
    with pytest.raises(ReplyRefused, match="it changes nothing"):
        composed(reply, "a\n")


@pytest.mark.parametrize(
    "line", ["=== FILE " + " " * 300_000 + "x", "<" * 300_000, "=" * 300_000, " " * 300_000]
)
def test_a_hostile_reply_takes_no_quadratic_time(line: str) -> None:
    """A line that almost is a marker; the suite's time limit is the judge."""
    assert read(whole(f"{line}\n")) == WholeFile("a.py", f"{line}\n")
    assert refusal(line)
    assert refusal(edits(f"{line}y\n"))
