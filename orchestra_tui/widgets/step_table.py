"""The steps of a plan as a table: id, change, path, what it waits for, who writes it."""

from collections.abc import Mapping

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.state import StepState, StepStatus
from orchestra_tui.widgets.cells import fit, fit_path
from orchestra_tui.widgets.row_list import Row, RowList
from orchestra_tui.widgets.signs import Signs, signs_of, step_sign

_ID, _CHANGE, _AFTER, _AGENTS = 5, 8, 9, 12
_WIDE = 64


class StepTable(RowList):
    """One row per step. Enter posts `Opened`, moving the highlight posts `Moved`."""

    class Opened(Message):
        """The user wants to edit the step at `index`."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Moved(Message):
        """The step at `index` is under the cursor now."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def show_plan(
        self,
        plan: Plan,
        *,
        problems: frozenset[StepId],
        progress: Mapping[StepId, StepState] | None = None,
        highlight: int | None = None,
    ) -> None:
        """Show the plan; steps in `problems` are marked, `progress` shows how each stands."""
        signs = signs_of(self.app)
        rows = [
            _row(step, _sign(step, problems, progress or {}, signs), step.id in problems)
            for step in plan.steps
        ]
        self.show_rows(rows, highlight=highlight)

    @on(RowList.OptionSelected)
    def _open(self, event: RowList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Opened(event.option_index))

    @on(RowList.OptionHighlighted)
    def _move(self, event: RowList.OptionHighlighted) -> None:
        event.stop()
        self.post_message(self.Moved(event.option_index))


class StepHeadings(Widget):
    """What the columns mean, over a StepTable of the same width."""

    DEFAULT_CSS = "StepHeadings { height: 1; color: $text-muted; }"

    def render(self) -> Content:
        """The headings for the present width."""
        path, after, agents = _columns(self.size.width)
        start = "  " + fit("id", _ID) + fit("change", _CHANGE) + fit("path", path)
        return Content(start + fit(" after", after) + fit(" agents", agents))


def _columns(width: int) -> tuple[int, int, int]:
    """The widths of path, after and agents."""
    agents = _AGENTS if width >= _WIDE else 0
    return max(width - 2 - _ID - _CHANGE - _AFTER - agents, 8), _AFTER, agents


def _sign(
    step: PlanStep,
    problems: frozenset[StepId],
    progress: Mapping[StepId, StepState],
    signs: Signs,
) -> Content:
    if step.id in problems:
        return Content.styled(signs.failed, "$text-error")
    if not step.enabled:
        return Content.styled(signs.blocked, "$muted")
    state = progress.get(step.id)
    return step_sign(state.status if state else StepStatus.WAITING, signs)


def _row(step: PlanStep, sign: Content, is_problem: bool) -> Row:
    def draw(width: int) -> Content:
        path, after, agents = _columns(width)
        style = "$muted strike" if not step.enabled else "$text-error" if is_problem else ""
        return Content.assemble(
            sign,
            " ",
            (fit(step.id, _ID), "$muted"),
            (fit(step.change.value, _CHANGE), "$muted"),
            (fit_path(step.path or "(no path yet)", path), style),
            (fit(" " + ",".join(step.depends_on), after), "$muted"),
            (fit(" " + ",".join(step.agents), agents), "$muted"),
        )

    return draw
