"""What syntax cannot decide, the end of a reply does: in every format, in every case.

A reply whose end mark is missing or whose provider did not say that it was done is refused,
wherever it was cut, whatever it held.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.agents.file_replies import END_REPLY, parse_file_reply
from orchestra_tui.engine.agents.parsing import ReplyRefused, parse_audit, parse_plan

LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))).map(
    lambda lines: [line for line in lines if not line.startswith(("===", "<<<", ">>>"))]
)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
UNENDED = [reason for reason in FinishReason if reason is not FinishReason.STOP]


@st.composite
def replies(draw: st.DrawFn) -> tuple[str, str]:
    """A format and a whole reply in it."""
    kind = draw(st.sampled_from(["plan", "audit", "file", "edit"]))
    if kind == "plan":
        step = {"id": "s1", "path": "a.py", "change": "modify", "purpose": draw(WORDS)}
        value = {"summary": draw(WORDS), "steps": [step], "checks": [], "commit_message": "m"}
        return kind, json.dumps({**value, "end": True}, ensure_ascii=draw(st.booleans()))
    if kind == "audit":
        issue = {"severity": "error", "line": 1, "message": draw(WORDS), "suggestion": draw(WORDS)}
        value = {"verdict": "issues", "issues": [issue], "end": True}
        return kind, json.dumps(value, indent=draw(st.sampled_from([None, 2])))
    text = "".join(f"{line}\n" for line in draw(LINES))
    if kind == "file":
        return kind, f"=== FILE a.py\n{text}=== END FILE\n{END_REPLY}\n"
    block = f"<<<<<<< SEARCH\nx\n{text}=======\ny\n{text}>>>>>>> REPLACE\n"
    return kind, f"=== EDIT a.py\n{block}=== END EDIT\n{END_REPLY}\n"


def read(kind: str, text: str, finish: FinishReason = FinishReason.STOP) -> object:
    match kind:
        case "plan":
            return parse_plan(text, finish)
        case "audit":
            return parse_audit(text, finish)
        case _:
            return parse_file_reply(text, finish, path="a.py")


@given(replies(), st.data())
def test_a_reply_that_is_cut_anywhere_is_refused(
    reply: tuple[str, str], data: st.DataObject
) -> None:
    kind, text = reply
    assert read(kind, text)
    cut = text[: data.draw(st.integers(0, len(text.rstrip()) - 1))]
    with pytest.raises(ReplyRefused):
        read(kind, cut)


@given(replies(), st.sampled_from(UNENDED))
def test_a_whole_reply_without_a_proper_finish_is_refused(
    reply: tuple[str, str], finish: FinishReason
) -> None:
    with pytest.raises(ReplyRefused):
        read(*reply, finish)


@given(replies())
def test_a_reply_without_its_end_mark_is_refused(reply: tuple[str, str]) -> None:
    kind, text = reply
    if kind in {"plan", "audit"}:
        value = json.loads(text)
        del value["end"]
        without = [json.dumps(value), json.dumps(value | {"end": False})]
    else:
        without = [text.removesuffix(f"{END_REPLY}\n"), text.removesuffix("D REPLY\n")]
    for one in without:
        with pytest.raises(ReplyRefused):
            read(kind, one)
