"""The files in trouble: state, path, cause, and how often it was tried."""

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
        if over:
            rows += [PickRow(key="", left=(("came through", MUTED),)), *over]
        self.show_rows(rows)


def _row(trouble: Trouble, signs: Signs) -> PickRow:
    sign = step_sign(trouble.status, signs)
    style = str(sign.spans[0].style) if sign.spans else ""
    folder, _, name = trouble.path.rpartition("/")
    left: list[Span] = [(f"{sign.plain} ", style), (name, "")]
    if folder:
        left.append((f"  {folder}/", MUTED))
    return PickRow(key=trouble.step, left=tuple(left), right=((trouble.count, MUTED),))
