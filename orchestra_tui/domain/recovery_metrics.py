"""How often files went into recovery, what helped, and what it took. Pure, from the state alone.

The rule a reader must not break: a recovery that is still open is entered and nothing else; rates
are made of those that have ended.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    Recovery,
    RecoveryApproach,
    RecoveryCause,
    RecoveryOutcome,
)
from orchestra_tui.domain.state import RunState

K = TypeVar("K", RecoveryCause, RecoveryApproach)
_RECOVERED = {RecoveryOutcome.RECOVERED}
_GIVEN_BACK = {RecoveryOutcome.REVERTED, RecoveryOutcome.KEPT}


class RecoveryCounts(BaseModel):
    """Recoveries of one or more runs. `by_cause` and `by_approach` hold only what happened."""

    model_config = ConfigDict(frozen=True)

    entered: int = 0
    recovered: int = 0
    given_back: int = 0
    """Nothing helped: the file went back to its last good text."""
    by_user: int = 0
    """The user ended it: his own text, the damaged one knowingly, another try, or given up."""
    attempts: int = 0
    """Attempts that were made, those of nobody (`repair`) included."""
    by_cause: dict[RecoveryCause, tuple[int, int]] = Field(default_factory=dict)
    """Cause -> (entered, recovered)."""
    by_approach: dict[RecoveryApproach, tuple[int, int]] = Field(default_factory=dict)
    """Approach -> (attempts, attempts whose text ended the recovery)."""

    @property
    def rate(self) -> float | None:
        """The share of the ended recoveries that ended well without the user; None before one."""
        ended = self.recovered + self.given_back + self.by_user
        return self.recovered / ended if ended else None


def recovery_counts(runs: Iterable[RunState]) -> RecoveryCounts:
    """The recoveries of these runs."""
    found = [
        recovery for run in runs for step in run.steps.values() for recovery in step.recoveries
    ]
    outcomes = Counter(recovery.outcome for recovery in found)
    tried = [
        (attempt.approach, _helped(recovery, at))
        for recovery in found
        for at, attempt in enumerate(recovery.attempts)
        if attempt.outcome is not AttemptOutcome.IMPOSSIBLE
    ]
    recovered = sum(outcomes[outcome] for outcome in _RECOVERED)
    given_back = sum(outcomes[outcome] for outcome in _GIVEN_BACK)
    return RecoveryCounts(
        entered=len(found),
        recovered=recovered,
        given_back=given_back,
        by_user=len(found) - outcomes[None] - recovered - given_back,
        attempts=len(tried),
        by_cause=_pairs((r.cause, r.outcome in _RECOVERED) for r in found),
        by_approach=_pairs(tried),
    )


def recovery_words(counts: RecoveryCounts) -> tuple[str, ...]:
    """The counts as lines for a person; none if no file was in recovery."""
    if not counts.entered:
        return ()
    ends = (
        (counts.recovered, "recovered"),
        (counts.given_back, "given back"),
        (counts.by_user, "decided by you"),
        (counts.entered - counts.recovered - counts.given_back - counts.by_user, "under way"),
    )
    told = ", ".join(f"{count} {word}" for count, word in ends if count)
    rate = f" ({counts.rate:.0%})" if counts.rate is not None else ""
    return (
        f"{counts.entered} in recovery: {told}{rate}",
        f"causes: {_pair_words(counts.by_cause, 'recovered')}",
        f"{counts.attempts} attempts: {_pair_words(counts.by_approach, 'helped')}",
    )


def _pair_words(pairs: Mapping[K, tuple[int, int]], word: str) -> str:
    ordered = sorted(pairs.items(), key=lambda item: -item[1][0])
    return ", ".join(
        f"{count} {key.value.replace('_', ' ')} ({good} {word})" for key, (count, good) in ordered
    )


def _helped(recovery: Recovery, at: int) -> bool:
    """The attempt at this place was the last one, and its text stayed."""
    is_last = at == len(recovery.attempts) - 1
    return is_last and recovery.outcome in _RECOVERED


def _pairs(marked: Iterable[tuple[K, bool]]) -> dict[K, tuple[int, int]]:
    """Key -> (how many, how many of them are marked)."""
    pairs = list(marked)
    all_of = Counter(key for key, _ in pairs)
    good = Counter(key for key, is_good in pairs if is_good)
    return {key: (count, good[key]) for key, count in all_of.items()}
