"""What a user can do about a file in trouble: keys, dialogs, and the commands they lead to.

The rule a reader must not break: every key ends in a command or in nothing; the engine decides.
Taking a file over by hand is in `hand`.
"""

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from orchestra_tui.dialogs.accept_anyway import AcceptAnywayDialog
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.more_attempts import MoreAttemptsDialog
from orchestra_tui.dialogs.retry import RetryDialog
from orchestra_tui.domain.commands import (
    AcceptAnyway,
    RaiseAttempts,
    RetryStep,
    RevertFile,
    RevertRun,
    SkipStep,
)
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.ports import GetConfiguration
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import RunState, StepStatus
from orchestra_tui.domain.step_state import IN_RECOVERY
from orchestra_tui.domain.text import clean_line
from orchestra_tui.screens.recovery.hand import RecoveryHand
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.recovery_offers import offers
from orchestra_tui.widgets.trouble import Trouble

_LISTED = 10
_ACTIONS = frozenset(
    {
        "retry",
        "choose_agents",
        "take_over",
        "open_editor",
        "accept_anyway",
        "more_attempts",
        "skip",
        "revert_file",
        "revert_run",
    }
)


def _bind(key: str, action: str, text: str, tooltip: str, *, show: bool = True) -> Binding:
    name = action.split("(")[0]
    return Binding(key, action, text, show=show, tooltip=tooltip, id=f"recovery.{name}")


class RecoveryActions(RecoveryHand):
    """The keys of the recovery screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("r", "retry", "retry", "Try this file again, with a note to the agent"),
        _bind("c", "choose_agents", "agents", "Choose who makes the next attempt"),
        _bind("t", "take_over", "by hand", "Write the text yourself, here, judged as you type"),
        _bind("e", "open_editor", "$EDITOR", "Write the text yourself in your editor"),
        _bind("A", "accept_anyway", "accept anyway", "Take the damaged text, for a reason"),
        _bind("plus", "more_attempts", "attempts", "Allow more attempts at recovering this file"),
        _bind("s", "skip", "skip", "Give this step up; a file in recovery goes back first"),
        _bind("x", "revert_file", "revert file", "Put this file back as it was before the run"),
        _bind("X", "revert_run", "revert run", "Put every file of the run back"),
        _bind("d", "other_side", "other text", "The damaged text, or the last good one"),
        Binding("right_square_bracket,n", "finding(1)", "finding", key_display="]",
                id="recovery.next_finding", tooltip="To the next finding in the damaged text"),
        Binding("left_square_bracket,N", "finding(-1)", "finding before", key_display="[",
                show=False, id="recovery.finding_before", tooltip="To the finding before"),
        _bind("D", "drop_draft", "drop draft", "Forget what you wrote by hand for this file"),
    ]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are not offered."""
        if action == "drop_draft":
            trouble = self.trouble if self.is_ready and not self.is_editing else None
            return trouble is not None and self.has_draft(trouble.step)
        if action not in _ACTIONS:
            return True
        run = self.run_state
        if run is None or not self.is_ready or self.is_editing:
            return False
        if action == "accept_anyway" and self.shown_damage is None:
            return False
        return action in offers(run, self.step)

    # --- another attempt ----------------------------------------------------------------------

    def action_retry(self) -> None:
        """Try the file again, with a note to the agent."""
        self._try_again(starts_with_agents=False)

    def action_choose_agents(self) -> None:
        """Choose who makes the next attempt."""
        self._try_again(starts_with_agents=True)

    @work(group="command", exclusive=True)
    async def _try_again(self, *, starts_with_agents: bool) -> None:
        trouble, step = self.trouble, self.step
        if trouble is None or step is None:
            return
        is_recovering = step.status in IN_RECOVERY
        hint = f"{trouble.path}: {trouble.cause}"
        if is_recovering:
            hint += "\nAn attempt is under way; what you say here is for the next one."
        elif step.status is StepStatus.CONFLICT:
            hint += "\nThe step starts again from the file as it is on disk now."
        else:
            hint += "\nThe step starts again from the beginning, by its Executor."
        last = step.recoveries[-1] if step.recoveries else None
        dialog = RetryDialog(
            "Another attempt",
            hint,
            await self._configured_agents(),
            chosen=last.agents if last is not None else step.agents,
            needs_choice=is_recovering,
            starts_with_agents=starts_with_agents,
        )
        answer = await self.app.push_screen_wait(dialog)
        if answer is not None:
            command = RetryStep(step=trouble.step, note=answer.note, agents=answer.agents)
            await self.host.submit(command)

    async def _configured_agents(self) -> dict[str, str]:
        """The adapters that can be asked: name -> what it is, those in use first."""
        project = self.host.project
        chains = project.chains if project is not None else {}
        roles: dict[str, list[str]] = {}
        for role, names in chains.items():
            for name in names:
                roles.setdefault(name, []).append(role)
        found = {name: f"asked as {', '.join(own)}" for name, own in roles.items()}
        if self.session is not None and self.session.is_rehearsal:
            return found
        try:
            configuration = await self.host.ask(GetConfiguration())
        except OrchestraError:
            return found
        for adapter in configuration.adapters:
            found.setdefault(adapter.name, adapter.model or str(adapter.kind))
        return found

    @work(group="command", exclusive=True)
    async def action_more_attempts(self) -> None:
        """Allow more attempts at recovering the file."""
        trouble = self.trouble
        if trouble is None:
            return
        about = f"{trouble.path}: {trouble.tries} of {trouble.budget} attempts have asked a model."
        count = await self.app.push_screen_wait(MoreAttemptsDialog(about))
        if count is not None:
            await self.host.submit(RaiseAttempts(step=trouble.step, attempts=count))

    # --- taking it as it is -------------------------------------------------------------------

    @work(group="command", exclusive=True)
    async def action_accept_anyway(self) -> None:
        """Take the damaged text all the same, for a reason."""
        trouble, damage = self.trouble, self.shown_damage
        if trouble is not None and damage is not None and damage.step == trouble.step:
            await self._take(trouble, damage.text, damage.found)

    @work(group="command", exclusive=True)
    async def take_anyway(self, text: str, found: tuple[Diagnostic, ...]) -> None:
        """Ask for the reason, then write this text."""
        if self.trouble is not None:
            await self._take(self.trouble, text, found)

    async def _take(self, trouble: Trouble, text: str, found: tuple[Diagnostic, ...]) -> None:
        lines = plural(len(text.splitlines()), "line")
        about = f"{trouble.path} becomes the text that is shown: {lines}."
        findings = "\n".join(_told(each) for each in found[:4])
        reason = await self.app.push_screen_wait(AcceptAnywayDialog(about, findings))
        if reason is None:
            return
        command = AcceptAnyway(step=trouble.step, reason=reason, text=text)
        state = await self.host.submit(command)
        if state is not None:
            self.text_was_sent(trouble.step, text, state.seq)

    # --- giving up ----------------------------------------------------------------------------

    @work(group="command", exclusive=True)
    async def action_skip(self) -> None:
        """Give the step up."""
        trouble, step = self.trouble, self.step
        if trouble is None or step is None:
            return
        text = f"{trouble.path} is left as it is."
        if step.status in IN_RECOVERY:
            text = f"{trouble.path} goes back to its last good text, and nothing more is tried."
        if waiting := self._dependents(trouble.step):
            text += f" {plural(waiting, 'step')} that wait for it will not be done."
        if await self.app.push_screen_wait(ConfirmDialog("Skip this step?", text, answer="Skip")):
            await self.host.submit(SkipStep(step=trouble.step))

    @work(group="command", exclusive=True)
    async def action_revert_file(self) -> None:
        """Put the file back as it was before the run."""
        trouble, run = self.trouble, self.run_state
        if trouble is None or run is None or self.step is None:
            return
        text = _what_goes_back(run, tuple(self.step.files))
        dialog = ConfirmDialog("Revert this file?", text, answer="Revert")
        if await self.app.push_screen_wait(dialog):
            await self.host.submit(RevertFile(step=trouble.step))

    @work(group="command", exclusive=True)
    async def action_revert_run(self) -> None:
        """Put every file of the run back."""
        run = self.run_state
        if run is None:
            return
        count = plural(len(run.changed_files), "file goes", "files go")
        text = f"{count} back to what was there before the run."
        text += " Files you changed since are left alone."
        if not run.is_reviewing and run.outcome is None:
            text += " What is not written yet is still written: s on the Run screen stops the run."
        text += f"\n\n{_what_goes_back(run, tuple(run.changed_files))}"
        dialog = ConfirmDialog("Revert the run?", text, answer="Revert all")
        if await self.app.push_screen_wait(dialog):
            await self.host.submit(RevertRun())

    def _dependents(self, step: StepId) -> int:
        run = self.run_state
        steps = run.plan.enabled_steps if run is not None and run.plan is not None else ()
        return sum(step in plan_step.depends_on for plan_step in steps)


def _told(found: Diagnostic) -> str:
    place = f"line {found.line}: " if found.line else ""
    return clean_line(f"{place}{found.kind}: {found.message}")


def _what_goes_back(run: RunState, paths: tuple[str, ...]) -> str:
    """One line per file: what becomes of it."""
    base = run.base or {}
    lines = []
    for path in paths[:_LISTED]:
        before, now = run.changed_files.get(path, (base.get(path), None))
        if before is None:
            what = "is removed: the run made it"
        elif now is None:
            what = "comes back: the run removed it"
        else:
            what = "has its text from before the run again"
        lines.append(f"{clean_line(path)} {what}")
    if more := len(paths) - _LISTED:
        lines += [f"and {more} more"] if more > 0 else []
    return "\n".join(lines)
