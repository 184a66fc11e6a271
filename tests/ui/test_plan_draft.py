"""The plan while it is edited: every edit is undone exactly, no step waits for one that is gone."""

from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.plan import Plan
from orchestra_tui.widgets.plan_draft import (
    PlanDraft,
    add_step,
    delete_step,
    move_step,
    replace_step,
    toggle_step,
)
from tests.ui.stories import PLAN

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["add", "delete", "up", "down", "toggle", "rename"]), st.integers(0, 9)
    ),
    max_size=25,
)


def edited(plan: Plan, verb: str, index: int) -> Plan:
    if verb == "add":
        return add_step(plan, index)[0]
    if not plan.steps:
        return plan
    index %= len(plan.steps)
    match verb:
        case "delete":
            return delete_step(plan, index)
        case "toggle":
            return toggle_step(plan, index)
        case "rename":
            # A name in use is a problem that the plan tells; no edit of ours makes one.
            step, taken = plan.steps[index], {step.id for step in plan.steps}
            name = next(name for n in range(1, 99) if (name := f"{step.id[:20]}x{n}") not in taken)
            return replace_step(plan, index, step.model_copy(update={"id": name}))
        case _:
            return move_step(plan, index, -1 if verb == "up" else 1)[0]


@given(EDITS)
def test_any_edits_are_undone_and_redone_exactly(edits: list[tuple[str, int]]) -> None:
    """All the way back is the plan that was proposed, all the way forth the plan as edited."""
    draft = PlanDraft(PLAN)
    for verb, index in edits:
        draft.change(edited(draft.plan, verb, index))
    end = draft.plan
    while draft.can_undo:
        draft.undo()
    assert draft.plan == PLAN
    while draft.can_redo:
        draft.redo()
    assert draft.plan == end


@given(EDITS)
def test_no_edit_leaves_a_dangling_dependency(edits: list[tuple[str, int]]) -> None:
    """Deleting and renaming take the dependents along; ids stay unique."""
    plan = PLAN
    for verb, index in edits:
        plan = edited(plan, verb, index)
    ids = [step.id for step in plan.steps]
    assert len(set(ids)) == len(ids)
    assert {name for step in plan.steps for name in step.depends_on} <= set(ids)


def test_typing_in_one_field_is_one_undo() -> None:
    """Letters with the same merge key are taken back together, another field is not."""
    draft = PlanDraft(PLAN)
    for word in ("a", "ab", "abc"):
        draft.change(PLAN.model_copy(update={"summary": word}), merge="0/summary")
    draft.change(draft.plan.model_copy(update={"commit_message": "x"}), merge="0/message")
    draft.undo()
    assert draft.plan.summary == "abc"
    draft.undo()
    assert draft.plan == PLAN
    assert not draft.can_undo


def test_a_new_step_never_takes_an_id_in_use() -> None:
    """Also when ids do not count up."""
    plan = delete_step(PLAN, 0)
    plan, index = add_step(plan, 0)
    assert index == 1
    assert plan.steps[1].id not in {step.id for step in delete_step(plan, 1).steps}
