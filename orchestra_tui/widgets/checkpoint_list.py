"""The checkpoints of a run: moments whose files are kept."""

from collections.abc import Sequence

from orchestra_tui.domain.state import Checkpoint
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.line_view import MUTED
from orchestra_tui.widgets.pick_list import PickList, PickRow


class CheckpointList(PickList):
    """One row per checkpoint, newest first; its key is its place in the log."""

    def show_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Show these checkpoints."""
        self.show_rows(
            [
                PickRow(
                    key=str(point.seq),
                    left=(
                        (f"{point.at.astimezone():%H:%M:%S} ", MUTED),
                        (clean_line(point.label), ""),
                    ),
                    right=((plural(len(point.files), "file"), MUTED),),
                )
                for point in reversed(checkpoints)
            ]
        )
