"""A finished answer that could not be used, and why."""

from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import BlobHash, CallKey
from orchestra_tui.domain.recovery import RecoveryCause
from orchestra_tui.domain.review import Diagnostic


class RefusedAnswer(OrchestraError):
    """The reply to `call` is malformed or its text is damaged.

    `text` is the blob of the damaged text, or with `is_reply` of the whole reply. It
    `can_continue` if it broke off and the chain has not tried to go on at its cut.
    """

    def __init__(
        self,
        call: CallKey,
        reason: str,
        *,
        cause: RecoveryCause = RecoveryCause.REFUSED,
        is_reply: bool = False,
        can_continue: bool = False,
        diagnostics: tuple[Diagnostic, ...] = (),
        text: BlobHash | None = None,
    ) -> None:
        super().__init__(reason)
        self.call = call
        self.reason = reason
        self.cause = cause
        self.is_reply = is_reply
        self.can_continue = can_continue
        self.diagnostics = diagnostics
        self.text = text


class NotWritable(OrchestraError):
    """The step's file cannot be written by a model; the message says why."""
