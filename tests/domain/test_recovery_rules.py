"""What is tried next, from the recovery alone: tables, and properties over random outcomes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.ids import ActivityKey, BlobHash
from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    Damage,
    Recovery,
    RecoveryApproach,
    RecoveryAttempt,
    RecoveryCause,
)
from orchestra_tui.domain.recovery_rules import next_approach, renewed

AT = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = BlobHash("1" * 40)
CONTINUE, REPAIR, CONSULT, OTHER, PIECES = RecoveryApproach


def entered(
    cause: RecoveryCause = RecoveryCause.BROKEN, *, can_continue: bool = False, budget: int = 5
) -> Recovery:
    damage = Damage(cause=cause, message="bad", text=TEXT, can_continue=can_continue)
    return Recovery(
        cause=cause,
        message="bad",
        entered_at=AT,
        damage=damage,
        budget=budget,
        marks=(damage.mark,),
    )


def after(
    recovery: Recovery,
    approach: RecoveryApproach,
    outcome: AttemptOutcome = AttemptOutcome.UNUSABLE,
    mark: str = "broken",
) -> Recovery:
    """The recovery after one more attempt, as the fold makes it."""
    is_new = outcome is AttemptOutcome.UNUSABLE
    failed = outcome is not AttemptOutcome.IMPOSSIBLE
    attempt = RecoveryAttempt(
        activity=ActivityKey(f"r1/s1/recover/{len(recovery.attempts) + 1}"),
        approach=approach,
        at=AT,
        outcome=outcome,
        mark=mark if failed else "",
    )
    return recovery.model_copy(
        update={
            "attempts": (*recovery.attempts, attempt),
            "marks": (*recovery.marks, mark) if failed else recovery.marks,
            "tried_on_damage": () if is_new else (*recovery.tried_on_damage, approach),
        }
    )


def played(recovery: Recovery, *, impossible: set[RecoveryApproach]) -> list[RecoveryApproach]:
    """What is tried if every attempt fails in the same way."""
    tried = []
    while (approach := next_approach(recovery)) is not None:
        tried.append(approach)
        outcome = AttemptOutcome.IMPOSSIBLE if approach in impossible else AttemptOutcome.UNUSABLE
        recovery = after(recovery, approach, outcome, recovery.marks[0])
    return tried


@pytest.mark.parametrize(
    ("recovery", "impossible", "expected"),
    [
        (entered(), {REPAIR}, [REPAIR, CONSULT, OTHER, PIECES]),
        (
            entered(RecoveryCause.CUT, can_continue=True),
            set(),
            [CONTINUE, CONSULT, OTHER, PIECES],
        ),
        (entered(RecoveryCause.CUT), {OTHER}, [CONSULT, OTHER, PIECES]),
        (entered(RecoveryCause.ELIDED), {OTHER, PIECES}, [CONSULT, OTHER, PIECES]),
        (entered(RecoveryCause.AUDIT), set(), [OTHER, PIECES]),
        (entered(RecoveryCause.CHECKS), {OTHER}, [OTHER, PIECES]),
        (entered(RecoveryCause.ELIDED, budget=2), set(), [CONSULT, OTHER]),
        (entered(RecoveryCause.ELIDED, budget=0), set(), []),
        (entered(budget=0), {REPAIR}, [REPAIR]),
    ],
)
def test_the_order_when_it_fails_in_the_same_way_again(
    recovery: Recovery, impossible: set[RecoveryApproach], expected: list[RecoveryApproach]
) -> None:
    assert played(recovery, impossible=impossible) == expected


def test_an_attempt_that_fails_in_another_way_is_repeated_once() -> None:
    recovery = after(entered(RecoveryCause.ELIDED), CONSULT, mark="broken")
    assert next_approach(recovery) is CONSULT
    recovery = after(recovery, CONSULT, mark="incomplete")
    assert next_approach(recovery) is OTHER
    recovery = after(recovery, OTHER, mark="incomplete")
    assert next_approach(recovery) is PIECES


def test_the_users_word_opens_every_way_again() -> None:
    recovery = entered(RecoveryCause.ELIDED)
    for approach in (CONSULT, OTHER, PIECES):
        recovery = after(recovery, approach, mark=recovery.marks[0])
    assert next_approach(recovery) is None
    assert next_approach(renewed(recovery, budget=9)) is CONSULT
    assert next_approach(renewed(recovery, agents=("b",))) is CONSULT


@given(
    cause=st.sampled_from(list(RecoveryCause)),
    can_continue=st.booleans(),
    budget=st.integers(0, 12),
    outcomes=st.lists(
        st.tuples(
            st.sampled_from(
                [AttemptOutcome.UNUSABLE, AttemptOutcome.FAILED, AttemptOutcome.IMPOSSIBLE]
            ),
            st.sampled_from(["a", "b", "c"]),
        ),
        min_size=60,
        max_size=60,
    ),
)
def test_every_recovery_ends_within_its_budget(
    cause: RecoveryCause,
    can_continue: bool,
    budget: int,
    outcomes: list[tuple[AttemptOutcome, str]],
) -> None:
    recovery = entered(cause, can_continue=can_continue, budget=budget)
    for outcome, mark in outcomes:
        approach = next_approach(recovery)
        if approach is None:
            break
        marks = recovery.marks
        is_same = len(marks) > 1 and marks[-1] == marks[-2]
        if is_same and recovery.attempts[-1].outcome is not AttemptOutcome.IMPOSSIBLE:
            assert approach is not recovery.attempts[-1].approach, "it would be repeated"
        recovery = after(recovery, approach, outcome, mark)
        assert recovery.asked_count <= budget
    assert next_approach(recovery) is None
