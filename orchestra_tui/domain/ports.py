"""Ports: what the two towers and the engine's rooms ask of each other, without saying how.

The rule a reader must not break: pure data crosses `EngineClient`; no Future, callback or widget.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr

from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.commands import Command
from orchestra_tui.domain.doctor import Configuration, DoctorLine, LinkTrial, Offer
from orchestra_tui.domain.events import Outcome, Record
from orchestra_tui.domain.ids import BlobHash, CallKey, Role, SessionId
from orchestra_tui.domain.keys import KnownKey
from orchestra_tui.domain.metrics import Metrics
from orchestra_tui.domain.money import Money
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.settings import Settings
from orchestra_tui.domain.state import Phase, SessionState

R_co = TypeVar("R_co", covariant=True)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


# --- what a subscription yields -------------------------------------------------------------


class Snapshot(_Value):
    """The whole state as of `state.seq`: first of a subscription, and after a session change."""

    state: SessionState


class Delta(_Value):
    """A piece of text of a running call or check; may be lost, the recorded reply replaces it.

    `stream` is the call's key, or the activity's key for the output of checks. `offset` is the
    number of characters of the stream before this piece; a gap means that pieces were dropped,
    an offset of 0 that the stream starts again.
    """

    stream: str
    offset: int
    text: str


Update = Snapshot | Record | Delta


class Lagged(Exception):
    """The subscriber was too slow; it subscribes again and starts from a new snapshot."""


# --- queries: what the state does not hold ----------------------------------------------------


class Query(_Value, Generic[R_co]):
    """A question to the engine; the type parameter is the type of its answer."""


class SessionSummary(_Value):
    """One stored session as the lists show it."""

    id: SessionId
    project: str
    root: str
    title: str
    started_at: datetime
    last_at: datetime
    phase: Phase
    outcome: Outcome | None = None
    provider: ProviderKind = ProviderKind.REAL
    files_done: int = 0
    files_total: int = 0
    tokens: int | None = None
    cost: Money | None = None
    """What it cost; None in a rehearsal, and where it was stored before money was counted."""
    cache_hits: int = 0
    can_resume: bool = False


class DiffReport(_Value):
    """The changes of the newest run as they stand on disk against before the run.

    `refused` maps a path that cannot be committed (a git filter, a submodule) to the reason.
    """

    files: tuple[FileDiff, ...] = ()
    message: str = ""
    has_git: bool = False
    git_problem: str = ""
    refused: dict[str, str] = {}


class ListSessions(Query[tuple[SessionSummary, ...]]):
    """The sessions, newest first; `all_projects` includes other folders of this user."""

    all_projects: bool = False
    limit: int = 100


class GetMetrics(Query[Metrics]):
    """Figures of the model calls of the newest sessions of this project, together."""

    limit: int = 200


class GetDiff(Query[DiffReport]):
    """The diff of the newest run."""


class BinaryContent(_Value):
    """Content that is no text, so nobody may take it for one: `size` in bytes is all there is."""

    size: int


class GetBlob(Query[str | BinaryContent | None]):
    """The text behind a hash, or that it is none; None if the hash is unknown."""

    blob: BlobHash


class GetRequest(Query[str | None]):
    """The whole request of a call as text."""

    call: CallKey


class GetReply(Query[str | None]):
    """The whole reply of a finished call."""

    call: CallKey


class ListProbes(Query[tuple[DoctorLine, ...]]):
    """What will be looked for on this machine, in the order to show it; starts nothing.

    A line whose state is not `looking` is known already.
    """


class Probe(Query[DoctorLine]):
    """The line of one probe, looked for now: seconds at most, and nothing is spent."""

    key: str


class GetConfiguration(Query[Configuration]):
    """What the user's configuration says of agents."""


class TryLink(Query[LinkTrial]):
    """Send one tiny prompt to one adapter, which may cost something. Ask on a key press only.

    `offer` is an adapter that is not configured yet; without it `name` is one that is.
    Raises UsageError for an adapter that cannot be asked.
    """

    name: str
    offer: Offer | None = None


class GetKeys(Query[tuple[KnownKey, ...]]):
    """The keys of the configured adapters, of well-known services and of the key file: where each
    was found. No value is in the answer."""


class StoreKey(Query[KnownKey]):
    """Keep a key in the system keyring, or else in the key file; where it is kept now.

    It is no command, because nothing of a key may stand in the log. Adapters that are open keep
    the keys they were opened with. Raises UsageError for what is no name or no key, or if nothing
    can keep it.
    """

    name: str
    value: SecretStr


class CompletePath(Query[tuple[str, ...]]):
    """Project paths that contain `text`, best first, at most `limit`."""

    text: str
    limit: int = 20


class ValidateText(Query[tuple[Diagnostic, ...]]):
    """What the validator says of a text for a path; empty is fine."""

    path: str
    text: str
    old: str | None = None


class ParsePlan(Query[Plan]):
    """A plan from its Markdown. Raises UsageError with the line that cannot be read."""

    markdown: str


class ProjectInfo(_Value):
    """What is open: root, branch, state folder, adapters in use by role."""

    root: str
    branch: str | None
    is_dirty: bool
    state_folder: str
    provider: ProviderKind
    adapters: dict[str, str]
    """Role -> adapter and model."""
    chains: dict[str, tuple[str, ...]] = {}
    """Role -> names of the adapters in use, first choice first."""
    checks: tuple[str, ...]
    checks_why: str
    file_count: int
    warnings: tuple[str, ...] = ()


class GetProject(Query[ProjectInfo]):
    """What is open here."""


# --- the ports ------------------------------------------------------------------------------


class EngineClient(Protocol):
    """The seam between the towers: three verbs."""

    async def submit(self, command: Command) -> SessionState:
        """Take a command; return the state in which it was accepted, its events folded in.

        Raises UsageError (often CommandRefused) with a sentence for a person.
        """
        ...

    def subscribe(self) -> AsyncIterator[Update]:
        """A Snapshot, then live records and deltas. Raises Lagged when the reader is too slow."""
        ...

    async def query(self, query: Query[R_co]) -> R_co:
        """The answer to a question. Cancellable. Raises OrchestraError."""
        ...


class EventStore(Protocol):
    """Where records are kept. One writer; an append returns when it is committed."""

    async def append(
        self, records: Sequence[Record], summary: SessionSummary | None = None
    ) -> None:
        """Store all records or none, with the session's projection. Raises StorageError."""
        ...

    async def read(self, session: SessionId, after: int = 0) -> Sequence[Record]:
        """The readable records of a session with a seq above `after`, in order."""
        ...

    async def last_seq(self, session: SessionId) -> int:
        """The highest seq ever stored for a session, readable or not; 0 if there is none."""
        ...

    async def save_summary(self, summary: SessionSummary) -> None:
        """Store the projection of a session that lists are made from."""
        ...

    async def summaries(
        self, limit: int, before: SessionSummary | None = None
    ) -> Sequence[SessionSummary]:
        """The stored sessions, newest first; `before` is the last one of the page before."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What was found damaged, missing or unknown so far, in sentences for a person."""
        ...

    async def close(self) -> None:
        """Flush and let go of the file."""
        ...


class KeptResult(_Value):
    """A finished answer of an earlier run. `usage` is what it had cost."""

    text: str
    usage: Usage = Usage()
    model: str = ""


class ResultCache(Protocol):
    """Whole answers of models, by a hash of all they depended on.

    It is a convenience: what goes wrong in it is a miss, never an error of the call.
    """

    async def get(self, key: str) -> KeptResult | None:
        """The answer kept under `key`, if it is not too old."""
        ...

    async def put(self, key: str, result: KeptResult) -> None:
        """Keep an answer; older ones may go for it."""
        ...

    async def forget(self, key: str) -> None:
        """Drop an answer that turned out to be of no use."""
        ...


class SettingsStore(Protocol):
    """The user's configuration. The methods block (disk); call them in a thread."""

    def read(self) -> Configuration:
        """What it says of agents. Raises UsageError for a file that cannot be read."""
        ...

    def preview(self, offers: Sequence[Offer], chains: Mapping[Role, Sequence[str]]) -> Settings:
        """The settings as they would be after `save`; nothing is written.

        Raises UsageError with what is wrong with the change.
        """
        ...

    def save(self, offers: Sequence[Offer], chains: Mapping[Role, Sequence[str]]) -> Settings:
        """Add the adapters, set the chains, leave everything else as it is written.

        An empty chain takes the role's chain out. Raises UsageError as `preview` does, and when
        the file cannot be written.
        """
        ...


class BlobStore(Protocol):
    """Content by hash. Methods block (disk); call them in a thread."""

    def put(self, data: bytes) -> BlobHash:
        """Store `data` durably and return its hash."""
        ...

    def get(self, blob: BlobHash) -> bytes:
        """The content. Raises StorageError if it is not there."""
        ...

    def has(self, blobs: Iterable[BlobHash]) -> bool:
        """True if every one of `blobs` is there."""
        ...
