"""Taking a file over by hand on the recovery screen: the editor, its drafts, the command.

The rule a reader must not break: what the user wrote goes only when it is in the file, or when he
drops it. Leaving the editor, the screen or the app keeps it.
"""

import re
from pathlib import Path, PurePosixPath

from textual import events, on, work
from textual.getters import query_one

from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.domain.commands import TakeOver
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.ports import ValidateText
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import StepState, StepStatus
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.external_editor import EditorError, edit_text
from orchestra_tui.widgets.hand_drafts import HandDrafts
from orchestra_tui.widgets.hand_editor import HandEditor
from orchestra_tui.widgets.trouble import Trouble, path_of

LARGEST = 400_000
"""Characters up to which a text is edited in place; a larger one goes to $EDITOR."""


class RecoveryHand(OrchestraScreen):
    """The editor of the recovery screen. Subclasses say which file is chosen."""

    hand = query_one(HandEditor)

    def __init__(self) -> None:
        super().__init__()
        self.editing: StepId | None = None
        """The step whose text is in the editor."""
        self.shown_damage: tuple[str, tuple[Diagnostic, ...]] | None = None
        """The damaged text that is shown, and what was found in it."""
        self._drafts: HandDrafts | None = None
        self._sent: dict[StepId, bool] = {}
        """The steps whose text the engine took; True once the run says so."""
        self._found: tuple[Diagnostic, ...] = ()

    @property
    def trouble(self) -> Trouble | None:
        """The chosen file."""
        raise NotImplementedError

    @property
    def step(self) -> StepState | None:
        """Its step."""
        raise NotImplementedError

    async def good_text(self) -> str | None:
        """The last good text of the chosen file."""
        raise NotImplementedError

    @property
    def is_editing(self) -> bool:
        """The editor is open."""
        return self.editing is not None

    # --- opening and leaving ------------------------------------------------------------------

    @work(group="hand", exclusive=True)
    async def action_take_over(self) -> None:
        """Edit the text here."""
        trouble = self.trouble
        if trouble is None:
            return
        text, told = await self._beginning(trouble.step)
        if len(text) > LARGEST:
            self.host.say("This text is too large to be edited here: e opens it in $EDITOR")
            return
        self._open(trouble.step, text, told)

    @work(group="hand", exclusive=True)
    async def action_open_editor(self) -> None:
        """Edit the text in $EDITOR."""
        trouble = self.trouble
        if trouble is not None:
            text, _ = await self._beginning(trouble.step)
            await self._edit_outside(trouble.step, text)

    def leave_editor(self) -> None:
        """Close the editor; the draft stays."""
        step = self.editing
        if step is None:
            return
        self.hand.tell_now()
        self._hold(step, self.hand.text)
        self.editing = None
        self.remove_class("-editing")
        self.refresh_bindings()

    async def _beginning(self, step: StepId) -> tuple[str, str]:
        """The draft, or else the damaged text, or else the last good one."""
        drafts = self._drafts_now()
        if drafts is not None and (draft := await drafts.get(step)) is not None:
            return draft, "your draft"
        return await self._other_start(is_good=self.shown_damage is None)

    async def _other_start(self, *, is_good: bool) -> tuple[str, str]:
        if not is_good and self.shown_damage is not None:
            return self.shown_damage[0], "the damaged text"
        good = await self.good_text()
        return (good, "the last good text") if good is not None else ("", "an empty file")

    def _open(self, step: StepId, text: str, told: str) -> None:
        run = self.run_state
        if run is None:
            return
        self._sent.pop(step, None)
        self.editing = step
        self.remove_class("-other-side")
        self.add_class("-editing")
        self.hand.begin(path_of(run, step), text, told)
        self.refresh_bindings()

    async def _edit_outside(self, step: StepId, text: str) -> None:
        """The user's editor; what he wrote comes back as a draft, to be looked at and written."""
        run = self.run_state
        if run is None:
            return
        path = PurePosixPath(path_of(run, step))
        name, suffix = (re.sub(r"[^\w.-]", "_", part) for part in (path.stem, path.suffix))
        try:
            edited = await edit_text(self.app, text, suffix=suffix, name=name or "file")
        except EditorError as error:
            self.host.say(str(error), is_error=True)
            return
        self._hold(step, edited)
        if len(edited) > LARGEST:
            await self._write(step, edited)
            return
        self._open(step, edited, "as you left it in your editor")

    # --- what the editor tells ----------------------------------------------------------------

    @on(HandEditor.Edited)
    def _edited(self, event: HandEditor.Edited) -> None:
        if self.editing is not None:
            self._hold(self.editing, event.text)
            self._judge(self.editing, event.text)

    @work(group="judge", exclusive=True)
    async def _judge(self, step: StepId, text: str) -> None:
        """Ask the validator; the newest text wins."""
        run = self.run_state
        if run is None:
            return
        try:
            query = ValidateText(path=path_of(run, step), text=text, old=await self.good_text())
            found = await self.host.ask(query)
        except OrchestraError as error:
            self.hand.show_findings(None, str(error))
            return
        if self.editing == step:
            self._found = found
            self.hand.show_findings(found)

    @on(HandEditor.Wanted)
    async def _wanted(self, event: HandEditor.Wanted) -> None:
        step = self.editing
        if step is None:
            return
        self._hold(step, event.text)
        match event.what:
            case "leave":
                self.leave_editor()
                self.host.say("Your text is kept as a draft: t goes on with it")
                self.query_one("#troubles").focus()
            case "write":
                self._submit(step, event.text)
            case "open_editor":
                self._use_editor(step, event.text)
            case "take_anyway":
                self.take_anyway(event.text, self._found)
            case "other_start":
                damaged = self.shown_damage[0] if self.shown_damage is not None else None
                is_good = damaged is not None and event.text == damaged
                text, told = await self._other_start(is_good=is_good or damaged is None)
                self.hand.begin_again(text, told)

    def take_anyway(self, text: str, found: tuple[Diagnostic, ...]) -> object:
        """Ask for a reason, then write the text although it is damaged."""
        raise NotImplementedError

    @work(group="hand", exclusive=True)
    async def _use_editor(self, step: StepId, text: str) -> None:
        await self._edit_outside(step, text)

    @work(group="hand", exclusive=True)
    async def _submit(self, step: StepId, text: str) -> None:
        await self._write(step, text)

    async def _write(self, step: StepId, text: str) -> None:
        if await self.host.submit(TakeOver(step=step, text=text)) is not None:
            self.text_was_sent(step)

    # --- drafts -------------------------------------------------------------------------------

    def text_was_sent(self, step: StepId) -> None:
        """The engine took a text for the step; its draft goes when the file is written."""
        self._sent[step] = False
        if self.editing == step:
            self.leave_editor()
            self.query_one("#troubles").focus()

    def follow_drafts(self) -> None:
        """Forget the drafts of files that now hold the user's text."""
        run, drafts = self.run_state, self._drafts
        if run is None or drafts is None:
            return
        for step in tuple(self._sent):
            status = run.steps[step].status if step in run.steps else StepStatus.ACCEPTED
            if status is StepStatus.TAKEN_OVER:
                self._sent[step] = True
            elif status is StepStatus.ACCEPTED:
                del self._sent[step]
                self._forget(drafts, step)
            elif status.is_trouble and self._sent[step]:
                # It could not be written after all: the draft stays.
                del self._sent[step]

    @work(group="hand", exclusive=True)
    async def action_drop_draft(self) -> None:
        """Forget what was written by hand for this file."""
        trouble, drafts = self.trouble, self._drafts_now()
        if trouble is None or drafts is None or await drafts.get(trouble.step) is None:
            return
        text = f"What you wrote for {trouble.path} is forgotten. The file stays as it is."
        dialog = ConfirmDialog("Drop your draft?", text, answer="Drop it")
        if await self.app.push_screen_wait(dialog):
            await drafts.drop(trouble.step)
            self.refresh_bindings()

    def has_draft(self, step: StepId) -> bool:
        """Something was written by hand for the step."""
        return self._drafts is not None and self._drafts.known(step) is not None

    def _drafts_now(self) -> HandDrafts | None:
        """The drafts of the session that is shown."""
        session, project = self.session, self.host.project
        if session is None:
            return None
        if self._drafts is None or self._drafts.session != session.id:
            folder = Path(project.state_folder) if project is not None else None
            self._drafts = HandDrafts(folder, session.id)
        return self._drafts

    def _hold(self, step: StepId, text: str) -> None:
        drafts = self._drafts_now()
        if drafts is not None and step not in self._sent:
            drafts.hold(step, text)
            self._save(drafts, step)

    @work(group="save", exclusive=True)
    async def _save(self, drafts: HandDrafts, step: StepId) -> None:
        await drafts.save(step)

    @work(group="save", exclusive=True)
    async def _forget(self, drafts: HandDrafts, step: StepId) -> None:
        await drafts.drop(step)

    @on(events.ScreenSuspend)
    def _hand_over(self) -> None:
        """Another screen comes to the front: nothing of what was typed waits for its timer."""
        if self.editing is not None:
            self.hand.tell_now()
            self._hold(self.editing, self.hand.text)
