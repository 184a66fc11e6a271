"""The dialog that lets the Executors begin: mode, agents at once, budget, a last note."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, TextArea

from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.plan import Plan, levels
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.widgets.budget_chip import BudgetChip
from orchestra_tui.widgets.chip import Chip
from orchestra_tui.widgets.composer import MANY, MODES
from orchestra_tui.widgets.plain_static import PlainStatic


@dataclass(frozen=True)
class Approval:
    """What the user approved besides the plan itself."""

    mode: Mode
    max_concurrency: int
    note: str
    budget: Budget


class ApproveDialog(GuardedDialog[Approval]):
    """Approve the plan as it stands; ^s or the button, never a plain letter."""

    TITLE_TEXT = "Approve this plan?"
    FIRST_FOCUS = "#note"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s",
            "answer",
            "approve",
            tooltip="approve: the Executors begin to write",
            id="dialog.approve",
        ),
    ]

    def __init__(self, plan: Plan, settings: RunSettings) -> None:
        super().__init__()
        self._plan = plan
        self._settings = settings

    def compose_body(self) -> ComposeResult:
        """What will happen, and how."""
        yield PlainStatic(_facts(self._plan))
        with Horizontal(classes="choices"):
            yield Chip(MODES, self._settings.mode.value, id="mode", tooltip="how work is spread")
            yield Chip(
                MANY,
                str(self._settings.max_concurrency),
                prefix="x",
                id="many",
                tooltip="agents at once",
            )
            yield BudgetChip(self._settings.budget, id="budget")
        yield PlainStatic("A last note to the agents (may stay empty)", classes="hint")
        yield TextArea(id="note", highlight_cursor_line=False)

    def compose_buttons(self) -> ComposeResult:
        """Approve or not."""
        yield from super().compose_buttons()
        yield Button("Approve ^s", id="approve", variant="primary", compact=True)

    @on(Button.Pressed, "#approve")
    def action_answer(self) -> None:
        """Approve."""
        self.dismiss(
            Approval(
                mode=Mode(self.query_one("#mode", Chip).value),
                max_concurrency=int(self.query_one("#many", Chip).value),
                note=self.query_one("#note", TextArea).text.strip(),
                budget=self.query_one("#budget", BudgetChip).budget,
            )
        )


def _facts(plan: Plan) -> str:
    steps = plan.enabled_steps
    deleted = sum(step.change.value == "delete" for step in steps)
    files = f"{len(steps)} file{'s' if len(steps) != 1 else ''}"
    loss = f", {deleted} of them deleted" if deleted else ""
    checks = f"checks: {', '.join(plan.checks)}" if plan.checks else "no checks named"
    return f"{files}{loss}, in {len(levels(plan))} waves; {checks}"
