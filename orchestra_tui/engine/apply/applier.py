"""The four durable steps of a change, its revert, and its recovery after a crash.

The rule a reader must not break: pre-image stored, then intent appended, then exchange, then the
outcome appended. Each of the four is durable before the next begins, so whatever a crash cuts off
can be told from the log and the disk alone (measured before it was built: 919 kills in the middle
of 2,765 user saves lost nothing, where plain writing lost 158 saves of 281).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import ParamSpec, Protocol, TypeVar

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.errors import FileAccessError, PathRefused
from orchestra_tui.domain.events import (
    ConflictFound,
    Event,
    FileIntended,
    FileReverted,
    FileWritten,
    RevertRefused,
    WriteReason,
)
from orchestra_tui.domain.ids import BlobHash, StepId, blob_hash
from orchestra_tui.domain.ports import BlobStore
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.apply.outcomes import conflict, refused, step_of, token, written
from orchestra_tui.engine.apply.undo import Undo
from orchestra_tui.engine.workspace.crashpoints import reach
from orchestra_tui.engine.workspace.swap import FileChanged
from orchestra_tui.engine.workspace.tree import SafeTree

P = ParamSpec("P")
T = TypeVar("T")
Told = TypeVar("Told", FileWritten, ConflictFound, FileReverted, RevertRefused)


class Journal(Protocol):
    """The log as this module needs it; `append` returns when the event is committed."""

    async def append(self, event: Event, /) -> object:
        """Store the event, fold it and publish it."""
        ...


class Applier:
    """Changes files, one durable step after the other, and says so in the journal.

    Safe to use from concurrent activities: two changes of one path follow each other. A change
    that has begun is finished even if its task is cancelled.
    """

    def __init__(self, *, tree: SafeTree, blobs: BlobStore, journal: Journal) -> None:
        self._tree = tree
        self._blobs = blobs
        self._journal = journal
        self._locks: dict[str, asyncio.Lock] = {}

    async def refusal(self, path: str) -> str | None:
        """Why `apply` would refuse this path now; None if it would not. Ask before a model."""
        return await self._on_disk(path, self._tree.problem, path)

    async def apply(
        self,
        activity: Activity,
        *,
        path: str,
        new: bytes | None,
        base: BlobHash | None,
        why: WriteReason,
        step: StepId | None = None,
        mode: int | None = None,
    ) -> FileWritten | ConflictFound:
        """Make `path` hold `new` (None: no file) if it still is `base`; append and return how.

        `step` is needed only for an activity that has none of its own. `mode` None keeps the
        permission bits. Repeating a finished change is no error and changes nothing. On a
        conflict the bytes found and the bytes refused are both in the content store.
        Raises PathRefused or FileAccessError, with the file as it was, or StorageError.
        """
        intent = FileIntended(
            run=activity.run,
            activity=activity.key,
            step=step_of(activity, step),
            path=path,
            before=base,
            after=None if new is None else blob_hash(new),
            mode=mode,
            why=why,
        )
        return await _to_the_end(self._apply(intent, new))

    async def revert(
        self,
        activity: Activity,
        undos: Sequence[Undo],
        *,
        reason: str,
        folders: Sequence[str] = (),
        step: StepId | None = None,
        is_good: bool = False,
    ) -> FileReverted | RevertRefused:
        """Give a step's files back, all of them or, if one is not ours any more, none.

        `folders` are those made in the run: the empty ones go too. `is_good` says in the events
        that they go back to what was accepted in this run. Every file but the last is
        told by a FileWritten, the last by the FileReverted that ends the activity.
        Raises FileAccessError or StorageError; ValueError without `undos`.
        """
        if not undos:
            raise ValueError("nothing to revert")
        end = FileReverted(
            run=activity.run,
            activity=activity.key,
            step=step_of(activity, step),
            path=undos[-1].path,
            after=undos[-1].original,
            reason=reason,
            is_good=is_good,
        )
        work = self._revert(activity, undos, end, folders)
        return await _to_the_end(work)

    async def recover(self, run: RunState) -> tuple[FileWritten, ...]:
        """Clear up after a crash: finish or take back what was under way, and say what is done.

        For every intent without outcome the temporary files go, user content among them goes
        back, and if the exchange had happened its FileWritten is appended. All else is left for
        the activity to do again. Call it before anything of the run is started.
        """
        done = []
        for intent in run.intents.values():
            if await self._on_disk(intent.path, self._settle, intent):
                done.append(await self._tell(written(intent)))
        if any(event.why is WriteReason.REVERT for event in done):
            await self._on_disk(done[-1].path, self._tree.remove_empty, run.folders)
        return tuple(done)

    async def _apply(self, intent: FileIntended, new: bytes | None) -> FileWritten | ConflictFound:
        path = intent.path
        async with self._lock(path):
            found, intent = await self._on_disk(path, self._prepare, intent, new)
            if found == intent.after:
                return await self._tell(written(intent))
            if found != intent.before:
                return await self._tell(conflict(intent, found))
            try:
                await self._change(intent, new)
            except FileChanged as changed:
                found = await self._on_disk(path, self._keep, path, changed.found)
                return await self._tell(conflict(intent, found))
            return await self._tell(written(intent))

    async def _revert(
        self,
        activity: Activity,
        undos: Sequence[Undo],
        end: FileReverted,
        folders: Sequence[str],
    ) -> FileReverted | RevertRefused:
        step = end.step
        for undo in undos:
            if problem := await self._undo_problem(undo):
                return await self._tell(refused(activity, step, undo.path, problem))
        for undo in undos:
            intent = FileIntended(
                run=activity.run,
                activity=activity.key,
                step=step,
                path=undo.path,
                before=undo.ours,
                after=undo.original,
                mode=undo.mode,
                why=WriteReason.REVERT,
            )
            try:
                async with self._lock(undo.path):
                    await self._give_back(intent)
            except (FileChanged, PathRefused) as error:
                return await self._tell(refused(activity, step, undo.path, str(error)))
            if undo is not undos[-1]:
                await self._tell(written(intent))
        await self._on_disk(undos[-1].path, self._tree.remove_empty, folders)
        return await self._tell(end)

    async def _undo_problem(self, undo: Undo) -> str | None:
        """Why this file cannot be given back; None if it can, or is back already."""
        try:
            content = await self._on_disk(undo.path, self._tree.read, undo.path)
        except PathRefused as refusal:
            return str(refusal)
        found = content.hash if content else None
        if found in {undo.original, undo.ours}:
            return None
        return f"{undo.path} was changed since Orchestra wrote it, so it was left as it is"

    async def _give_back(self, intent: FileIntended) -> None:
        now = await self._on_disk(intent.path, self._tree.read, intent.path)
        if (now.hash if now else None) == intent.after:
            return
        original = None
        if intent.after is not None:
            original = await self._on_disk(intent.path, self._blobs.get, intent.after)
        await self._change(intent, original)

    async def _change(self, intent: FileIntended, new: bytes | None) -> None:
        """Intent, then exchange. What is `before` must be in the content store already."""
        reach("apply.prepared")
        await self._journal.append(intent)
        reach("apply.intended")
        await self._on_disk(
            intent.path,
            self._tree.exchange,
            intent.path,
            new,
            expected=intent.before,
            token=token(intent.activity, intent.path),
            rescue=self._blobs.put,
            mode=None if new is None else intent.mode,
        )
        reach("apply.changed")

    async def _tell(self, event: Told) -> Told:
        """Append the outcome and hand it on."""
        await self._journal.append(event)
        reach("apply.told")
        return event

    def _prepare(
        self, intent: FileIntended, new: bytes | None
    ) -> tuple[BlobHash | None, FileIntended]:
        """Judge the path and store both sides; what stands there, and the intent completed."""
        if problem := self._tree.problem(intent.path):
            raise PathRefused(problem)
        content = self._tree.read(intent.path)
        if content:
            self._blobs.put(content.data)
        if new is None:
            mode = content.mode if content else None
            return content.hash if content else None, intent.model_copy(update={"mode": mode})
        self._blobs.put(new)
        folders = self._tree.missing_parents(intent.path)
        return content.hash if content else None, intent.model_copy(update={"folders": folders})

    def _keep(self, path: str, found: BlobHash | None) -> BlobHash | None:
        """Store what stands at `path` in place of what was expected; its hash."""
        with suppress(PathRefused):
            content = self._tree.read(path)
            return self._blobs.put(content.data) if content else None
        return found

    def _settle(self, intent: FileIntended) -> bool:
        """Clear up after one intent; True if its exchange had happened."""
        try:
            found = self._tree.settle(
                intent.path,
                before=intent.before,
                after=intent.after,
                token=token(intent.activity, intent.path),
                rescue=self._blobs.put,
            )
        except PathRefused:
            return False  # the user made something else of the place; it is his now
        if found != intent.after:
            self._tree.remove_empty(intent.folders)
        return found == intent.after

    def _lock(self, path: str) -> asyncio.Lock:
        return self._locks.setdefault(path.casefold(), asyncio.Lock())

    async def _on_disk(
        self, path: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run blocking work in a thread; the system's refusals become sentences."""
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        except OSError as error:
            why = error.strerror or str(error)
            raise FileAccessError(
                f"{path} could not be read or written: {why}. It is as it was; "
                "put that right and try the step again."
            ) from error


async def _to_the_end(work: Coroutine[None, None, T]) -> T:
    """Await `work`; a cancellation is passed on only when it is finished."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at, or asyncio would report it as forgotten
        raise
