"""Money: exact dollars, where a number comes from, and what a number may leave out.

The rule a reader must not break: what is not known is never counted as zero. A sum says how many
of its calls have no known cost.
"""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

MICRO = Decimal("0.000001")
MOST_USD = Decimal(10**9)
"""More than a call costs, or a million tokens: no price and no cost is larger."""
_CENT = Decimal("0.01")
_MILL = Decimal("0.001")


class CostBasis(StrEnum):
    """Where the cost of a call comes from."""

    REPORTED = "reported"
    """The provider or its client said it."""
    CONFIGURED = "configured"
    """Tokens at the prices of the configuration."""
    LISTED = "listed"
    """Tokens at the provider's list price."""
    FREE = "free"
    """A server on this machine."""


class Cost(BaseModel):
    """What one call cost, in US dollars, exact to a millionth."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    usd: Decimal = Field(ge=0)
    basis: CostBasis


class Price(BaseModel):
    """Prices of one model in US dollars per million tokens; None is as `input`."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    input: Decimal = Field(ge=0, le=MOST_USD)
    output: Decimal = Field(ge=0, le=MOST_USD)
    cached_input: Decimal | None = Field(default=None, ge=0, le=MOST_USD)
    """For what the provider's cache held already."""
    cache_write: Decimal | None = Field(default=None, ge=0, le=MOST_USD)
    """For what was put into it."""


class Money(BaseModel):
    """A sum over calls: `usd` of those that are known, and how many are `unknown`."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    usd: Decimal = Decimal(0)
    unknown: int = 0

    @property
    def is_exact(self) -> bool:
        """Nothing is missing from the sum."""
        return not self.unknown


def to_micros(usd: Decimal) -> Decimal:
    """Dollars rounded to a millionth: the one place where money is rounded."""
    return usd.quantize(MICRO, rounding=ROUND_HALF_UP)


def usd_text(usd: Decimal) -> str:
    """Dollars for the eye: `$12.40`, small ones with one more digit, at last `<$0.001`."""
    if usd == 0 or usd >= Decimal("0.1"):
        return f"${usd.quantize(_CENT, rounding=ROUND_HALF_UP)}"
    if usd < _MILL / 2:
        return "<$0.001"
    return f"${usd.quantize(_MILL, rounding=ROUND_HALF_UP)}"


def money_text(money: Money) -> str:
    """A sum for the eye; `+ ?` stands for calls whose cost is not known."""
    if money.is_exact:
        return usd_text(money.usd)
    return f"{usd_text(money.usd)} + ?" if money.usd else "cost unknown"


def money_cell(money: Money) -> str:
    """The same for a narrow column."""
    if money.is_exact:
        return usd_text(money.usd)
    return f"{usd_text(money.usd)}+?" if money.usd else "$?"
