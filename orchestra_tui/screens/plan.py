"""Plan: read, edit and approve what the Architect proposed.

The rule a reader must not break: every edit goes to the engine, so a crash loses none. What was
sent and comes back as a record is recognised and does not overwrite newer typing.
"""

from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer

from orchestra_tui.dialogs.approve import Approval, ApproveDialog
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.preview import PreviewDialog
from orchestra_tui.dialogs.reject import RejectDialog
from orchestra_tui.domain.commands import ApprovePlan, EditPlan, RejectPlan
from orchestra_tui.domain.plan import Plan, plan_problems
from orchestra_tui.domain.plan_markdown import PlanMarkdownError, from_markdown, to_markdown
from orchestra_tui.domain.state import Phase, SessionState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.external_editor import EditorError, edit_text
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.plan_draft import (
    PlanDraft,
    add_step,
    delete_step,
    move_step,
    replace_step,
    toggle_step,
)
from orchestra_tui.widgets.plan_editor import StepForm
from orchestra_tui.widgets.plan_text import empty_text, plan_order, plan_title, problem_text
from orchestra_tui.widgets.step_table import StepHeadings, StepTable
from orchestra_tui.widgets.tabs import newest_run

_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
_SAVE_DELAY = 0.4
_EDITS = frozenset(
    {"approve", "edit", "add", "delete", "move", "switch", "undo", "redo", "open_editor", "reject"}
)


def _bind(key: str, action: str, text: str, tooltip: str, *, show: bool = True) -> Binding:
    name = action.partition("(")[0]
    suffix = {"move(-1)": ".up", "move(1)": ".down"}.get(action, "")
    return Binding(key, action, text, show=show, tooltip=tooltip, id=f"plan.{name}{suffix}")


class PlanScreen(OrchestraScreen):
    """The plan that waits, as a table and a form; later the plan that runs, to read."""

    NAME = "plan"
    CSS_PATH = "../styles/plan.tcss"
    AUTO_FOCUS = "StepTable"
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("a", "approve", "approve", "approve the plan: opens a dialog"),
        _bind("e", "edit", "edit", "edit the step under the cursor"),
        _bind("n", "add", "new", "add a step below"),
        _bind("d", "delete", "delete", "delete the step"),
        _bind("x", "reject", "reject", "send the plan back with what is wrong"),
        _bind("u", "undo", "undo", "take the last edit back"),
        _bind("space", "switch", "on/off", "switch the step on or off"),
        _bind("J", "move(1)", "move down", "move the step down", show=False),
        _bind("K", "move(-1)", "move up", "move the step up", show=False),
        _bind("m", "preview", "markdown", "read the plan as Markdown"),
        _bind("ctrl+e", "open_editor", "$EDITOR", "edit the whole plan in your editor"),
        _bind("ctrl+r", "redo", "redo", "take the undone edit again", show=False),
    ]

    _draft: PlanDraft | None = None
    _plan_seen: Plan | None = None
    _sent: tuple[Plan, ...] = ()
    _index = 0
    _save_timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Summary, steps, form, order, problems."""
        yield PlainStatic(id="plan-title")
        with Horizontal(id="columns"):
            with Vertical(id="steps-frame"):
                yield StepHeadings()
                yield StepTable(id="steps")
            with Vertical(id="form-frame"):
                yield StepForm(id="form")
        yield PlainStatic(id="order")
        yield PlainStatic(id="problems")
        yield PlainStatic(id="empty")

    # --- what comes down ----------------------------------------------------------------------

    def watch_session(self, session: SessionState | None) -> None:
        """Take the plan of the newest run; edits of ours that come back change nothing."""
        super().watch_session(session)
        run = newest_run(session)
        plan = run.plan if run is not None else None
        if plan is None:
            self._draft = None
        elif plan is not self._plan_seen:
            self._take_plan(plan)
        self._plan_seen = plan
        self._show()

    def _take_plan(self, plan: Plan) -> None:
        if self._draft is not None and (plan == self._draft.plan or plan in self._sent):
            return
        self._draft = PlanDraft(plan)
        self._sent = ()
        self._index = 0

    @property
    def plan(self) -> Plan | None:
        """The plan as edited here; None if there is none."""
        return self._draft.plan if self._draft is not None else None

    @property
    def _is_editable(self) -> bool:
        run = self.run_state
        return run is not None and run.phase is Phase.AWAITING_APPROVAL and self._draft is not None

    def _show(self, *, highlight: int | None = None) -> None:
        run, draft = self.run_state, self._draft
        self.set_class(draft is None, "-empty")
        if draft is None or run is None:
            self.query_one("#empty", PlainStatic).update(empty_text(run))
            self.refresh_bindings()
            return
        plan = draft.plan
        problems = plan_problems(plan) if self._is_editable else ()
        self._index = min(self._index, max(len(plan.steps) - 1, 0))
        self.query_one("#plan-title", PlainStatic).update(plan_title(plan, run))
        self.query_one("#steps", StepTable).show_plan(
            plan,
            problems=frozenset(problem.step for problem in problems if problem.step),
            progress=run.steps if run.is_approved else None,
            highlight=highlight,
        )
        self.query_one("#order", PlainStatic).update(plan_order(plan, self._index, self.host.signs))
        self.query_one("#problems", PlainStatic).update(problem_text(problems, self.host.signs))
        frame = self.query_one("#steps-frame")
        count = len(problems)
        frame.border_subtitle = (
            Content(
                "1 problem blocks approval" if count == 1 else f"{count} problems block approval"
            )
            if count
            else ""
        )
        frame.border_title = Content("steps")
        self._show_form()
        self.refresh_bindings()

    def _show_form(self) -> None:
        steps = self._draft.plan.steps if self._draft else ()
        step = steps[self._index] if self._index < len(steps) else None
        self.query_one("#form", StepForm).show_step(
            self._index, step, is_editable=self._is_editable
        )
        title = f"step {clean_line(step.id)}" if step else "step"
        self.query_one("#form-frame").border_title = Content(title)

    # --- edits --------------------------------------------------------------------------------

    def _edit(self, plan: Plan, *, merge: str | None = None, index: int | None = None) -> None:
        if self._draft is None or not self._is_editable:
            return
        self._draft.change(plan, merge=merge)
        if index is not None:
            self._index = index
        self._show(highlight=index)
        self._save_soon()

    def _save_soon(self) -> None:
        if self._save_timer is not None:
            self._save_timer.stop()
        self._save_timer = self.set_timer(_SAVE_DELAY, self._save)

    async def _save(self) -> None:
        """Send the plan as it is now, unless the engine has it."""
        if self._save_timer is not None:
            self._save_timer.stop()
            self._save_timer = None
        if self._draft is None or not self._is_editable or self._draft.plan == self._plan_seen:
            return
        plan = self._draft.plan
        self._sent = (*self._sent[-20:], plan)
        await self.host.submit(EditPlan(plan=plan))

    @on(events.ScreenSuspend)
    @on(events.Unmount)
    async def _save_before_leaving(self) -> None:
        await self._save()

    @on(StepForm.Edited)
    def _edit_step(self, event: StepForm.Edited) -> None:
        if self._draft is not None and event.index < len(self._draft.plan.steps):
            plan = replace_step(self._draft.plan, event.index, event.step)
            self._edit(plan, merge=f"{event.index}/{event.field}")

    @on(StepForm.Left)
    def _leave_form(self) -> None:
        self.remove_class("-editing")
        self.query_one("#steps", StepTable).focus()

    @on(StepTable.Moved)
    def _select(self, event: StepTable.Moved) -> None:
        if event.index == self._index or self._draft is None:
            return
        self._index = event.index
        self.query_one("#order", PlainStatic).update(
            plan_order(self._draft.plan, self._index, self.host.signs)
        )
        self._show_form()

    @on(StepTable.Opened)
    def action_edit(self) -> None:
        """Edit the step under the cursor."""
        if self._is_editable:
            self.add_class("-editing")
            self.call_after_refresh(self.query_one("#form", StepForm).focus_first)

    def action_add(self) -> None:
        """Add a step below the cursor and edit it."""
        if self._draft is not None:
            plan, index = add_step(self._draft.plan, self._index)
            self._edit(plan, index=index)
            self.action_edit()

    def action_delete(self) -> None:
        """Delete the step under the cursor; undo brings it back."""
        if self._draft is not None and self._draft.plan.steps:
            plan = delete_step(self._draft.plan, self._index)
            self._edit(plan, index=min(self._index, len(plan.steps) - 1))

    def action_move(self, by: int) -> None:
        """Move the step under the cursor."""
        if self._draft is not None and self._draft.plan.steps:
            plan, index = move_step(self._draft.plan, self._index, by)
            self._edit(plan, index=index)

    def action_switch(self) -> None:
        """Switch the step under the cursor on or off."""
        if self._draft is not None and self._draft.plan.steps:
            self._edit(toggle_step(self._draft.plan, self._index))

    def action_undo(self) -> None:
        """Take the last edit back."""
        if self._draft is not None and self._draft.can_undo:
            self._draft.undo()
            self._show()
            self._save_soon()

    def action_redo(self) -> None:
        """Take the undone edit again."""
        if self._draft is not None and self._draft.can_redo:
            self._draft.redo()
            self._show()
            self._save_soon()

    # --- the whole plan -----------------------------------------------------------------------

    def action_preview(self) -> None:
        """Read the plan as Markdown."""
        if self._draft is not None:
            self.app.push_screen(PreviewDialog(to_markdown(self._draft.plan)))

    def action_open_editor(self) -> None:
        """Edit the whole plan in $EDITOR."""
        if self._draft is not None:
            self._use_editor(to_markdown(self._draft.plan))

    @work(group="editor", exclusive=True)
    async def _use_editor(self, text: str) -> None:
        try:
            edited = await edit_text(self.app, text, suffix=".md")
            plan = from_markdown(edited)
        except EditorError as error:
            self.host.say(str(error), is_error=True)
        except PlanMarkdownError as error:
            self._ask_again(edited, str(error))
        else:
            self._edit(plan, index=0)
            await self._save()

    def _ask_again(self, text: str, problem: str) -> None:
        def go_on(answer: bool | None) -> None:
            if answer:
                self._use_editor(text)

        question = f"{problem}\n\nYour text is kept: open it again? Cancel drops it."
        dialog = ConfirmDialog("The plan cannot be read", question, answer="Open again")
        self.app.push_screen(dialog, go_on)

    async def action_approve(self) -> None:
        """Open the dialog that approves, unless something in the plan prevents it."""
        run = self.run_state
        if self._draft is None or run is None:
            return
        if problems := plan_problems(self._draft.plan):
            self.host.say(f"Not yet: {problems[0].message}", is_error=True)
            return
        await self._save()
        await self.app.push_screen(ApproveDialog(self._draft.plan, run.settings), self._approved)

    async def _approved(self, approval: Approval | None) -> None:
        if approval is None or self._draft is None:
            return
        command = ApprovePlan(
            plan=self._draft.plan,
            note=approval.note,
            mode=approval.mode,
            max_concurrency=approval.max_concurrency,
            budget=approval.budget,
        )
        if await self.host.submit(command) is not None:
            self.host.go("run")

    async def action_reject(self) -> None:
        """Send the plan back with what is wrong with it."""
        await self.app.push_screen(RejectDialog(), self._rejected)

    async def _rejected(self, feedback: str | None) -> None:
        if feedback:
            await self._save()
            await self.host.submit(RejectPlan(feedback=feedback))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What edits is for a plan that waits; what reads is for any plan."""
        if action in _EDITS and not self._is_editable:
            return False
        match action, self._draft:
            case "preview", None:
                return False
            case "undo", PlanDraft(can_undo=is_possible):
                return is_possible or None
            case "redo", PlanDraft(can_redo=is_possible):
                return is_possible or None
        return super().check_action(action, parameters)
