"""What blocks a plan's approval, what can run at once, and which paths may be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.ids import StepId, blob_hash
from orchestra_tui.domain.paths import path_problem
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep, levels, plan_problems
from orchestra_tui.domain.text import clean, clean_line, redact


def step(name: str, path: str, *after: str, enabled: bool = True) -> PlanStep:
    return PlanStep(
        id=StepId(name), path=path, depends_on=tuple(map(StepId, after)), enabled=enabled
    )


def messages(*steps: PlanStep) -> list[str]:
    return [problem.message for problem in plan_problems(Plan(steps=steps))]


def test_a_good_plan_has_no_problem() -> None:
    assert messages(step("a", "a.py"), step("b", "b.py", "a")) == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "no enabled step"),
        ((step("a", "a.py", enabled=False),), "no enabled step"),
        ((step("a", "a.py"), step("a", "b.py")), "used twice"),
        ((step("a", "a.py"), step("b", "A.py")), "also the file of step a"),
        ((step("a", "a.py", "z"),), "which is not there"),
        ((step("a", "a.py", "b"), step("b", "b.py", enabled=False)), "which is off"),
        ((step("a", "a.py", "b"), step("b", "b.py", "a")), "circle"),
        ((step("a", "a.py", "a"),), "circle"),
        ((step("a", "../a.py"),), "leaves the project"),
        ((step("a", ""),), "the path is empty"),
        ((PlanStep(id=StepId("a"), path="b", change=ChangeKind.RENAME),), "rename from"),
    ],
)
def test_a_problem_says_what_blocks(steps: tuple[PlanStep, ...], words: str) -> None:
    assert any(words in message for message in messages(*steps))


def test_levels_are_what_can_run_at_once() -> None:
    plan = Plan(
        steps=(
            step("1", "1"),
            step("2", "2", "1"),
            step("3", "3", "1", "2"),
            step("4", "4", "1"),
            step("5", "5", "3"),
        )
    )
    assert levels(plan) == (("1",), ("2", "4"), ("3",), ("5",))


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        "../x",
        "a/../../x",
        "/etc/x",
        "~/x",
        "C:\\x",
        "\\\\srv\\x",
        "a\\..\\b",
        ".git/config",
        ".GIT/config",
        "sub/.git/hooks/x",
        ".git /x",
        ".git./x",
        ".gi\u200dt/x",
        "\uff0egit/x",
        "git~1/x",
        ".git::$INDEX_ALLOCATION/x",
        ".orchestra/plan.md",
        ".Orchestra/x",
        "CON",
        "nul.txt",
        "LPT1.py",
        "a" * 300,
        "x\0y",
        "x\ny",
        "x\x1by",
        "x\u202ey",
        "x\ud800y",
        "a/ b",
        "a./b",
        "a /b",
        "a//b",
        "./a",
        "a/.",
        "a:b",
        "/".join(["a"] * 600),
    ],
)
def test_hostile_paths_are_refused_with_a_reason(path: str) -> None:
    reason = path_problem(path)
    assert reason
    assert reason == reason.strip()


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "src/a.py",
        "é/ü.md",
        "a b/c d.txt",
        ".github/workflows/ci.yml",
        ".gitignore",
        "gitlab/x",
        "日本/語.txt",
        "console.py",
        "a/.env.example",
        "-x",
        "a..b",
    ],
)
def test_ordinary_paths_may_be_written(path: str) -> None:
    assert path_problem(path) is None


@given(st.text())
def test_cleaned_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    shown = clean(text)
    assert clean(shown) == shown
    codes = {ord(char) for char in shown} - {9, 10}
    assert not any(code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 for code in codes)
    assert not codes & {0x202E, 0x2066, 0x200B, 0x200D, 0xFEFF, 0x2028}
    assert "\n" not in clean_line(text)


def test_a_secret_never_survives_redaction() -> None:
    assert redact("key=abcd1234 and abcd", ["abcd", "abcd1234"]) == "key=[secret] and [secret]"
    assert redact("a b c", ["a", ""]) == "a b c"


def test_a_blob_hash_is_the_one_git_prints() -> None:
    assert blob_hash(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
