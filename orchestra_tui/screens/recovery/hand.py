"""Taking a file over by hand on the recovery screen: the editor, its drafts, the command.

The rule a reader must not break: what the user wrote goes only when it is in the file, or when he
drops it. Leaving the editor, the screen or the app keeps it.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from textual import events, on, work
from textual.getters import query_one
from textual.widgets import TextArea

from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.domain.commands import TakeOver
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.ports import ProjectInfo, ValidateText
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import StepState, StepStatus
from orchestra_tui.screens.base import OrchestraScreen
from orchestra_tui.widgets.external_editor import EditorError, edit_text
from orchestra_tui.widgets.hand_drafts import HandDrafts, RunKey
from orchestra_tui.widgets.hand_editor import HandEditor, keeps_every_character
from orchestra_tui.widgets.trouble import Trouble, path_of

LARGEST = 400_000
"""Characters up to which a text is edited in place; a larger one goes to $EDITOR."""


@dataclass(frozen=True)
class ShownDamage:
    """The damaged text of a step's file that is shown, and what was found in it."""

    step: StepId
    text: str
    found: tuple[Diagnostic, ...]


class RecoveryHand(OrchestraScreen):
    """The editor of the recovery screen. Subclasses say which file is chosen."""

    hand = query_one(HandEditor)

    def __init__(self) -> None:
        super().__init__()
        self.editing: StepId | None = None
        """The step whose text is in the editor."""
        self.shown_damage: ShownDamage | None = None
        """None while another one is being read."""
        self._drafts: HandDrafts | None = None
        self._sent: dict[StepId, int] = {}
        """The steps whose draft the engine took, and the record that said so."""
        self._found: tuple[Diagnostic, ...] = ()
        self._field: TextArea | None = None
        """The field, to be read when the app ends and it is on no screen any more."""

    @property
    def trouble(self) -> Trouble | None:
        """The chosen file."""
        raise NotImplementedError

    @property
    def step(self) -> StepState | None:
        """Its step."""
        raise NotImplementedError

    def choose(self, step: StepId) -> None:
        """Choose another file."""
        raise NotImplementedError

    async def damage(self) -> ShownDamage | None:
        """The damaged text that is shown, once it has been read."""
        raise NotImplementedError

    async def good_text(self, step: StepId) -> str | None:
        """The last good text of the step's file."""
        raise NotImplementedError

    async def written_text(self, step: StepId) -> str | None:
        """The text that the run has put into the step's file, and that stands there now."""
        raise NotImplementedError

    async def no_text(self, step: StepId) -> str:
        """Why the step's file cannot be written by hand; empty if it can."""
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
        if problem := await self.no_text(trouble.step):
            self.host.say(problem)
            return
        text, told = await self._beginning(trouble.step)
        if problem := _problem_here(text):
            self.host.say(f"{problem}: e opens it in $EDITOR")
            return
        self._open(trouble.step, text, told)

    @work(group="hand", exclusive=True)
    async def action_open_editor(self) -> None:
        """Edit the text in $EDITOR."""
        trouble = self.trouble
        if trouble is None:
            return
        if problem := await self.no_text(trouble.step):
            self.host.say(problem)
            return
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
        """The draft, or else what may be gone on with."""
        drafts = self._drafts_now()
        if drafts is not None and (draft := await drafts.get(step)) is not None:
            return draft, "your draft"
        return (await self._starts(step))[0]

    async def _starts(self, step: StepId) -> list[tuple[str, str]]:
        """The texts that may be gone on with, and what each is: the damaged one, the one that
        stands in the project, the last good one."""
        damage = await self.damage()
        known = (
            (damage.text if damage is not None and damage.step == step else None, "damaged text"),
            (await self.written_text(step), "text in the project"),
            (await self.good_text(step), "last good text"),
        )
        found: dict[str, str] = {}
        for text, what in known:
            if text is not None:
                found.setdefault(text, f"the {what}")
        if known[-1][0] is None:
            found.setdefault("", "an empty file")
        return list(found.items())

    def _open(self, step: StepId, text: str, told: str) -> None:
        run = self.run_state
        if run is None:
            return
        self._sent.pop(step, None)
        self._found = ()
        self.editing, self._field = step, self.hand.area
        self.choose(step)
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
        if _problem_here(edited):
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
            query = ValidateText(path=path_of(run, step), text=text, old=await self.good_text(step))
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
                may_go_on = self.check_action("take_over", ())
                hint = ": t goes on with it" if may_go_on else ""
                self.host.say(f"Your text is kept as a draft{hint}")
                self.query_one("#troubles").focus()
            case "write":
                self._submit(step, event.text)
            case "open_editor":
                self._use_editor(step, event.text)
            case "take_anyway":
                self.take_anyway(event.text, self._found)
            case "other_start":
                await self._begin_again(step, event.text)

    async def _begin_again(self, step: StepId, text: str) -> None:
        starts = await self._starts(step)
        at = [known for known, _ in starts].index(text) if text in dict(starts) else -1
        text, told = starts[(at + 1) % len(starts)]
        if problem := _problem_here(text):
            self.host.say(f"{problem}: ^o goes on in $EDITOR")
        elif self.editing == step:
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
        state = await self.host.submit(TakeOver(step=step, text=text))
        if state is not None:
            self.text_was_sent(step, text, state.seq)

    # --- drafts -------------------------------------------------------------------------------

    def text_was_sent(self, step: StepId, text: str, seq: int) -> None:
        """The engine took `text` with the record `seq`; a draft that says the same goes when the
        file is written."""
        if self.editing == step:
            self.leave_editor()
            self.query_one("#troubles").focus()
        if self._drafts is not None and self._drafts.known(step) == text:
            self._sent[step] = seq

    def follow_drafts(self) -> None:
        """Forget the drafts of files that now hold the user's text, and leave those of a run that
        is not shown any more."""
        session, run, drafts = self.session, self.run_state, self._drafts
        if drafts is None:
            return
        if session is None or run is None or drafts.of != RunKey(session.id, run.id):
            self.leave_editor()
            self._drafts = None
            self._sent.clear()
            return
        for step, seq in tuple(self._sent.items()):
            status = run.steps[step].status
            if session.seq < seq:
                continue
            if status is StepStatus.ACCEPTED:
                del self._sent[step]
                self._forget(drafts, step)
            elif status.is_trouble:
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

    def watch_project(self, project: ProjectInfo | None) -> None:
        """From now on it is known where drafts are kept."""
        super().watch_project(project)
        if self.trouble is not None:
            self.find_draft(self.trouble.step)

    @work(group="draft")
    async def find_draft(self, step: StepId) -> None:
        """Look whether a draft was left by an app that ended; `has_draft` knows it then."""
        drafts = self._drafts_now() if self.host.project is not None else None
        if drafts is not None and await drafts.get(step) is not None:
            self.refresh_bindings()

    def has_draft(self, step: StepId) -> bool:
        """Something was written by hand for the step."""
        return self._drafts is not None and self._drafts.known(step) is not None

    def _drafts_now(self) -> HandDrafts | None:
        """The drafts of the run that is shown."""
        session, run, project = self.session, self.run_state, self.host.project
        if self._drafts is None and session is not None and run is not None:
            folder = Path(project.state_folder) if project is not None else None
            self._drafts = HandDrafts(folder, RunKey(session.id, run.id))
        return self._drafts

    def _hold(self, step: StepId, text: str) -> None:
        drafts = self._drafts_now()
        if drafts is not None:
            drafts.hold(step, text)
            self._save(drafts, step)

    # Not exclusive: no save is given up for the next one, they follow each other.
    @work(group="save")
    async def _save(self, drafts: HandDrafts, step: StepId) -> None:
        await drafts.save(step)

    @work(group="save")
    async def _forget(self, drafts: HandDrafts, step: StepId) -> None:
        await drafts.drop(step)

    @on(events.ScreenSuspend)
    def _hand_over(self) -> None:
        """Another screen comes to the front: nothing of what was typed waits for its timer."""
        if self.editing is not None:
            self.hand.tell_now()
            self._hold(self.editing, self.hand.text)

    @on(events.Unmount)
    def _save_the_last_words(self) -> None:
        """The app ends: no worker would come to save what was typed just now."""
        if self.editing is not None and self._drafts is not None and self._field is not None:
            self._drafts.save_now(self.editing, self._field.text)


def _problem_here(text: str) -> str:
    """Why the text cannot be edited in place; empty if it can."""
    if len(text) > LARGEST:
        return "This text is too large to be edited here"
    if not keeps_every_character(text):
        return "This text has unusual line ends (form feeds and the like) that would be lost here"
    return ""
