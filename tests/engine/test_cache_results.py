"""The file of kept answers: for a time, within a size, and no error whatever happens to it."""

import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.ports import KeptResult
from orchestra_tui.engine.store.cache import SqliteResultCache


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def cache_at(
    folder: Path, clock: Clock | None = None, *, age: float = 100.0, size: int = 100_000
) -> SqliteResultCache:
    path = folder / "cache" / "results.db"
    return SqliteResultCache(path, max_age=age, max_bytes=size, clock=clock or Clock())


def kept(text: str) -> KeptResult:
    return KeptResult(text=text, usage=Usage(input_tokens=7), model="m")


async def test_an_answer_is_kept_for_the_next_process(tmp_path: Path) -> None:
    assert await cache_at(tmp_path).get("k") is None
    assert not (tmp_path / "cache").exists(), "looking makes no file"
    await cache_at(tmp_path).put("k", kept("text \u2028 \U0001f389"))
    assert await cache_at(tmp_path).get("k") == kept("text \u2028 \U0001f389")
    assert await cache_at(tmp_path).get("other") is None
    await cache_at(tmp_path).forget("k")
    assert await cache_at(tmp_path).get("k") is None


async def test_it_is_the_users_alone(tmp_path: Path) -> None:
    await cache_at(tmp_path).put("k", kept("secret code"))
    path = tmp_path / "cache" / "results.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_an_old_answer_is_none(tmp_path: Path) -> None:
    clock = Clock()
    cache = cache_at(tmp_path, clock, age=100)
    await cache.put("k", kept("x"))
    clock.now += 100
    assert await cache.get("k") == kept("x")
    clock.now += 1
    assert await cache.get("k") is None
    clock.now -= 500
    assert await cache.get("k") is None, "an answer from the future is not believed"


async def test_the_least_used_go_first(tmp_path: Path) -> None:
    clock = Clock()
    size = len(kept("x" * 1000).model_dump_json())
    cache = cache_at(tmp_path, clock, size=3 * size)
    for key in ("a", "b", "c"):
        await cache.put(key, kept("x" * 1000))
        clock.now += 1
    assert await cache.get("a") is not None
    clock.now += 1
    await cache.put("d", kept("x" * 1000))
    there = [key for key in "abcd" if await cache.get(key) is not None]
    assert there == ["a", "c", "d"]
    await cache.put("huge", kept("x" * 100_000))
    assert await cache.get("huge") is None
    assert await cache.get("a") is not None, "what does not fit pushes nothing out"


@pytest.mark.parametrize(
    "damage", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"\1" * 900]
)
async def test_a_damaged_file_is_a_miss_and_then_a_new_one(damage: bytes, tmp_path: Path) -> None:
    cache = cache_at(tmp_path)
    await cache.put("k", kept("x"))
    (tmp_path / "cache" / "results.db").write_bytes(damage)
    assert await cache.get("k") is None
    await cache.put("k", kept("y"))
    await cache.put("k", kept("y"))
    assert await cache.get("k") == kept("y")


async def test_damaged_data_is_a_miss(tmp_path: Path) -> None:
    cache = cache_at(tmp_path)
    await cache.put("k", kept("x"))
    database = sqlite3.connect(tmp_path / "cache" / "results.db")
    with database:
        database.execute("UPDATE result_v1 SET data = CAST('{]' AS BLOB)")
    database.close()
    assert await cache.get("k") is None


async def test_a_folder_that_cannot_be_made_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands here", encoding="utf-8")
    cache = cache_at(tmp_path)
    await cache.put("k", kept("x"))
    assert await cache.get("k") is None


async def test_a_locked_file_is_a_miss(tmp_path: Path) -> None:
    cache = cache_at(tmp_path)
    await cache.put("k", kept("x"))
    other = sqlite3.connect(tmp_path / "cache" / "results.db")
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert await cache.get("k") is None
    finally:
        other.rollback()
        other.close()
    assert await cache.get("k") == kept("x"), "a lock is no damage"


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 5000)), max_size=12))
async def test_it_never_grows_beyond_its_size(puts: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        cache = cache_at(Path(folder), clock, size=8000)
        for key, length in puts:
            clock.now += 1
            await cache.put(key, kept("x" * length))
        path = Path(folder) / "cache" / "results.db"
        if path.exists():
            database = sqlite3.connect(path)
            total = database.execute("SELECT COALESCE(SUM(size), 0) FROM result_v1").fetchone()[0]
            database.close()
            assert total <= 8000
        if puts and puts[-1][1] < 7000:
            assert await cache.get(puts[-1][0]) is not None, "the newest is there"
