"""Conventional commit messages: what a plan becomes, and what an edited text is told."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_tui.domain.commit_message import (
    MAX_BODY_LINE,
    MAX_SUBJECT,
    CommitType,
    cleaned_message,
    commit_scope,
    commit_type,
    draft_message,
    message_problems,
)
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep


def step(path: str, change: ChangeKind = ChangeKind.MODIFY, purpose: str = "") -> PlanStep:
    """A step whose id is made from its path."""
    name = StepId("s" + "".join(char for char in path if char.isascii() and char.isalnum())[:20])
    source = "old_name.py" if change is ChangeKind.RENAME else None
    fields = {"id": name, "path": path, "change": change, "purpose": purpose, "from": source}
    return PlanStep.model_validate(fields)


NEW, EDIT = ChangeKind.CREATE, ChangeKind.MODIFY


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("add login", [step("src/login.py", NEW)], CommitType.FEAT),
        ("fix the login crash", [step("src/login.py")], CommitType.FIX),
        (
            "correct a wrong total",
            [step("src/sum.py"), step("tests/test_sum.py", NEW)],
            CommitType.FIX,
        ),
        ("explain it", [step("README.md"), step("docs/guide.rst", NEW)], CommitType.DOCS),
        ("cover it", [step("tests/test_login.py", NEW)], CommitType.TEST),
        ("fix the tests", [step("tests/test_login.py")], CommitType.TEST),
        ("bump", [step("pyproject.toml")], CommitType.BUILD),
        ("run on push", [step(".github/workflows/ci.yml", NEW)], CommitType.CI),
        ("tidy", [step("a.py", ChangeKind.RENAME)], CommitType.REFACTOR),
        ("tidy", [step("a.py", ChangeKind.DELETE)], CommitType.REFACTOR),
        ("make it faster", [step("a.py")], CommitType.PERF),
        ("an update", [step("a.py", EDIT, "fix the off-by-one")], CommitType.FIX),
        ("an update", [step("a.py")], CommitType.FEAT),
        ("prefix support", [step("a.py")], CommitType.FEAT),
        ("", [], CommitType.FEAT),
    ],
)
def test_the_type_is_guessed(text: str, steps: list[PlanStep], expected: CommitType) -> None:
    assert commit_type(text, steps) is expected


@pytest.mark.parametrize(
    ("paths", "scope"),
    [
        (["src/auth/login.py", "src/auth/token.py", "tests/test_login.py"], "auth"),
        (["src/app/auth/login.py", "src/app/auth/deep/token.py"], "auth"),
        (["src/a/x.py", "src/b/y.py"], ""),
        (["login.py"], ""),
        (["src/login.py"], ""),
        (["tests/auth/test_login.py"], "auth"),
        (["a b(c)/x.py"], "abc"),
        (["a_very_long_folder_name_indeed/x.py"], ""),
        ([], ""),
    ],
)
def test_the_scope_is_the_shared_folder(paths: list[str], scope: str) -> None:
    assert commit_scope(paths) == scope


def test_a_draft_from_summary_and_steps() -> None:
    plan = Plan(
        summary="Add a slugify function.\nWith tests.",
        steps=(
            step("text/slug.py", NEW, "The function itself"),
            step("tests/test_slug.py", NEW, "Its tests: " + "words " * 20),
        ),
    )
    lines = draft_message(plan).split("\n")
    assert lines[:3] == [
        "feat(text): add a slugify function",
        "",
        "- text/slug.py: The function itself",
    ]
    assert all(len(line) <= MAX_BODY_LINE for line in lines)
    assert lines[-1].startswith("  words")
    assert message_problems("\n".join(lines)) == ()


def test_the_plans_own_message_is_taken_when_it_is_conventional() -> None:
    own = "fix(core)!: stop the leak\n\nBecause it leaked."
    assert draft_message(Plan(commit_message=own, steps=(step("a.py"),))) == own
    other = Plan(commit_message="Stop the leak", summary="x", steps=(step("core/a.py"),))
    assert draft_message(other).startswith("feat(core): stop the leak\n")


def test_a_long_conventional_draft_is_cut_and_keeps_its_type() -> None:
    plan = Plan(commit_message="docs(api): " + "word " * 40, steps=(step("a.py"),))
    subject = draft_message(plan).split("\n")[0]
    assert subject.startswith("docs(api): word")
    assert subject.endswith("word...")
    assert message_problems(subject) == ()
    unbroken = draft_message(Plan(summary="w" * 200))
    assert unbroken == "feat: " + "w" * (MAX_SUBJECT - 9) + "..."
    assert len(subject) <= MAX_SUBJECT


def test_only_the_committed_files_are_listed() -> None:
    plan = Plan(
        summary="change two",
        steps=(
            step("a.py", EDIT, "one"),
            step("b.py", EDIT, "two"),
            step("c.py", ChangeKind.RENAME, "three").model_copy(update={"enabled": False}),
        ),
    )
    assert draft_message(plan, ["b.py"]).endswith("\n\n- b.py: two")
    assert "c.py" not in draft_message(plan)


def test_without_any_words_the_files_speak() -> None:
    assert draft_message(Plan(steps=(step("a/x.py", NEW),))).startswith("feat(a): create x.py")
    several = Plan(steps=(step("x.py", NEW), step("y.py", NEW), step("z.py")))
    assert draft_message(several).startswith("feat: update x.py and 2 more")
    assert draft_message(Plan()) == "feat: update files"
    renamed = Plan(steps=(step("x.py", ChangeKind.RENAME),))
    assert "- old_name.py -> x.py: rename" in draft_message(renamed)


def test_names_keep_their_capitals() -> None:
    assert draft_message(Plan(summary="HTTP routes")).startswith("feat: HTTP routes")
    assert draft_message(Plan(summary="Routes for HTTP")).startswith("feat: routes for HTTP")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("feat: x", []),
        ("feat(a/b)!: x\n\nbody", []),
        ("", ["empty"]),
        ("  \n\n", ["empty"]),
        ("add x", ["type(scope): text"]),
        ("feature: x", ["type(scope): text"]),
        ("feat:x", ["type(scope): text"]),
        ("feat: x.", ["full stop"]),
        ("feat: " + "x" * 80, ["86 characters"]),
        ("feat: x\nbody", ["second line"]),
        ("add x" + "y" * 80 + "\nbody", ["type(scope)", "characters", "second line"]),
    ],
)
def test_problems_of_an_edited_message(message: str, words: list[str]) -> None:
    problems = message_problems(message)
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems, strict=True))


def test_cleaning_keeps_the_users_text() -> None:
    text = "feat: x  \r\n\r\n\r\n\r\n# not a comment\n\tindented\n\x1b]52;c;evil\x07\n\n"
    cleaned = cleaned_message(text)
    assert cleaned.startswith("feat: x\n\n# not a comment\n    indented\n")
    assert "\x1b" not in cleaned
    assert "\x07" not in cleaned


TEXT = st.text(max_size=120)


@example(summary="", own=".", purpose="", folder="")
@example(summary="!", own="feat: \u2028", purpose="", folder="")
@given(summary=TEXT, own=TEXT, purpose=TEXT, folder=st.sampled_from(["", "src/", "a b/", "té/"]))
def test_every_draft_is_a_valid_message(summary: str, own: str, purpose: str, folder: str) -> None:
    plan = Plan(summary=summary, commit_message=own, steps=(step(f"{folder}x.py", NEW, purpose),))
    message = draft_message(plan)
    assert message_problems(message) == ()
    assert cleaned_message(message) == message
    assert message.encode()
