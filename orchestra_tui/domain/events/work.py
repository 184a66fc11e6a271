"""Facts of activities and of model calls."""

from typing import Literal

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.budget import BudgetStop, Reserve
from orchestra_tui.domain.calls import (
    AdapterInfo,
    CallPatience,
    ContextItem,
    FinishReason,
    Usage,
)
from orchestra_tui.domain.events.base import RunFact
from orchestra_tui.domain.ids import ActivityKey, BlobHash, CallKey, Role
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.recovery import RecoveryCause
from orchestra_tui.domain.review import Diagnostic


class ActivityStarted(RunFact):
    """A unit of work began."""

    type: Literal["ActivityStarted"] = "ActivityStarted"
    activity: Activity


class ActivityFailed(RunFact):
    """A unit of work ended without result. `kind` is the error's kind in the adapter tree,
    or `refused`, `validation`, `conflict`, `git`, `internal`."""

    type: Literal["ActivityFailed"] = "ActivityFailed"
    activity: Activity
    kind: str
    message: str
    diagnostics: tuple[Diagnostic, ...] = ()


class ActivityAbandoned(RunFact):
    """A unit of work was cut off by a crash or a cancel; it will start again as it was."""

    type: Literal["ActivityAbandoned"] = "ActivityAbandoned"
    activity: Activity


class CallStarted(RunFact):
    """A model is being asked. `request` is the blob of the whole request as JSON."""

    type: Literal["CallStarted"] = "CallStarted"
    call: CallKey
    activity: ActivityKey
    role: Role
    path: str | None
    adapter: AdapterInfo
    request: BlobHash
    context: tuple[ContextItem, ...] = ()
    patience: CallPatience | None = None
    """How long it is waited for; None in logs of before it was adapted."""
    reserve: Reserve = Reserve()
    """What was set aside of the budget for it."""


class CallFinished(RunFact):
    """The model answered; `reply` is the blob of the whole answer text. `cost` None is unknown
    (in a rehearsal there is none)."""

    type: Literal["CallFinished"] = "CallFinished"
    call: CallKey
    activity: ActivityKey
    usage: Usage
    finish: FinishReason
    reply: BlobHash
    seconds: float
    cost: Cost | None = None


class CallFailed(RunFact):
    """The call broke off. `retry_in` seconds is the wait before the next try, None is no retry."""

    type: Literal["CallFailed"] = "CallFailed"
    call: CallKey
    activity: ActivityKey
    kind: str
    message: str
    retry_in: float | None = None
    cooling_for: float | None = None
    """Seconds for which no call at all is made to this adapter."""
    usage: Usage = Usage()
    """What it used up all the same, where that is known."""
    cost: Cost | None = None
    """What that cost; None is unknown, which is not nothing."""


class HopTaken(RunFact):
    """A call goes to another adapter of the chain than the one that came first or was asked last.

    `call` is the call that goes there. `kind` is the error's kind in the adapter tree, or `busy`;
    `cause` says it in a sentence. `cooling_for` is how many seconds `left` is not asked for.
    """

    type: Literal["HopTaken"] = "HopTaken"
    call: CallKey
    activity: ActivityKey
    left: str
    to: str
    kind: str
    cause: str
    cooling_for: float | None = None


class CallDelayed(RunFact):
    """A call waits for `adapter` before it is made, `seconds` at most; `reason` says for what."""

    type: Literal["CallDelayed"] = "CallDelayed"
    activity: ActivityKey
    adapter: str
    reason: str
    seconds: float


class CacheHit(RunFact):
    """The answer was known from an earlier run and nobody was asked. `saved` are the tokens it
    had cost then; the call itself costs none."""

    type: Literal["CacheHit"] = "CacheHit"
    call: CallKey
    activity: ActivityKey
    saved: Usage
    saved_cost: Cost | None = None
    """What these tokens would cost now; None is unknown."""


class ReplyDoubted(RunFact):
    """A reply that is still coming in looks damaged: a remark for the pane, the gate decides.

    `line` counts from 1 in the file; None is the reply as a whole.
    """

    type: Literal["ReplyDoubted"] = "ReplyDoubted"
    call: CallKey
    activity: ActivityKey
    line: int | None = None
    message: str


class BudgetReached(RunFact):
    """A call was not made, as it might have passed a limit; its work waits for the user."""

    type: Literal["BudgetReached"] = "BudgetReached"
    activity: ActivityKey
    stop: BudgetStop


class ReplyRefused(RunFact):
    """A finished answer could not be used: wrong format, no end mark, or damaged text."""

    type: Literal["ReplyRefused"] = "ReplyRefused"
    call: CallKey
    activity: ActivityKey
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()
    text: BlobHash | None = None
    """The damaged text, or with `is_reply` the whole reply."""
    is_reply: bool = True
    """No text of the file could be read out of the reply."""
    cause: RecoveryCause = RecoveryCause.REFUSED
    can_continue: bool = False
    """The reply broke off, and nobody has tried to go on at its cut."""
