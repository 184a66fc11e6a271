"""The budget that the command line asks for, on top of one that is there already."""

from collections.abc import Sequence
from typing import Any

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.domain.budget import Budget, BudgetKind, BudgetStop, OnUnknownPrice
from orchestra_tui.domain.ids import Role

_FLAGS = {
    BudgetKind.MONEY: "--budget {role}USD",
    BudgetKind.TOKENS: "--budget-tokens {role}N",
    BudgetKind.TIME: "--budget-minutes {role}M",
    BudgetKind.UNKNOWN_PRICE: "--allow-unknown-price",
}


def with_flags(budget: Budget, arguments: Arguments) -> Budget:
    """`budget` with what `--budget` and its like say; what they do not name stays."""
    said: Sequence[tuple[str, Sequence[tuple[str, Any]]]] = (
        ("usd", arguments.budget),
        ("tokens", arguments.budget_tokens),
        ("minutes", arguments.budget_minutes),
    )
    for field, limits in said:
        for role, value in limits:
            budget = _with_limit(budget, role, {field: value})
    if arguments.allow_unknown_price:
        budget = budget.model_copy(update={"on_unknown_price": OnUnknownPrice.ALLOW})
    return budget


def has_flags(arguments: Arguments) -> bool:
    """The command line says something of a budget."""
    return with_flags(Budget(), arguments) != Budget()


def flag_for(stop: BudgetStop) -> str:
    """The option that lets a run go on which was stopped so."""
    return _FLAGS[stop.kind].format(role=f"{stop.role.value}=" if stop.role else "")


def _with_limit(budget: Budget, role: str, update: dict[str, object]) -> Budget:
    if role:
        limits = budget.of(Role(role)).model_copy(update=update)
        update = {role: limits}
    return budget.model_copy(update=update)
