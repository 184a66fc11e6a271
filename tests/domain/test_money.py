"""Money is exact, and what is not known is never counted as nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.money import Money, money_text, to_micros, usd_text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0.00"),
        ("0.0004", "<$0.001"),
        ("0.0006", "$0.001"),
        ("0.042", "$0.042"),
        ("0.42", "$0.42"),
        ("12.399", "$12.40"),
        ("1234.5", "$1234.50"),
    ],
)
def test_dollars_for_the_eye(usd: str, text: str) -> None:
    assert usd_text(Decimal(usd)) == text


@pytest.mark.parametrize(
    ("usd", "unknown", "text"),
    [("0.42", 0, "$0.42"), ("0.42", 2, "$0.42 + ?"), ("0", 1, "cost unknown"), ("0", 0, "$0.00")],
)
def test_a_sum_says_that_something_is_missing(usd: str, unknown: int, text: str) -> None:
    assert money_text(Money(usd=Decimal(usd), unknown=unknown)) == text


@given(st.lists(st.integers(0, 10**9), max_size=60))
def test_a_sum_does_not_drift(micros: list[int]) -> None:
    money = Money(usd=sum((to_micros(Decimal(each) / 1_000_000) for each in micros), Decimal(0)))
    assert money.usd * 1_000_000 == sum(micros)
    assert Money.model_validate_json(money.model_dump_json()) == money, "also through the log"
