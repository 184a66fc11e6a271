"""What was acknowledged is there: after kill -9, after a cancelled caller, beside a reader."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from tests.engine.sample_log import SESSION, plain_records

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import asyncio, sys
from pathlib import Path
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from tests.engine.sample_log import plain_records

async def main() -> None:
    store = await SqliteEventStore.open(Path(sys.argv[1]))
    seq = await store.last_seq(plain_records(1)[0].session)
    while True:
        await store.append(plain_records(3, first=seq + 1, size=700))
        seq += 3
        print(seq, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
async def test_killed_in_mid_append(tmp_path: Path) -> None:
    """Ten kills: every acknowledged record is there, and the three of an append together."""
    path = tmp_path / "orchestra.db"
    acknowledged = 0
    for lines in range(1, 11):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            for _ in range(lines * 3):
                acknowledged = int(child.stdout.readline())
            child.kill()
            rest = child.stdout.read().split()
            acknowledged = int(rest[-1]) if rest else acknowledged
        store = await SqliteEventStore.open(path)
        stored = await store.read(SESSION)
        await store.close()
        assert store.warnings == ()
        assert [record.seq for record in stored] == list(range(1, len(stored) + 1))
        assert len(stored) >= acknowledged
        assert len(stored) % 3 == 0


async def test_a_cancelled_caller_leaves_the_log_whole(tmp_path: Path) -> None:
    """The transaction it began is finished, and the next one is not caught in it."""
    store = await SqliteEventStore.open(tmp_path / "orchestra.db")
    for seq in range(1, 41, 2):
        task = asyncio.create_task(store.append(plain_records(2, first=seq)))
        for _ in range(seq % 5 + 1):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await store.append(plain_records(1, first=41))
    assert await store.last_seq(SESSION) == 41
    await store.close()
    assert [r.seq for r in await _reread(tmp_path / "orchestra.db")] == list(range(1, 42))


async def _reread(path: Path) -> list[object]:
    store = await SqliteEventStore.open_readonly(path)
    try:
        return list(await store.read(SESSION))
    finally:
        await store.close()


async def test_a_reader_beside_the_writer(tmp_path: Path) -> None:
    """`orchestra sessions` looks at a log that another process writes, and cannot change it."""
    path = tmp_path / "orchestra.db"
    store = await SqliteEventStore.open(path)
    await store.append(plain_records(5))
    reader = await SqliteEventStore.open_readonly(path)
    assert len(await reader.read(SESSION)) == 5
    await store.append(plain_records(5, first=6))
    assert len(await reader.read(SESSION)) == 10
    with pytest.raises(StorageError, match="reading only"):
        await reader.append(plain_records(1, first=11))
    await reader.close()
    await store.close()


async def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    """Looking never makes a log."""
    with pytest.raises(StorageError, match="no log"):
        await SqliteEventStore.open_readonly(tmp_path / "orchestra.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """No traceback of the database, and closing twice is no error."""
    store = await SqliteEventStore.open(tmp_path / "orchestra.db")
    await store.close()
    await store.close()
    with pytest.raises(StorageError):
        await store.append(plain_records(1))
    with pytest.raises(StorageError):
        await store.read(SESSION)


@pytest.mark.skipif(sys.platform != "linux", reason="limits file sizes with RLIMIT_FSIZE")
def test_a_full_disk_stores_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    """The append fails with a sentence; when there is room again the log goes on."""
    program = f"""
import asyncio, resource, signal, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from tests.engine.sample_log import SESSION, plain_records

async def main() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = await SqliteEventStore.open(Path({str(tmp_path / "orchestra.db")!r}))
    await store.append(plain_records(10))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        await store.append(plain_records(500, first=11, size=2000))
    except StorageError as error:
        print("refused:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert await store.last_seq(SESSION) == 10
    await store.append(plain_records(5, first=11))
    assert len(await store.read(SESSION)) == 15
    print("warnings:", store.warnings)
    await store.close()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused: the log cannot be written")
    assert "warnings: ()" in done.stdout
