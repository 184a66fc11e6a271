"""Plans and audits: what is read, and how what is hostile or wrong is refused with a reason."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.review import Severity, Verdict
from orchestra_tui.engine.agents.parsing import (
    MAX_REASON,
    MAX_REPLY,
    ReplyRefused,
    parse_audit,
    parse_plan,
)

STOP = FinishReason.STOP


def step(**fields: object) -> dict[str, object]:
    return {
        "id": "s1", "path": "app.py", "change": "modify", "purpose": "", "depends_on": []
    } | fields  # fmt: skip


def plan(*steps: dict[str, object], **fields: object) -> str:
    reply = {"summary": "Do it", "steps": list(steps), "checks": [], "commit_message": "feat: it"}
    return json.dumps(reply | fields | {"end": True})


def audit(verdict: str, *issues: dict[str, object]) -> str:
    return json.dumps({"verdict": verdict, "issues": list(issues), "end": True})


def refusal(text: str, finish: FinishReason = STOP) -> ReplyRefused:
    with pytest.raises(ReplyRefused) as caught:
        parse_plan(text, finish)
    assert caught.value.reason == str(caught.value)
    return caught.value


def test_a_plan_is_read_with_all_its_fields() -> None:
    second = step(id="s2", path="b.py", change="rename", depends_on=["s1"], notes="keep it small")
    read = parse_plan(plan(step(), second | {"from": "old/b.py"}, checks=["pytest"]), STOP)
    assert (read.summary, read.checks, read.commit_message) == ("Do it", ("pytest",), "feat: it")
    assert [one.id for one in read.steps] == ["s1", "s2"]
    assert read.steps[1].change is ChangeKind.RENAME
    assert read.steps[1].from_path == "old/b.py"
    assert read.steps[1].depends_on == ("s1",)
    assert read.steps[1].notes == "keep it small"


@pytest.mark.parametrize(
    "around", ["{}", "\n\n {} \n", "```json\n{}\n```", "```\n{}\n```\n", "```json\r\n{}\r\n```"]
)
def test_one_fence_and_blank_space_around_the_object_are_fine(around: str) -> None:
    assert parse_plan(around.replace("{}", plan(step())), STOP).steps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the reply is empty"),
        ("  \n ", "the reply is empty"),
        ("Here is the plan: " + plan(step()), "nothing around it"),
        (plan(step()) + "\nHope it helps!", "text after the JSON object"),
        ("```json\n" + plan(step()) + "\n```\nDone.", "nothing around it"),
        ("[1]", "nothing around it"),
        ('"text"', "nothing around it"),
        (plan(step())[:-1], "the JSON is broken"),
        (plan(step()).replace('"app.py"', "NaN"), "NaN is not JSON"),
        (plan(step()).replace('"app.py"', "-Infinity"), "-Infinity is not JSON"),
        (plan(step()).replace('"app.py"', "9" * 10_000), "a number that is too long"),
        (plan(step()).replace('"app.py"', "1e999"), "steps[0].path"),
        (plan(step()).replace('"app.py"', "[" * 100_000), "nested too deeply"),
        (plan(step()).replace('"app.py"', "[" * 50 + "]" * 50), "16 levels deep"),
        (plan(step()).replace('"checks"', '"steps": [], "checks"'), "'steps' is there twice"),
        (plan(step()).replace('"app.py"', r'"a\ud800.py"'), "surrogate"),
        (plan(step()).replace('"app.py"', r'"a\u0000.py"'), "NUL"),
        (plan(step()).replace(', "end": true', ""), '"end": true is missing'),
        (plan(step()).replace('"end": true', '"end": true, "x": 1'), "must be the last key"),
        (plan(step()).replace('"end": true', '"end": 1'), "must be true"),
        (plan(step()).replace('"end": true', '"end": false'), "must be true"),
        (plan(step(path=7)), "steps[0].path: Input should be a valid string"),
        (plan(step(id=1)), "steps[0].id: "),
        (plan(step(change="move")), "steps[0].change: "),
        (plan(step(depends_on="s1")), "steps[0].depends_on: "),
        (plan(step(dependsOn=[])), "steps[0].dependsOn: Extra inputs are not permitted"),
        (plan(summary=None), "summary: "),
        (plan(steps={"s1": step()}), "steps: Input should be a valid list"),
        (plan(), "the plan has no enabled step"),
        (plan(step(path="../x")), "step s1: ../x leaves the project"),
        (plan(step(path="/etc/passwd")), "not inside the project"),
        (plan(step(path=".git/hooks/pre-commit")), "belongs to git"),
        (plan(step(path="C:\\x")), "not inside the project"),
        (plan(step(path="")), "the path is empty"),
        (plan(step(change="rename")), "rename from: the path is empty"),
        (plan(step(**{"from": "b.py"})), '"from" is for a rename only'),
        (plan(step(depends_on=["s9"])), "waits for step s9, which is not there"),
        (plan(step(depends_on=["s1"])), "form a circle"),
        (plan(step(), step()), "the id s1 is used twice"),
        (plan(step(), step(id="s2", path="APP.py")), "also the file of step s1"),
        (plan(steps=[{}] * 100_000), "has 100000 steps"),
        (plan(step(), checks=["rm -rf /"]), "is not the name of a check"),
        (plan(step(), checks=["x"] * 1000), "checks: "),
        ("{" + " " * MAX_REPLY + "}", "longer than"),
    ],
    ids=lambda value: value[:30] if len(value) < 100 else "long",
)  # fmt: skip
def test_what_is_hostile_or_wrong_is_refused_with_a_reason(text: str, reason: str) -> None:
    error = refusal(text)
    assert reason in error.reason
    assert len(error.reason) <= MAX_REASON + 3


@pytest.mark.parametrize(
    ("finish", "is_cut"),
    [
        (FinishReason.LENGTH, True),
        (FinishReason.FILTERED, True),
        (FinishReason.TOOL, False),
        (FinishReason.ERROR, True),
        (FinishReason.UNKNOWN, True),
    ],
)
def test_only_a_proper_finish_makes_a_whole_reply(finish: FinishReason, *, is_cut: bool) -> None:
    assert refusal(plan(step()), finish).is_cut is is_cut


def test_a_plan_cut_anywhere_is_refused_as_cut() -> None:
    whole = plan(step(), step(id="s2", path="b.py"))
    assert all(refusal(whole[:size]).is_cut for size in range(len(whole)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["summary", "steps", "checks", "commit_message", "end"]))
def test_any_value_in_any_place_is_read_or_refused(value: object, key: str) -> None:
    reply = json.loads(plan(step())) | {key: value}
    for read in (parse_plan, parse_audit):
        with contextlib.suppress(ReplyRefused):
            assert read(json.dumps(reply), STOP)


def test_ids_of_another_form_are_replaced_also_where_steps_wait_for_them() -> None:
    steps = (
        step(id="step 1"),
        step(id="s1", path="b.py", depends_on=["step 1"]),
        step(id="", path="c.py", depends_on=["s1", "step 1", "s1"]),
    )
    read = parse_plan(plan(*steps), STOP)
    assert [one.id for one in read.steps] == ["s2", "s1", "s3"]
    assert [one.depends_on for one in read.steps] == [(), ("s2",), ("s1", "s2")]


def test_a_check_with_a_space_is_a_name_only_if_it_was_offered() -> None:
    text = plan(step(), checks=["npm test"])
    assert parse_plan(text, STOP, known_checks=("npm test",)).checks == ("npm test",)
    assert "name of a check" in refusal(text).reason


def test_optional_fields_may_be_null_or_missing() -> None:
    lean = {"id": "a", "path": "a.py", "change": "create", "purpose": "x"}
    full = lean | {"id": "b", "path": "b.py", "from": None, "notes": None}
    assert [one.notes for one in parse_plan(plan(lean, full), STOP).steps] == ["", ""]


def test_an_audit_is_read_with_its_issues() -> None:
    found = {"severity": "error", "line": 3, "message": "m", "suggestion": "s"}
    bare = {"severity": "info", "line": None, "message": "n"}
    verdict, issues = parse_audit(audit("issues", found, bare), STOP)
    assert verdict is Verdict.ISSUES
    assert [(one.severity, one.line, one.suggestion) for one in issues] == [
        (Severity.ERROR, 3, "s"),
        (Severity.INFO, None, ""),
    ]
    assert parse_audit(audit("pass"), STOP) == (Verdict.PASS, ())
    assert parse_audit(audit("pass", bare), STOP)[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (audit("fine"), "verdict: "),
        (audit("issues"), "the list of issues is empty"),
        (audit("pass", {"severity": "error", "message": "m"}), '"pass" but an issue is an error'),
        (audit("issues", {"severity": "bad", "message": "m"}), "issues[0].severity"),
        (audit("issues", {"severity": "info", "message": ""}), "issues[0].message"),
        (audit("issues", {"severity": "info", "message": "m", "line": 0}), "issues[0].line"),
        (audit("issues", {"severity": "info", "message": "m", "line": True}), "issues[0].line"),
        (audit("issues", {"severity": "info", "message": "m", "line": 10**400}), "issues[0].line"),
        (audit("issues", *[{"severity": "info", "message": "m"}] * 100_000), "issues: "),
        ("Looks good to me.", "nothing around it"),
    ],
    ids=lambda value: value[:30] if len(value) < 100 else "long",
)
def test_an_audit_that_says_nothing_clear_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ReplyRefused) as caught:
        parse_audit(text, STOP)
    assert reason in caught.value.reason
