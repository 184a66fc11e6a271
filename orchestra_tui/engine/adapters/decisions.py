"""What an error means for a chain of adapters: the same again, the next, or stop. Pure.

The rule a reader must not break: every kind of the error tree (`base.AdapterError`) has exactly
one row in `RULES`, and docs/adapters.md shows the same table (a test compares them). Rows go by
the error's `kind`, because a resumed run knows only that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestra_tui.domain.step_rules import CONFIGURATION_KINDS, UNAVAILABLE_KINDS

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 60.0
SAME_TRIES = 1
"""How often `Move.SAME` asks the same adapter again before the next one."""
LONGEST_SAME = 5.0
"""Seconds of rest beyond which the next adapter is the sooner answer, whatever the row says."""
MINUTES_5 = 300.0
MINUTES_30 = 1800.0


class Move(StrEnum):
    """What is done after a call broke off."""

    SAME = "same again, once"
    NEXT = "next"
    GO_ON = "continue from the cut"
    STOP = "stop"


@dataclass(frozen=True)
class Rule:
    """One row. After `opens_after` failures in a row, whoever called, the adapter cools down for
    everybody: as long as the provider said, else from `rest` seconds, doubled each time, up to
    `longest`. None: the question is to blame, not the adapter. An adapter that `comes_back` may be
    asked the same question again, when it has rested."""

    move: Move
    why: str
    opens_after: int | None = None
    rest: float = FIRST_BACKOFF
    longest: float = LONGEST_BACKOFF
    comes_back: bool = True

    @property
    def is_passing(self) -> bool:
        """The same adapter may well answer a moment later."""
        return self.comes_back


RULES: dict[str, Rule] = {
    "rate_limited": Rule(Move.NEXT, "it says when it will answer again", opens_after=1),
    "overloaded": Rule(Move.NEXT, "it has no capacity now", opens_after=1),
    "quota_exhausted": Rule(
        Move.NEXT,
        "money or allowance is used up",
        opens_after=1,
        rest=MINUTES_30,
        longest=MINUTES_30,
        comes_back=False,
    ),
    "connection_failed": Rule(Move.NEXT, "it cannot be reached", opens_after=1),
    "first_byte_timeout": Rule(Move.NEXT, "it does not begin to answer", opens_after=1),
    "server_failed": Rule(Move.SAME, "often a single hiccup", opens_after=3),
    "stream_cut": Rule(Move.SAME, "often a single hiccup", opens_after=3),
    "idle_timeout": Rule(Move.NEXT, "it stopped in the middle", opens_after=3),
    "total_timeout": Rule(Move.NEXT, "it is too slow for this", opens_after=3),
    "invalid_response": Rule(Move.NEXT, "it does not speak its protocol", opens_after=3),
    "empty_response": Rule(Move.NEXT, "its answer holds no text", opens_after=3),
    "process_failed": Rule(Move.NEXT, "the client ended without an answer", opens_after=3),
    "authentication_failed": Rule(
        Move.NEXT,
        "only a new key helps",
        opens_after=1,
        rest=MINUTES_5,
        longest=MINUTES_5,
        comes_back=False,
    ),
    "model_not_found": Rule(
        Move.NEXT,
        "only another configuration helps",
        opens_after=1,
        rest=MINUTES_5,
        longest=MINUTES_5,
        comes_back=False,
    ),
    "context_too_long": Rule(Move.NEXT, "another model may hold more", comes_back=False),
    "output_truncated": Rule(
        Move.GO_ON, "the answer is longer than one call; then the next", comes_back=False
    ),
    "output_filtered": Rule(Move.NEXT, "another provider may not mind", comes_back=False),
    "request_refused": Rule(Move.NEXT, "another provider may understand it", comes_back=False),
    "cancelled": Rule(Move.STOP, "nobody wants the answer any more", comes_back=False),
    "error": Rule(Move.STOP, "nobody knows what it means", comes_back=False),
}


def rule_for(kind: str, *, is_retryable: bool | None = None) -> Rule:
    """The row of `kind`; a provider's own word on retrying (`is_retryable`) goes before it.

    A kind without a row stops the chain: what nobody understands is not repeated elsewhere.
    """
    rule = RULES.get(kind, RULES["error"])
    if is_retryable is None or is_retryable == rule.comes_back or rule.move is Move.STOP:
        return rule
    move = Move.SAME if is_retryable else Move.NEXT
    return Rule(move, rule.why, rule.opens_after, rule.rest, rule.longest, comes_back=is_retryable)


def backoff(rule: Rule, failures: int) -> float:
    """Seconds to rest after so many failures in a row (from 1), doubling from `rule.rest`."""
    return min(rule.rest * 2.0 ** min(failures - 1, 30), rule.longest)


def exhausted_kind(kinds: Sequence[str]) -> str:
    """What a chain is that ended with these kinds, one per adapter that was asked.

    `chain_exhausted` when one of them may answer later: the run stops and can be resumed. Else
    the first that is not a matter of configuration, so that the step and not the run fails; else
    the first.
    """
    if len(kinds) == 1:
        return kinds[0]
    if any(kind in UNAVAILABLE_KINDS for kind in kinds):
        return "chain_exhausted"
    own = [kind for kind in kinds if kind not in CONFIGURATION_KINDS]
    return (own or list(kinds))[0] if kinds else "chain_exhausted"
