"""The plan hint: what a step's words excuse, and that they reach the validator on every way."""

import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.engine.orchestrator.judging import plan_hint
from orchestra_tui.engine.validation import Gate, PlanHint


@pytest.mark.parametrize(
    "words",
    [
        "Remove the legacy parser",
        "drops `old_name`, adds new_name",
        "Move Reader into its own module",
        "clean up the unused helpers",
        "Delete the class. Do not delete the tests.",
        "The flag is obsolete and no longer read",
    ],
)
def test_a_step_that_speaks_of_taking_out_may_delete(words: str) -> None:
    assert PlanHint(words=words).may_delete


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Add a cache to the parser",
        "Do not remove the old entry point",
        "Add the option without deleting anything",
        "Keep all tests; never drop a public name",
        "Show a dropdown",
        "read the movie list",
    ],
)
def test_other_steps_may_not_delete(words: str) -> None:
    assert not PlanHint(words=words).may_delete


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Leave a stub for load()", True),
        ("raise NotImplementedError for now: skeleton only", True),
        ("An abstract base class", True),
        ("Write the parser, no stubs", False),
        ("Do not leave placeholders", False),
        ("Write the parser", False),
    ],
)
def test_a_step_that_asks_for_stubs_may_stub(words: str, expected: bool) -> None:
    assert PlanHint(words=words).may_stub is expected


def test_a_name_is_deleted_only_where_the_sentence_says_so() -> None:
    hint = PlanHint(words="Remove old_parse and Config.load. Add parse_fast to utils.py.")
    assert hint.deletes("old_parse")
    assert hint.deletes("Config")
    assert not hint.deletes("parse_fast")
    assert not hint.deletes("parse")
    assert hint.names("parse_fast")
    assert not hint.names("fast")


def test_very_long_words_are_read_in_part() -> None:
    hint = PlanHint(words="not " * 500_000 + "remove it")
    assert not hint.may_delete
    assert not hint.deletes("it")


def test_the_hint_of_a_file_comes_from_its_step() -> None:
    steps = (
        PlanStep(id=StepId("a"), path="a.py", purpose="Remove f", notes="it is unused"),
        PlanStep(
            id=StepId("b"), path="new.py", change=ChangeKind.RENAME, from_path="old.py", purpose="x"
        ),
        PlanStep(id=StepId("c"), path="c.py", purpose="Remove all", enabled=False),
    )
    plan = Plan(steps=steps)
    assert plan_hint(plan, "a.py") == PlanHint(words="Remove f\nit is unused")
    assert plan_hint(plan, "old.py") == PlanHint(change=ChangeKind.RENAME, words="x")
    assert plan_hint(plan, "c.py") is None
    assert plan_hint(plan, "z.py") is None
    assert plan_hint(None, "a.py") is None


async def test_the_worker_is_told_the_hint(tmp_path: Path) -> None:
    seen = tmp_path / "question.json"
    script = f"import sys; open({str(seen)!r}, 'wb').write(sys.stdin.buffer.read1(4096))"
    async with Gate(command=(sys.executable, "-c", script)) as gate:
        await gate.check("a.zig", "x", "y", plan_hint=PlanHint(words="remove all the functions"))
    assert b'"words":"remove all the functions"' in seen.read_bytes()
