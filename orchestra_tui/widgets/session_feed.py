"""What comes from the engine, folded: the session as it is and the text of what runs.

The rule a reader must not break: the state is changed by `domain.fold.apply` only, the same
function as on the other side of the seam, so both sides always agree.
"""

from orchestra_tui.domain.events import Record
from orchestra_tui.domain.fold import apply
from orchestra_tui.domain.ports import Delta, Snapshot, Update
from orchestra_tui.domain.state import SessionState
from orchestra_tui.widgets.streams import StreamBuffers


class SessionFeed:
    """The session and its streams, kept up to date by `take` and `move_to`."""

    def __init__(self) -> None:
        self.session: SessionState | None = None
        self.streams = StreamBuffers()

    def take(self, update: Update) -> bool:
        """Take one update of the subscription; True if the session changed."""
        match update:
            case Delta():
                self.streams.feed(update)
                return False
            case Snapshot():
                return self.move_to(update.state)
            case Record():
                if self.session is None or update.session != self.session.id:
                    return False
                return self.move_to(apply(self.session, update))

    def move_to(self, session: SessionState) -> bool:
        """Take a state as the engine gave it; an older one of the same session is ignored."""
        before = self.session
        if before is session:
            return False
        if before is not None and before.id == session.id and session.seq < before.seq:
            return False
        if before is not None and before.id != session.id:
            self.streams.clear()
        self.session = session
        return True
