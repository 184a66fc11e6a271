"""The dialog that gives a run more or stops it: limits of the session, or of the role at its limit.

The rule a reader must not break: an empty field is no limit, and what cannot be read changes
nothing.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain.budget import Budget, BudgetKind, BudgetStop, Limits, OnUnknownPrice
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.chip import Chip
from orchestra_tui.widgets.plain_static import PlainStatic

_ASK, _ALLOW = "ask before an unknown price", "let unknown prices pass"


@dataclass(frozen=True)
class BudgetAnswer:
    """What the user decided: a budget, or with None to stop the run."""

    budget: Budget | None


class BudgetDialog(GuardedDialog[BudgetAnswer]):
    """Set the limits; the one that stopped the run is doubled as a first proposal."""

    FIRST_FOCUS = "#usd"
    CANCEL_TEXT = "Leave it"
    DEFAULT_CSS = """
    BudgetDialog {
        #why { color: $text-warning; margin: 0 0 1 0; }
        #used { margin: 0 0 1 0; }
        .limit { height: 1; }
        .limit PlainStatic { width: 16; color: $text-muted; }
        .limit Input { width: 20; background: $background; }
        #problem { color: $text-error; height: auto; }
        #unknown { margin: 1 0 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answer", "set", tooltip="set these limits", id="dialog.confirm"),
    ]

    def __init__(
        self, budget: Budget, spent: str, stop: BudgetStop | None = None, *, is_typed: bool = False
    ) -> None:
        """`spent` is what was used so far, in words; `is_typed` if the budget is the user's own
        wish, to be shown as it is."""
        super().__init__()
        self._budget = budget
        self._spent = spent
        self._stop = stop
        self._is_typed = is_typed
        self._role: Role | None = stop.role if stop is not None else None

    def title_text(self) -> str:
        """Whose budget, and that it is reached."""
        whose = f"of the {self._role.value}" if self._role is not None else "of this session"
        return f"Budget {whose}{' is reached' if self._stop is not None else ''}"

    def compose_body(self) -> ComposeResult:
        """Why it asks, what was used, the limits."""
        if self._stop is not None:
            yield PlainStatic(_sentence(self._stop), id="why")
        yield PlainStatic(f"Used so far: {self._spent}. An empty field is no limit.", id="used")
        stop = None if self._is_typed else self._stop
        limits = _proposed(self._budget.of(self._role), stop)
        for name, label, value in (
            ("usd", "US dollars", limits.usd),
            ("tokens", "tokens", limits.tokens),
            ("minutes", "minutes of work", limits.minutes),
        ):
            with Horizontal(classes="limit"):
                yield PlainStatic(label)
                text = f"{value:g}" if isinstance(value, float) else str(value or "")
                yield Input(text, id=name, compact=True)
        is_allowed = self._budget.on_unknown_price is OnUnknownPrice.ALLOW
        is_asked = self._stop is not None and self._stop.kind is BudgetKind.UNKNOWN_PRICE
        chosen = _ALLOW if is_allowed or is_asked else _ASK
        yield Chip((_ASK, _ALLOW), chosen, id="unknown", tooltip="calls whose price is not known")
        yield PlainStatic(id="problem")

    def compose_buttons(self) -> ComposeResult:
        """Leave it, stop, set."""
        yield from super().compose_buttons()
        yield Button("Stop the run", id="stop", variant="error", compact=True)
        yield Button("Set ^s", id="set", variant="primary", compact=True)

    @on(Button.Pressed, "#set")
    @on(Input.Submitted)
    def action_answer(self) -> None:
        """Set the limits, if they can be read."""
        try:
            limits = self._read()
        except ValueError as error:
            self.query_one("#problem", PlainStatic).update(clean_line(str(error)))
            return
        is_allowed = self.query_one("#unknown", Chip).value == _ALLOW
        update: dict[str, object] = {
            "on_unknown_price": OnUnknownPrice.ALLOW if is_allowed else OnUnknownPrice.ASK
        }
        update |= {self._role.value: limits} if self._role is not None else dict(limits)
        self.dismiss(BudgetAnswer(self._budget.model_copy(update=update)))

    @on(Button.Pressed, "#stop")
    def _end(self) -> None:
        self.dismiss(BudgetAnswer(None))

    def _read(self) -> Limits:
        """The limits as typed. Raises ValueError with a sentence."""
        usd, tokens, minutes = (self._number(name) for name in ("usd", "tokens", "minutes"))
        if tokens is not None and tokens != int(tokens):
            raise ValueError("tokens are whole numbers")
        return Limits(
            usd=usd,
            tokens=int(tokens) if tokens is not None else None,
            minutes=float(minutes) if minutes is not None else None,
        )

    def _number(self, name: str) -> Decimal | None:
        text = self.query_one(f"#{name}", Input).value.strip().removeprefix("$")
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal(0)
        if not number.is_finite() or number <= 0:
            raise ValueError(f"{text} is no amount: a number above 0, or nothing for no limit")
        return number


def _proposed(limits: Limits, stop: BudgetStop | None) -> Limits:
    """The limits, with the one that stopped the run doubled."""
    match stop.kind if stop is not None else None:
        case BudgetKind.MONEY if limits.usd is not None:
            return limits.model_copy(update={"usd": limits.usd * 2})
        case BudgetKind.TOKENS if limits.tokens is not None:
            return limits.model_copy(update={"tokens": limits.tokens * 2})
        case BudgetKind.TIME if limits.minutes is not None:
            return limits.model_copy(update={"minutes": limits.minutes * 2})
    return limits


def _sentence(stop: BudgetStop) -> str:
    message = clean_line(stop.message)
    return f"{message[:1].upper()}{message[1:]}."
