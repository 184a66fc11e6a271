"""The apply function beside a user who works in the same files, and giving files back."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import PathRefused, StorageError
from orchestra_tui.domain.events import (
    CheckpointTaken,
    ConflictFound,
    Event,
    FileIntended,
    FileReverted,
    FileWritten,
    Record,
    RevertRefused,
    WriteReason,
)
from orchestra_tui.domain.ids import BlobHash, blob_hash
from orchestra_tui.engine.apply import Applier, Undo, undos_of
from tests.engine.apply_workshop import (
    EXECUTE,
    REVERT,
    RUN,
    STEP,
    FileJournal,
    Workshop,
    open_workshop,
)


@pytest.fixture(params=["handles", "portable"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Workshop:
    (tmp_path / "a.txt").write_bytes(b"old")
    return await open_workshop(tmp_path, portable=request.param == "portable")


async def give_back(shop: Workshop) -> FileReverted | RevertRefused:
    """Undo the step as the runner does it."""
    run = shop.journal.run
    return await shop.applier.revert(
        REVERT, undos_of(run, STEP), reason="asked", folders=run.folders
    )


async def note_base(shop: Workshop, files: dict[str, bytes | None]) -> None:
    """Record what the plan found, as the base of later reverts."""
    blobs = {path: None if data is None else shop.blobs.put(data) for path, data in files.items()}
    await shop.journal.append(CheckpointTaken(run=RUN, label="before the run", files=blobs))


async def test_a_change_is_told_as_intended_and_written(shop: Workshop) -> None:
    outcome = await shop.write("a.txt", b"new", b"old")
    assert (shop.root / "a.txt").read_bytes() == b"new"
    intended, written = shop.journal.events[-2:]
    assert isinstance(intended, FileIntended)
    assert written == outcome
    assert isinstance(written, FileWritten)
    assert (written.before, written.after) == (blob_hash(b"old"), blob_hash(b"new"))
    assert written.why is WriteReason.EXECUTE
    assert shop.blobs.get(blob_hash(b"old")) == b"old"
    assert shop.left_over() == []


async def test_a_change_done_twice_changes_nothing_more(shop: Workshop) -> None:
    await shop.write("a.txt", b"new", b"old")
    inode = (shop.root / "a.txt").stat().st_ino
    again = await shop.write("a.txt", b"new", b"old")
    assert isinstance(again, FileWritten)
    assert (shop.root / "a.txt").stat().st_ino == inode
    assert len([e for e in shop.journal.events if isinstance(e, FileIntended)]) == 1


@pytest.mark.parametrize("new", [b"new", None], ids=["change", "delete"])
async def test_a_users_edit_is_a_conflict_and_stays(shop: Workshop, new: bytes | None) -> None:
    (shop.root / "a.txt").write_bytes(b"user")
    outcome = await shop.write("a.txt", new, b"old")
    assert isinstance(outcome, ConflictFound)
    assert (outcome.expected, outcome.found) == (blob_hash(b"old"), blob_hash(b"user"))
    assert (shop.root / "a.txt").read_bytes() == b"user"
    assert shop.blobs.get(blob_hash(b"user")) == b"user"
    if new:
        assert shop.blobs.get(blob_hash(new)) == new
    assert shop.left_over() == []


async def test_a_file_that_appears_or_goes_is_a_conflict(shop: Workshop) -> None:
    (shop.root / "b.txt").write_bytes(b"user")
    appeared = await shop.write("b.txt", b"new", None)
    (shop.root / "a.txt").unlink()
    gone = await shop.write("a.txt", b"new", b"old")
    assert isinstance(appeared, ConflictFound)
    assert appeared.found == blob_hash(b"user")
    assert isinstance(gone, ConflictFound)
    assert gone.found is None
    assert shop.user_files() == {"b.txt": b"user"}


async def test_a_conflict_leaves_no_folder_behind(shop: Workshop) -> None:
    outcome = await shop.write("new/deep/b.txt", b"new", b"something")
    assert isinstance(outcome, ConflictFound)
    assert not (shop.root / "new").exists()


@pytest.mark.parametrize("new", [b"new", None], ids=["change", "delete"])
async def test_a_file_open_for_writing_is_left_to_its_writer(
    tmp_path: Path, new: bytes | None
) -> None:
    """Editors that save in place: what they write after the exchange must not be lost."""
    if os.uname().sysname != "Linux":
        pytest.skip("only Linux tells whether a file is open for writing")
    (tmp_path / "a.txt").write_bytes(b"old")
    shop = await open_workshop(tmp_path, portable=False)
    with (tmp_path / "a.txt").open("r+b") as editor:
        outcome = await shop.write("a.txt", new, b"old")
        editor.write(b"saved in place")
    assert isinstance(outcome, ConflictFound)
    assert (tmp_path / "a.txt").read_bytes() == b"saved in place"
    assert shop.left_over() == []


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
@pytest.mark.parametrize("mode", [0o755, 0o600, 0o640, 0o444])
async def test_permission_bits_are_kept(shop: Workshop, mode: int) -> None:
    file = shop.root / "a.txt"
    file.chmod(mode)
    await note_base(shop, {"a.txt": b"old"})
    await shop.write("a.txt", b"new", b"old")
    assert stat.S_IMODE(file.stat().st_mode) == mode
    await shop.write("a.txt", None, b"new", EXECUTE.model_copy(update={"attempt": 2}))
    assert not file.exists()
    assert isinstance(await give_back(shop), FileReverted)
    assert file.read_bytes() == b"old"
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
async def test_a_new_file_has_the_usual_bits_or_those_asked_for(shop: Workshop) -> None:
    (shop.root / "usual").write_bytes(b"")
    await shop.write("new.txt", b"x", None)
    outcome = await shop.applier.apply(
        EXECUTE, path="run.sh", new=b"x", base=None, why=WriteReason.EXECUTE, mode=0o755
    )
    assert isinstance(outcome, FileWritten)
    usual = (shop.root / "usual").stat().st_mode
    assert (shop.root / "new.txt").stat().st_mode == usual
    assert stat.S_IMODE((shop.root / "run.sh").stat().st_mode) == 0o755


async def test_reverting_brings_back_the_very_tree(shop: Workshop) -> None:
    before = shop.user_files()
    await note_base(shop, {"a.txt": b"old", "new/deep/b.txt": None})
    for number, (path, old, new) in enumerate(
        (
            ("a.txt", b"old", b"one"),
            ("new/deep/b.txt", None, b"b"),
            ("a.txt", b"one", b"two"),
            ("a.txt", b"two", None),
        ),
        start=1,
    ):
        activity = EXECUTE.model_copy(update={"attempt": number})
        assert isinstance(await shop.write(path, new, old, activity), FileWritten)
    outcome = await give_back(shop)
    assert isinstance(outcome, FileReverted)
    assert shop.user_files() == before
    assert not (shop.root / "new").exists()
    assert shop.left_over() == []


async def test_a_folder_with_something_of_the_users_stays(shop: Workshop) -> None:
    await note_base(shop, {"new/deep/b.txt": None})
    await shop.write("new/deep/b.txt", b"b", None)
    (shop.root / "new" / "mine.txt").write_bytes(b"mine")
    await give_back(shop)
    assert shop.user_files() == {"a.txt": b"old", "new/mine.txt": b"mine"}
    assert not (shop.root / "new" / "deep").exists()


async def test_a_file_changed_since_is_not_given_back_nor_its_companion(shop: Workshop) -> None:
    await note_base(shop, {"a.txt": b"old", "b.txt": None})
    await shop.write("a.txt", None, b"old")
    await shop.write("b.txt", b"renamed", None)
    (shop.root / "b.txt").write_bytes(b"user")
    outcome = await give_back(shop)
    assert isinstance(outcome, RevertRefused)
    assert outcome.path == "b.txt"
    assert shop.user_files() == {"b.txt": b"user"}


async def test_reverting_twice_is_no_error(shop: Workshop) -> None:
    await shop.write("a.txt", b"new", b"old")
    undo = Undo("a.txt", blob_hash(b"new"), blob_hash(b"old"))
    for _ in range(2):
        assert isinstance(await shop.applier.revert(REVERT, [undo], reason="r"), FileReverted)
    assert (shop.root / "a.txt").read_bytes() == b"old"


async def test_a_revert_without_its_pre_image_says_so(shop: Workshop) -> None:
    undo = Undo("a.txt", blob_hash(b"old"), BlobHash("0" * 40))
    with pytest.raises(StorageError, match="does not hold"):
        await shop.applier.revert(REVERT, [undo], reason="r")
    assert (shop.root / "a.txt").read_bytes() == b"old"


async def test_a_refused_path_is_not_even_intended(shop: Workshop) -> None:
    seen = len(shop.journal.events)
    for path in ("../x", ".git/hooks/pre-commit", ".ORCHESTRA/x", "a.txt/b"):
        assert await shop.applier.refusal(path)
        with pytest.raises(PathRefused):
            await shop.write(path, b"x", None)
    assert await shop.applier.refusal("src/fine.py") is None
    assert len(shop.journal.events) == seen
    assert shop.user_files() == {"a.txt": b"old"}


async def test_many_changes_at_once_do_not_meet(shop: Workshop) -> None:
    paths = [f"d{n % 3}/deep/f{n}.txt" for n in range(24)]
    outcomes = await asyncio.gather(
        *(shop.write(path, b"x", b"wrong" if n % 5 == 0 else None) for n, path in enumerate(paths))
    )
    written = [path for n, path in enumerate(paths) if n % 5]
    assert sorted(shop.user_files()) == sorted(["a.txt", *written])
    assert [isinstance(one, ConflictFound) for one in outcomes] == [n % 5 == 0 for n in range(24)]


async def test_two_changes_of_one_file_follow_each_other(shop: Workshop) -> None:
    second = EXECUTE.model_copy(update={"attempt": 2})
    one, two = await asyncio.gather(
        shop.write("a.txt", b"one", b"old"), shop.write("a.txt", b"two", b"old", second)
    )
    assert isinstance(one, FileWritten)
    assert isinstance(two, ConflictFound)
    assert (shop.root / "a.txt").read_bytes() == b"one"


class SlowJournal(FileJournal):
    """Tells when the intent is stored and waits for leave before it returns."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.intended = asyncio.Event()
        self.leave = asyncio.Event()

    async def append(self, event: Event) -> Record:
        record = await super().append(event)
        if isinstance(event, FileIntended):
            self.intended.set()
            await self.leave.wait()
        return record


async def test_a_cancelled_change_is_finished_first(shop: Workshop) -> None:
    journal = SlowJournal(shop.journal.path)
    shop.applier = Applier(tree=shop.tree, blobs=shop.blobs, journal=journal)
    task = asyncio.create_task(shop.write("a.txt", b"new", b"old"))
    await journal.intended.wait()
    task.cancel()
    task.cancel()
    journal.leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (shop.root / "a.txt").read_bytes() == b"new"
    assert isinstance(journal.events[-1], FileWritten)
    assert not journal.run.intents
