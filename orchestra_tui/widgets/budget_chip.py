"""The budget of a run as a small choice: `budget $2.00 ▾`. Other limits of it stay as they are."""

from decimal import Decimal

from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.money import usd_text
from orchestra_tui.widgets.chip import Chip

AMOUNTS = tuple(map(Decimal, ("0.50", "1", "2", "5", "10", "20", "50")))
NO_BUDGET = "no budget"


class BudgetChip(Chip):
    """A few amounts, and the one that is set already."""

    def __init__(self, budget: Budget, *, id: str | None = None) -> None:
        known = {_label(usd): usd for usd in sorted({*AMOUNTS, *filter(None, (budget.usd,))})}
        super().__init__(
            (NO_BUDGET, *known),
            _label(budget.usd) if budget.usd is not None else NO_BUDGET,
            id=id,
            tooltip="money that the session may use; the run asks before it would pass it",
        )
        self._budget = budget
        self._amounts: dict[str, Decimal] = known

    @property
    def budget(self) -> Budget:
        """The budget with the amount chosen here."""
        return self._budget.model_copy(update={"usd": self._amounts.get(self.value)})


def _label(usd: Decimal) -> str:
    return f"budget {usd_text(usd)}"
