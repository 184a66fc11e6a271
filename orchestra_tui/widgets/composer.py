"""The composer: where a task is written, with how it will run below the text.

The rule a reader must not break: pasted text is text. Only typed keys start a completion or a
run, so nothing in a clipboard can act.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import TextArea

from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.widgets.budget_chip import BudgetChip
from orchestra_tui.widgets.cells import fit_path
from orchestra_tui.widgets.chip import Chip
from orchestra_tui.widgets.row_list import Row, RowList

MODES = (Mode.PIPELINE.value, Mode.PARALLEL.value, Mode.SEQUENTIAL.value)
MANY = ("1", "2", "3", "4", "6", "8", "12", "16")
_CHECKS = ("checks on", "checks off")
_WORD_END = frozenset(" \t\n")


class TaskArea(TextArea):
    """The text field. Enter starts, ^j or a line that ends in a backslash goes on below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", "start", tooltip="start: plan this task", id="composer.send"),
        Binding(
            "ctrl+j,shift+enter", "break_line", "new line", tooltip="a new line", id="composer.line"
        ),
    ]
    has_choices: reactive[bool] = reactive(False, init=False)
    """A list of completions is open; arrows, enter, tab and escape belong to it."""

    class Sent(Message):
        """The user wants the task to start."""

    class CommandWanted(Message):
        """`/` in the empty field: the user looks for a command, by name."""

    class Recalled(Message):
        """The user wants an earlier (`by` -1) or later (`by` 1) task back."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Chosen(Message):
        """A key for the open list of completions."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class WordTyped(Message):
        """The word before the cursor after a typed key: `@...` asks for paths."""

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

    def on_key(self, event: events.Key) -> None:
        """Keys that mean something else here than in other text fields."""
        if self.has_choices and event.key in {"up", "down", "enter", "tab", "escape"}:
            event.prevent_default().stop()
            self.post_message(self.Chosen(event.key))
        elif event.character == "/" and not self.text:
            event.prevent_default().stop()
            self.post_message(self.CommandWanted())
        elif event.key == "enter":
            event.prevent_default().stop()
            self._enter()
        else:
            self.call_after_refresh(self._tell_word)

    def action_send(self) -> None:
        """Start."""
        self.post_message(self.Sent())

    def action_break_line(self) -> None:
        """A new line."""
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; on the first line, the task before."""
        if select or self.cursor_location[0] > 0:
            super().action_cursor_up(select)
        else:
            self.post_message(self.Recalled(-1))

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; on the last line, the task after."""
        if select or self.cursor_location[0] < self.document.line_count - 1:
            super().action_cursor_down(select)
        else:
            self.post_message(self.Recalled(1))

    def word(self) -> str:
        """The word that ends at the cursor."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        start = max((before.rfind(end) for end in _WORD_END), default=-1) + 1
        return before[start:]

    def replace_word(self, text: str) -> None:
        """Put `text` where the word that ends at the cursor stands."""
        row, column = self.cursor_location
        self.replace(text, (row, column - len(self.word())), (row, column))

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document.get_line(row)[column - 1] == "\\":
            self.replace("\n", (row, column - 1), (row, column))
        else:
            self.action_send()

    def _tell_word(self) -> None:
        self.post_message(self.WordTyped(self.word()))


class Composer(Vertical):
    """Task text, completions and the run's settings in one frame."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        border: round $border-blurred;
        padding: 0 1;
        &:focus-within { border: round $primary; }
        TaskArea, TaskArea:focus {
            height: auto;
            min-height: 2;
            max-height: 8;
            border: none;
            padding: 0;
            background: transparent;
        }
        #choices { height: auto; max-height: 6; display: none; border-top: solid $border-blurred; }
        #choices.-open { display: block; }
        #settings { height: 1; }
    }
    """

    class Submitted(Message):
        """The user starts this task with these settings."""

        def __init__(self, task: str, settings: RunSettings) -> None:
            super().__init__()
            self.task = task
            self.settings = settings

    class Edited(Message):
        """The draft changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class PathWanted(Message):
        """Paths that contain `text` are wanted; the screen answers with `show_choices`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, text: str, settings: RunSettings, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._first_text = text
        self._settings = settings
        self._choices: tuple[str, ...] = ()
        self._earlier: tuple[str, ...] = ()
        self._recalled = 0
        self._draft = ""

    def compose(self) -> ComposeResult:
        """The text, the completions, the settings."""
        yield TaskArea(
            self._first_text,
            placeholder="Describe the change. @ completes a path, / finds a command.",
            highlight_cursor_line=False,
        )
        yield RowList(id="choices")
        run = self._settings
        with Horizontal(id="settings"):
            yield Chip(MODES, run.mode.value, id="mode", tooltip="how the work is spread")
            yield Chip(
                MANY, str(run.max_concurrency), prefix="x", id="many", tooltip="agents at once"
            )
            yield BudgetChip(run.budget, id="budget")
            yield Chip(
                _CHECKS,
                _CHECKS[0 if run.run_checks else 1],
                id="checks",
                tooltip="run the project's own tests when the files are written",
            )

    def on_mount(self) -> None:
        """The list of completions is steered from the text field."""
        self.query_one("#choices", RowList).can_focus = False

    @property
    def area(self) -> TaskArea:
        """The text field."""
        return self.query_exactly_one(TaskArea)

    @property
    def settings(self) -> RunSettings:
        """The settings as chosen here."""
        return self._settings.model_copy(
            update={
                "mode": Mode(self.query_one("#mode", Chip).value),
                "max_concurrency": int(self.query_one("#many", Chip).value),
                "budget": self.query_one("#budget", BudgetChip).budget,
                "run_checks": self.query_one("#checks", Chip).value == _CHECKS[0],
            }
        )

    def set_text(self, text: str) -> None:
        """Put `text` into the field, the cursor at its end."""
        self.area.load_text(text)
        self.area.move_cursor(self.area.document.end)

    def show_earlier(self, tasks: Sequence[str]) -> None:
        """The tasks that the up arrow recalls, newest first."""
        self._earlier = tuple(dict.fromkeys(tasks))

    def show_choices(self, paths: Sequence[str]) -> None:
        """Open the list of paths, or close it when there is none."""
        self._choices = tuple(paths)
        choices = self.query_one("#choices", RowList)
        choices.set_class(bool(paths), "-open")
        self.area.has_choices = bool(paths)
        choices.show_rows([_path_row(path) for path in paths], highlight=0)

    @on(TaskArea.Sent)
    def _send(self) -> None:
        task = self.area.text.strip()
        if task:
            self.post_message(self.Submitted(task, self.settings))

    @on(TaskArea.Changed)
    def _edit(self) -> None:
        self.post_message(self.Edited(self.area.text))

    @on(TaskArea.WordTyped)
    def _complete(self, event: TaskArea.WordTyped) -> None:
        if event.word.startswith("@") and len(event.word) > 1:
            self.post_message(self.PathWanted(event.word[1:]))
        elif self._choices:
            self.show_choices(())

    @on(TaskArea.Chosen)
    def _steer_choices(self, event: TaskArea.Chosen) -> None:
        choices = self.query_one("#choices", RowList)
        match event.key:
            case "up":
                choices.action_cursor_up()
            case "down":
                choices.action_cursor_down()
            case "escape":
                self.show_choices(())
            case _:
                self._take_choice(choices.highlighted or 0)

    @on(RowList.OptionSelected, "#choices")
    def _click_choice(self, event: RowList.OptionSelected) -> None:
        event.stop()
        self._take_choice(event.option_index)

    def _take_choice(self, index: int) -> None:
        self.area.replace_word(f"{self._choices[index]} ")
        self.show_choices(())
        self.area.focus()

    @on(TaskArea.Recalled)
    def _recall(self, event: TaskArea.Recalled) -> None:
        place = self._recalled - event.by
        if not 0 <= place <= len(self._earlier):
            return
        if self._recalled == 0:
            self._draft = self.area.text
        self._recalled = place
        self.set_text(self._earlier[place - 1] if place else self._draft)


def _path_row(path: str) -> Row:
    return lambda width: Content(fit_path(path, width))
