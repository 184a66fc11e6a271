"""The form for one step of the plan: every field, checked while it is typed.

The rule a reader must not break: the form never holds the plan. It gets a step, and posts the
step as it would be after each change; a value that cannot be a step is said and not posted.
Fields show cleaned text; a field nobody changed gives its raw text back.
"""

from typing import ClassVar

from pydantic import ValidationError
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, TextArea

from orchestra_tui.domain.plan import ChangeKind, PlanStep
from orchestra_tui.domain.text import clean, clean_line
from orchestra_tui.widgets.chip import Chip
from orchestra_tui.widgets.plain_static import PlainStatic

_CHANGES = tuple(kind.value for kind in ChangeKind)
_ENABLED = ("on", "off")


class StepForm(VerticalScroll):
    """All fields of one step."""

    DEFAULT_CSS = """
    StepForm {
        scrollbar-size-vertical: 1;
        .field { height: auto; min-height: 1; }
        .label { width: 9; color: $text-muted; }
        Input, Input:focus { width: 1fr; border: none; height: 1; padding: 0 1; }
        Input { background: $surface; }
        Input:focus { background: $block-cursor-background; }
        TextArea, TextArea:focus {
            width: 1fr; height: auto; min-height: 2; max-height: 8; border: none; padding: 0 1;
        }
        TextArea { background: $surface; }
        TextArea:focus { background: $block-cursor-background; }
        #form-error { color: $text-error; padding: 0 0 0 9; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "leave", "back to the steps", tooltip="back to the steps", id="form.leave"
        ),
    ]

    class Edited(Message):
        """The step at `index` would be `step` now; `field` is what the user changed."""

        def __init__(self, index: int, step: PlanStep, field: str) -> None:
            super().__init__()
            self.index = index
            self.step = step
            self.field = field

    class Left(Message):
        """The user is done with the form."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, can_focus=False)
        self._index = 0
        self._step: PlanStep | None = None

    def compose(self) -> ComposeResult:
        """One line per field, more for the texts."""
        yield from _field("path", Input(id="path"))
        yield from _field("change", Chip(_CHANGES, _CHANGES[0], id="change"))
        yield from _field("from", Input(id="from"), line_id="from-line")
        yield from _field("purpose", TextArea(id="purpose"))
        yield from _field("after", Input(id="after", placeholder="ids, e.g. s1 s2"))
        yield from _field("agents", Input(id="agents", placeholder="the default chain"))
        yield from _field("notes", TextArea(id="notes"))
        yield from _field("id", Input(id="step-id"))
        yield from _field("enabled", Chip(_ENABLED, _ENABLED[0], id="enabled"))
        yield PlainStatic(id="form-error")

    def show_step(self, index: int, step: PlanStep | None, *, is_editable: bool) -> None:
        """Show a step, or nothing; fields that hold the same text keep their cursor."""
        is_other = index != self._index or self._step is None
        self._index, self._step = index, step
        self.disabled = step is None or not is_editable
        if step is None:
            return
        with self.prevent(Input.Changed, TextArea.Changed, Chip.Changed):
            self._fill(step)
        self.query_one("#from-line").display = step.change is ChangeKind.RENAME
        if is_other:
            self.query_one("#form-error", PlainStatic).update("")

    def focus_first(self) -> None:
        """Begin to edit."""
        self.query_one("#path", Input).focus()

    def action_leave(self) -> None:
        """Back to the steps."""
        self.post_message(self.Left())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Input.Changed)
    def _edit_input(self, event: Input.Changed) -> None:
        event.stop()
        self._post(event.input.id or "")

    @on(TextArea.Changed)
    def _edit_text(self, event: TextArea.Changed) -> None:
        event.stop()
        self._post(event.text_area.id or "")

    @on(Chip.Changed)
    def _edit_choice(self, event: Chip.Changed) -> None:
        event.stop()
        self._post(event.chip.id or "")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep the field that is edited in sight."""
        event.widget.scroll_visible(animate=False)

    def _fill(self, step: PlanStep) -> None:
        inputs = {
            "#path": step.path,
            "#from": step.from_path or "",
            "#after": " ".join(step.depends_on),
            "#agents": " ".join(step.agents),
            "#step-id": step.id,
        }
        for selector, value in inputs.items():
            field = self.query_one(selector, Input)
            # What is typed differs from its meaning by blanks only: the cursor stays.
            shown = clean_line(value)
            if field.value.split() != shown.split() or not field.has_focus:
                field.value = shown
        for selector, text in (("#purpose", step.purpose), ("#notes", step.notes)):
            area = self.query_one(selector, TextArea)
            if area.text != clean(text):
                area.load_text(clean(text))
                area.move_cursor(area.document.end)
        self.query_one("#change", Chip).value = step.change.value
        self.query_one("#enabled", Chip).value = _ENABLED[0 if step.enabled else 1]

    def _post(self, field: str) -> None:
        if self._step is None:
            return
        error = self.query_one("#form-error", PlainStatic)
        try:
            step = self._read(self._step)
        except ValidationError:
            error.update("an id is 1 to 32 letters, digits, - or _, and begins with none of - _")
            return
        error.update("")
        if step != self._step:
            self._step = step
            self.query_one("#from-line").display = step.change is ChangeKind.RENAME
            self.post_message(self.Edited(self._index, step, field))

    def _read(self, old: PlanStep) -> PlanStep:
        change = ChangeKind(self.query_one("#change", Chip).value)
        is_rename = change is ChangeKind.RENAME
        return PlanStep.model_validate(
            {
                "id": self._value("#step-id").strip(),
                "path": _kept(self._value("#path"), old.path),
                "change": change,
                "from": _kept(self._value("#from"), old.from_path or "") if is_rename else None,
                "purpose": _kept(self.query_one("#purpose", TextArea).text, old.purpose),
                "notes": _kept(self.query_one("#notes", TextArea).text, old.notes),
                "enabled": self.query_one("#enabled", Chip).value == _ENABLED[0],
                "depends_on": _names(self._value("#after")),
                "agents": _names(self._value("#agents")),
            }
        )

    def _value(self, selector: str) -> str:
        return self.query_one(selector, Input).value


def _kept(shown: str, old: str) -> str:
    return old if shown in {clean(old), clean_line(old)} else shown


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(text.replace(",", " ").split()))


def _field(
    label: str, widget: Input | TextArea | Chip, *, line_id: str | None = None
) -> ComposeResult:
    with Horizontal(classes="field", id=line_id):
        yield PlainStatic(label, classes="label")
        yield widget
