"""A project folder with a journal in a file: the apply function as a whole program uses it.

Run as a program it forks children that change files and are killed: `points ROOT CASE` dies once
at every named crash point, `random ROOT SECONDS SEED` at random moments. Both speak JSON lines.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.events import Event, PlanApproved, Record, RunStarted, WriteReason
from orchestra_tui.domain.fold import apply
from orchestra_tui.domain.ids import BlobHash, RunId, SessionId, StepId, blob_hash
from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.engine.apply import Applier, Undo
from orchestra_tui.engine.git.blobs import BlobStore
from orchestra_tui.engine.workspace.crashpoints import ENVIRONMENT
from orchestra_tui.engine.workspace.tree import SafeTree, open_tree

RUN = RunId("r1")
STEP = StepId("s1")
EXECUTE = Activity(kind=ActivityKind.EXECUTE, run=RUN, step=STEP)
REVERT = Activity(kind=ActivityKind.REVERT, run=RUN, step=STEP)
OLD, NEW = b"old\n" * 500, b"new\n" * 700
POINTS = (
    "apply.prepared",
    "apply.intended",
    "apply.part",
    "apply.ready",
    "apply.exchanged",
    "apply.settled",
    "apply.changed",
    "apply.told",
)
FILES = tuple(f"src/f{n}.txt" for n in range(6))


@dataclass
class FileJournal:
    """The log of one session as lines of a file, each on the disk before `append` returns."""

    path: Path
    state: SessionState = field(default_factory=lambda: SessionState(id=SessionId("s")))

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole, _, torn = (self.path.read_bytes() if self.path.exists() else b"").rpartition(b"\n")
        for line in whole.splitlines():
            self.state = apply(self.state, Record.model_validate_json(line))
        if torn:
            os.truncate(self.path, len(whole) + bool(whole))

    async def append(self, event: Event) -> Record:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        record = Record(
            seq=self.state.seq + 1, at=at, session=self.state.id, project="p", event=event
        )
        with self.path.open("ab") as file:
            file.write(record.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.state = apply(self.state, record)
        return record

    @property
    def events(self) -> list[Event]:
        lines = self.path.read_bytes().splitlines()
        return [Record.model_validate_json(line).event for line in lines]

    @property
    def run(self) -> RunState:
        assert self.state.run is not None
        return self.state.run


@dataclass
class Workshop:
    """Everything around one project folder, opened as after a start of the program."""

    root: Path
    tree: SafeTree
    blobs: BlobStore
    journal: FileJournal
    applier: Applier

    async def write(
        self, path: str, new: bytes | None, base: bytes | None, activity: Activity = EXECUTE
    ) -> Event:
        return await self.applier.apply(
            activity,
            path=path,
            new=new,
            base=None if base is None else blob_hash(base),
            why=WriteReason.EXECUTE,
        )

    def left_over(self) -> list[str]:
        """Temporary files that should be gone."""
        return [str(path) for path in self.root.rglob(".orchestra-*")]

    def user_files(self) -> dict[str, bytes]:
        """The project's content without the state folder."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".orchestra" not in path.parts
        }


async def open_workshop(root: Path, *, portable: bool) -> Workshop:
    """Open the folder; the first time, a run with one approved step is begun."""
    tree = open_tree(root, portable=portable)
    blobs = BlobStore(root / ".orchestra")
    journal = FileJournal(root / ".orchestra" / "events.jsonl")
    if journal.state.run is None or journal.run.plan is None:
        settings = RunSettings()
        plan = Plan(steps=(PlanStep(id=STEP, path="a.txt"),))
        await journal.append(RunStarted(run=RUN, task="t", settings=settings))
        await journal.append(PlanApproved(run=RUN, plan=plan, settings=settings))
    applier = Applier(tree=tree, blobs=blobs, journal=journal)
    return Workshop(root, tree, blobs, journal, applier)


async def _create(shop: Workshop) -> None:
    await shop.write("deep/er/new.txt", NEW, None)


async def _modify(shop: Workshop) -> None:
    await shop.write("a.txt", NEW, OLD)


async def _delete(shop: Workshop) -> None:
    await shop.write("a.txt", None, OLD)


async def _revert(shop: Workshop) -> None:
    ours = blob_hash(shop.blobs.get(shop.blobs.put(NEW)))
    undo = Undo("b.txt", ours, shop.blobs.put(OLD))
    await shop.applier.revert(REVERT, [undo], reason="test")


CASES: dict[str, Callable[[Workshop], Coroutine[None, None, None]]] = {
    "create": _create,
    "modify": _modify,
    "delete": _delete,
    "revert": _revert,
}


def fill(root: Path) -> None:
    """The project before anything happened: a.txt to change, b.txt already changed by us."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "a.txt").write_bytes(OLD)
    (root / "b.txt").write_bytes(NEW)


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def _points(root: Path, case: str, portable: bool) -> None:
    for point in POINTS:
        place = root / point
        fill(place)
        child = os.fork()
        if child == 0:
            os.environ[ENVIRONMENT] = point

            async def work(place: Path = place) -> None:
                await CASES[case](await open_workshop(place, portable=portable))

            asyncio.run(work())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _say(point=point, killed=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)


def _full(root: Path, portable: bool) -> None:
    """Files cannot grow beyond 1,000 bytes: as on a full disk, a write fails half-way."""
    import resource  # Windows has none

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    tree = open_tree(root, portable=portable)
    for path, old in (("deep/er/new.txt", None), ("a.txt", OLD)):
        base = None if old is None else blob_hash(old)
        try:
            tree.exchange(path, NEW, expected=base, token="t", rescue=print)
        except OSError as error:
            _say(path=path, error=error.errno)


async def _rewrite_for_ever(root: Path, portable: bool, number: Iterator[int]) -> None:
    shop = await open_workshop(root, portable=portable)
    await shop.applier.recover(shop.journal.run)
    while True:
        for path in FILES:
            attempt = next(number)
            activity = EXECUTE.model_copy(update={"attempt": attempt})
            found = shop.tree.read(path)
            base: BlobHash | None = found.hash if found else None
            new = None if attempt % 7 == 0 and found else document("ours", attempt)
            await shop.applier.apply(
                activity, path=path, new=new, base=base, why=WriteReason.EXECUTE
            )


def document(author: str, number: int) -> bytes:
    """A text that shows whether it is whole: every line is the same, and there are 400."""
    return f"{author} {number}\n".encode() * 400


def is_whole(data: bytes) -> bool:
    """True for a document that was neither cut nor mixed with another."""
    lines = data.splitlines()
    return len(lines) == 400 and len(set(lines)) == 1


def _random(root: Path, seconds: float, seed: int, portable: bool) -> None:
    dice = random.Random(seed)
    deadline = time.monotonic() + seconds
    kills = 0
    while time.monotonic() < deadline:
        child = os.fork()
        if child == 0:
            numbers = iter(range(1 + kills * 100_000, 10**9))
            asyncio.run(_rewrite_for_ever(root, portable, numbers))
        time.sleep(dice.uniform(0.03, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    _say(kills=kills)


@contextmanager
def as_program() -> Iterator[tuple[list[str], bool]]:
    """The arguments of this program, the last of which chooses the tree."""
    *arguments, kind = sys.argv[1:]
    yield arguments, kind == "portable"


if __name__ == "__main__":
    with as_program() as (given, is_portable):
        if given[0] == "points":
            _points(Path(given[1]), given[2], is_portable)
        elif given[0] == "full":
            _full(Path(given[1]), is_portable)
        else:
            _random(Path(given[1]), float(given[2]), int(given[3]), is_portable)
