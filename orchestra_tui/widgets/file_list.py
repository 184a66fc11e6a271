"""The changed files with what is decided about each: accepted, rejected, in part, refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.diff_model import WHOLE_FILE
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.signs import Signs, signs_of

_CHANGE = {
    ChangeKind.CREATE: "new",
    ChangeKind.MODIFY: "",
    ChangeKind.DELETE: "deleted",
    ChangeKind.RENAME: "renamed",
}
_COUNT = 5


@dataclass(frozen=True)
class Decision:
    """How many of a file's hunks are accepted; a file without hunks counts as one."""

    accepted: int
    total: int

    @property
    def is_whole(self) -> bool:
        """Nothing is rejected."""
        return self.accepted == self.total

    @property
    def is_none(self) -> bool:
        """Nothing is accepted."""
        return self.accepted == 0


def decision(diff: FileDiff, rejected: Sequence[str]) -> Decision:
    """What the rejected ids leave of a file's change."""
    total = len(diff.hunks) or 1
    if WHOLE_FILE in rejected:
        return Decision(0, total)
    out = sum(hunk.id in rejected for hunk in diff.hunks)
    return Decision(total - out, total)


def toggled(diff: FileDiff, rejected: Sequence[str], hunk: str) -> tuple[str, ...]:
    """The rejected ids after one hunk, or with `*` the whole file, was toggled.

    The whole file is accepted again if anything of it was rejected.
    """
    if hunk == WHOLE_FILE:
        return () if rejected else (WHOLE_FILE,)
    ids = [known.id for known in diff.hunks]
    out = set(ids) if WHOLE_FILE in rejected else set(rejected) & set(ids)
    out ^= {hunk}
    return tuple(known for known in ids if known in out)


class FileList(PickList):
    """One row per changed file; `space` accepts or rejects the whole of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "toggle_file", "accept/reject file", id="files.toggle",
            tooltip="Accept or reject everything in this file",
        ),
    ]  # fmt: skip

    can_decide = True
    """The run waits for decisions; the owner says so."""

    class FileToggled(Message):
        """The user accepts or rejects a whole file."""

        def __init__(self, files: "FileList", path: str) -> None:
            super().__init__()
            self.files = files
            self.path = path

        @property
        def control(self) -> "FileList":
            """The list."""
            return self.files

    def show_files(
        self,
        files: Sequence[FileDiff],
        *,
        rejected: Mapping[str, Sequence[str]],
        refused: Mapping[str, str],
    ) -> None:
        """Show these files in their order."""
        signs = signs_of(self.app)
        self.show_rows(
            [
                _row(diff, decision(diff, rejected.get(diff.path, ())), diff.path in refused, signs)
                for diff in files
            ]
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Deciding is for a review."""
        if action == "toggle_file":
            return self.can_decide or None
        return super().check_action(action, parameters)

    def action_toggle_file(self) -> None:
        """Accept or reject everything in the file under the cursor."""
        if self.key:
            self.post_message(self.FileToggled(self, self.key))


def _row(diff: FileDiff, decided: Decision, is_refused: bool, signs: Signs) -> PickRow:
    if is_refused:
        sign: Span = (signs.blocked, "$text-warning")
    elif decided.is_whole:
        sign = (signs.accepted, "$text-success")
    else:
        sign = (
            (signs.failed, "$text-error") if decided.is_none else (signs.partial, "$text-warning")
        )
    folder, _, name = clean_line(diff.path).rpartition("/")
    left: list[Span] = [sign, (f" {name}", "strike $text-muted" if decided.is_none else "")]
    if _CHANGE[diff.kind]:
        left.append((f" {_CHANGE[diff.kind]}", f"{MUTED} italic"))
    if folder:
        left.append((f"  {folder}/", MUTED))
    right: list[Span] = []
    if not decided.is_whole and not decided.is_none:
        right.append((f"{decided.accepted}/{decided.total} ", "$text-warning"))
    if diff.is_binary:
        right.append((f"{'binary':>{2 * _COUNT}}", MUTED))
    else:
        right.append((f"{f'+{diff.added}':>{_COUNT}}", "$text-success"))
        right.append((f"{f'-{diff.removed}':>{_COUNT}}", "$text-error" if diff.removed else MUTED))
    return PickRow(key=diff.path, left=tuple(left), right=tuple(right))
