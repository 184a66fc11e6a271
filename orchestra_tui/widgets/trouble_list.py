"""The files in trouble: state, name, cause, and how often it was tried."""

from collections.abc import Sequence

from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList, PickRow
from orchestra_tui.widgets.signs import Signs, signs_of, step_sign
from orchestra_tui.widgets.trouble import Trouble


class TroubleList(PickList):
    """One row per step in trouble; those that came through stand below a caption."""

    def show_troubles(self, found: Sequence[Trouble]) -> None:
        """Show these."""
        signs = signs_of(self.app)
        rows = [_row(trouble, signs) for trouble in found if not trouble.is_over]
        over = [_row(trouble, signs) for trouble in found if trouble.is_over]
        if over and rows:
            rows.append(PickRow(key="", left=(("came through", MUTED),)))
        self.show_rows([*rows, *over])


def _row(trouble: Trouble, signs: Signs) -> PickRow:
    sign = step_sign(trouble.status, signs)
    style = str(sign.spans[0].style) if sign.spans else ""
    mark, name_style = sign.plain, ""
    if trouble.waits:
        mark, style, name_style = signs.needs_user, "$text-warning bold", "bold"
    folder, _, name = trouble.path.rpartition("/")
    left: list[Span] = [(f"{mark} ", style), (name, name_style)]
    if trouble.short_cause:
        left.append((f"  {trouble.short_cause}", style))
    if folder:
        left.append((f"  {folder}/", MUTED))
    return PickRow(key=trouble.step, left=tuple(left), right=((trouble.count, MUTED),))
