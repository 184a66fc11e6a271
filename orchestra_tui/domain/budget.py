"""What a session may use, as a person sets it, and what one call sets aside of it.

The rule a reader must not break: values alone. What has been used is read from the state by
`domain.spending`, so that a replay counts as the run did.
"""

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import usd_text


class OnUnknownPrice(StrEnum):
    """What becomes of a call whose price is not known while money is limited."""

    ASK = "ask"
    ALLOW = "allow"


class BudgetKind(StrEnum):
    """What is used up."""

    MONEY = "money"
    TOKENS = "tokens"
    TIME = "time"
    UNKNOWN_PRICE = "unknown_price"
    """Nothing is used up, but nobody can tell what the next call costs."""


class Limits(BaseModel):
    """Limits of a session or of one role in it; None is no limit."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    usd: Decimal | None = Field(default=None, gt=0)
    """US dollars."""
    tokens: int | None = Field(default=None, gt=0)
    """Tokens in and out together."""
    minutes: float | None = Field(default=None, gt=0)
    """Minutes in which work was going on; waiting for a person does not count."""

    @property
    def is_set(self) -> bool:
        """There is a limit."""
        return any(value is not None for value in (self.usd, self.tokens, self.minutes))


class Budget(Limits):
    """Limits of the session, and of each role beside them."""

    on_unknown_price: OnUnknownPrice = OnUnknownPrice.ASK
    architect: Limits | None = None
    executor: Limits | None = None
    auditor: Limits | None = None
    consultant: Limits | None = None

    def of(self, role: Role | None) -> Limits:
        """The limits of a role; None is the session."""
        if role is None:
            return self
        found: Limits | None = getattr(self, role.value)
        return found or Limits()


class Reserve(BaseModel):
    """What a call may use at most, as far as can be told before it; `usd` None is unknown."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    tokens: int = 0
    usd: Decimal | None = None


class BudgetStop(BaseModel):
    """Why a call was not made. `role` None means the limit of the whole session."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: BudgetKind
    role: Role | None = None
    message: str = ""
    """The sentence for a person: what is used, what the call needs, what the limit is."""


def limits_text(limits: Limits) -> str:
    """Limits in a few words: `$2.00, 50000 tokens, 30 min`; empty if there is none."""
    words = [
        usd_text(limits.usd) if limits.usd is not None else "",
        f"{limits.tokens} tokens" if limits.tokens is not None else "",
        f"{limits.minutes:g} min" if limits.minutes is not None else "",
    ]
    return ", ".join(filter(None, words))


def budget_text(budget: Budget) -> str:
    """The session's limits and those of its roles in words."""
    roles = [f"{role.value} {text}" for role in Role if (text := limits_text(budget.of(role)))]
    return "; ".join(filter(None, [limits_text(budget), *roles])) or "no limit"
