"""Plan -> Markdown -> the same plan, for any text; and what a person's edits do."""

import contextlib
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.plan_markdown import PlanMarkdownError, from_markdown, to_markdown

ODD_LINES = st.sampled_from(
    ["# Plan", "## Steps", "### s1: `a`", "#### Notes", "- change: delete", "```", "~~~~",
     "````text", '"', "", " ", "  x", "x  ", "`a`", "- x", "```json", "-", "* from: b",
     "\u202e", "\t", "\r",
     "\u00a0", "\u2028", "\x85", "\ufeff", "\x1b[2J", "a, b", "é ✓ 👩‍💻", "\ud800", "\0"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(codec=None, exclude_categories=())),
    st.lists(ODD_LINES, max_size=6).map("\n".join),
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True).map(StepId)
NAMES = st.one_of(TEXTS, st.sampled_from(["s1", "a,b", "", "pytest", "npm test"]))
STEPS = st.builds(
    lambda old, **fields: PlanStep(**fields).model_copy(update={"from_path": old}),
    old=st.none() | TEXTS,
    id=IDS,
    path=TEXTS,
    change=st.sampled_from(ChangeKind),
    purpose=TEXTS,
    notes=TEXTS,
    enabled=st.booleans(),
    depends_on=st.lists(NAMES, max_size=3).map(tuple),
    agents=st.lists(NAMES, max_size=3).map(tuple),
)
PLANS = st.builds(
    Plan,
    summary=TEXTS,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    checks=st.lists(NAMES, max_size=3).map(tuple),
    commit_message=TEXTS,
)


@given(PLANS)
@example(Plan())
@example(Plan(summary="a  \nb", commit_message="a\n \nb"))
@example(Plan(summary="```\n# Plan\n```", commit_message="\n"))
def test_a_plan_comes_back_from_its_markdown(plan: Plan) -> None:
    assert from_markdown(to_markdown(plan)) == plan


@given(PLANS)
def test_a_plan_survives_an_editor_that_writes_windows_line_ends(plan: Plan) -> None:
    assert from_markdown("\ufeff" + to_markdown(plan).replace("\n", "\r\n")) == plan


@given(PLANS)
def test_the_file_holds_no_character_that_a_terminal_obeys(plan: Plan) -> None:
    text = to_markdown(plan)
    assert text.encode()
    assert not {"\x1b", "\u202e", "\r", "\0"} & set(text)


@given(TEXTS)
def test_any_text_is_a_plan_or_names_the_line(text: str) -> None:
    for source in (text, f"# Plan\n{text}", f"# Plan\n## Steps\n### s1: a\n{text}"):
        with contextlib.suppress(PlanMarkdownError):
            assert isinstance(from_markdown(source), Plan)


PLAN = Plan(
    summary="Add a slugify function.",
    steps=(
        PlanStep(
            id=StepId("s1"),
            path="src/slugify.py",
            change=ChangeKind.CREATE,
            purpose="Turn a title into a URL part.",
            notes="Keep it small.\n\n# No regex",
        ),
        PlanStep(
            id=StepId("s2"),
            path="tests/test_slugify.py",
            purpose="Test it.",
            depends_on=(StepId("s1"),),
            agents=("gemini", "glm"),
            enabled=False,
        ),
    ),
    checks=("pytest",),
    commit_message="feat: add slugify\n\nWith tests.",
)
MARKDOWN = textwrap.dedent(
    """\
    # Plan

    Add a slugify function.

    ## Steps

    ### s1: `src/slugify.py`

    - change: create

    Turn a title into a URL part.

    #### Notes

    ```text
    Keep it small.

    # No regex
    ```

    ### s2: `tests/test_slugify.py`

    - change: modify
    - enabled: no
    - depends on: s1
    - agents: gemini, glm

    Test it.

    ## Checks

    - `pytest`

    ## Commit message

    feat: add slugify

    With tests.
    """
)


def test_a_plan_reads_as_a_person_would_write_it() -> None:
    assert to_markdown(PLAN) == MARKDOWN


def test_reordered_steps_blank_lines_and_bare_values_are_understood() -> None:
    edited = """

# Plan
Add a slugify function.
## Commit message

feat: x

## Steps

### s2: tests/test_slugify.py
* depends on : s1 ,
-   Change: Create


Test it.
- also the empty title
- note: and the long one

### s1: "src/slug\\u0069fy.py"
## Checks
* pytest
+ `npm test`


"""
    plan = from_markdown(edited)
    assert [step.id for step in plan.steps] == ["s2", "s1"]
    assert plan.steps[0].purpose == "Test it.\n- also the empty title\n- note: and the long one"
    assert plan.steps[0].change is ChangeKind.CREATE
    assert plan.steps[0].depends_on == ("s1",)
    assert (plan.steps[1].path, plan.steps[1].purpose) == ("src/slugify.py", "")
    assert plan.checks == ("pytest", "npm test")


def test_a_fence_among_other_text_stays_as_it_is_written() -> None:
    plan = from_markdown("# Plan\nDo:\n```py\n# not a heading\n```\nthen stop.\n## Steps\n")
    assert plan.summary == "Do:\n```py\n# not a heading\n```\nthen stop."


def test_a_line_that_opens_a_fence_does_not_close_one() -> None:
    plan = from_markdown("# Plan\n```text\n```py\n# no heading\n```\n")
    assert plan.summary == "```py\n# no heading"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: this is no plan"),
        ("Hello\n# Plan", "line 1: a plan begins with the heading # Plan"),
        ("# Other", "line 1: this is no plan"),
        ("# Plan\n## Ideas", "line 2: the heading ## Ideas is not one of a plan here"),
        ("# Plan\n## Steps\n## Steps", "line 3: ## Steps is there twice"),
        ("# Plan\n## Steps\nDo it", "line 3: this belongs to nothing"),
        ("# Plan\n## Steps\n### do it", "line 3: a step's heading reads"),
        ("# Plan\n## Steps\n### a b: c", "line 3: a step's heading reads"),
        ("# Plan\n## Steps\n### s1: a\n- chnage: create", "line 4: there is no field 'chnage'"),
        ("# Plan\n## Steps\n### s1: a\n- change: move", "line 4: change is one of create, modify"),
        ("# Plan\n## Steps\n### s1: a\n- enabled: maybe", "line 4: enabled is yes or no"),
        ("# Plan\n## Steps\n### s1: a\n- from: x\n- from: y", "line 5: the field from is there"),
        ('# Plan\n## Steps\n### s1: "a', "line 3: this is no JSON string"),
        ('# Plan\n## Steps\n### s1: a\n- agents: "b" c', "line 4: put commas"),
        ('# Plan\n## Steps\n### s1: a\n- agents: "b', "line 4: this is no JSON string"),
        ("# Plan\n## Steps\n### s1: a\n#### Ideas", "line 4: the heading #### Ideas"),
        ("# Plan\n## Steps\n### s1: a\n##### Deep", "line 4: the heading ##### Deep"),
        ("# Plan\n## Checks\npytest", "line 3: a check is a bullet"),
        ("# Plan\n```\nx", "line 2: the fence ``` is not closed"),
        ("# Plan\n```json\n7\n```", "line 3: this is no JSON string"),
    ],
)
def test_what_is_not_understood_names_its_line(text: str, message: str) -> None:
    with pytest.raises(PlanMarkdownError) as caught:
        from_markdown(text)
    assert str(caught.value).startswith(message)
