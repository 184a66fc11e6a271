"""The dialog that sends a plan back to the Architect, with what is wrong with it."""

from orchestra_tui.dialogs.note import NoteDialog


class RejectDialog(NoteDialog):
    """Gives the feedback, never empty; None if the plan stays."""

    def __init__(self) -> None:
        super().__init__(
            "Send this plan back?",
            hint="What should the Architect do differently? The plan is written again.",
            answer="Reject",
            is_required=True,
        )
