"""The apply function killed: at every named point, and at random under a user's saves."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestra_tui.domain.events import (
    ConflictFound,
    FileIntended,
    FileReverted,
    FileWritten,
    WriteReason,
)
from orchestra_tui.domain.ids import blob_hash
from tests.engine.apply_workshop import (
    CASES,
    FILES,
    NEW,
    OLD,
    POINTS,
    REVERT,
    RUN,
    STEP,
    Workshop,
    document,
    fill,
    is_whole,
    open_workshop,
)

ROOT = Path(__file__).resolve().parents[2]
TREES = pytest.mark.parametrize("kind", ["handles", "portable"])
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.engine.apply_workshop", *arguments]


def run_points(root: Path, case: str, kind: str) -> dict[str, bool]:
    done = subprocess.run(
        program("points", str(root), case, kind), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["point"]: line["killed"] for line in said}


async def reopen(root: Path, kind: str) -> Workshop:
    shop = await open_workshop(root, portable=kind == "portable")
    await shop.applier.recover(shop.journal.run)
    return shop


OUTCOMES: dict[str, dict[str, bytes]] = {
    "create": {"a.txt": OLD, "b.txt": NEW, "deep/er/new.txt": NEW},
    "modify": {"a.txt": NEW, "b.txt": NEW},
    "delete": {"b.txt": NEW},
    "revert": {"a.txt": OLD, "b.txt": OLD},
}


@TREES
@pytest.mark.parametrize("case", CASES)
async def test_killed_at_a_point_and_done_again_is_as_never_killed(
    tmp_path: Path, case: str, kind: str
) -> None:
    killed = run_points(tmp_path, case, kind)
    assert [point for point in POINTS if not killed[point]] == (
        ["apply.part"] if case == "delete" else []  # nothing is written then
    )
    before = {"a.txt": OLD, "b.txt": NEW}
    for point in POINTS:
        place = tmp_path / point
        shop = await reopen(place, kind)
        assert shop.left_over() == [], point
        assert shop.user_files() in (before, OUTCOMES[case]), point
        assert (place / "deep").exists() == (place / "deep/er/new.txt").exists(), point
        await CASES[case](shop)
        assert shop.user_files() == OUTCOMES[case], point
        assert shop.left_over() == [], point
        assert not shop.journal.run.intents, point
        told = [e for e in shop.journal.events if isinstance(e, FileWritten | FileReverted)]
        assert told, point
        assert not [e for e in shop.journal.events if isinstance(e, ConflictFound)], point


@TREES
async def test_a_revert_cut_off_takes_the_folders_it_made_with_it(
    tmp_path: Path, kind: str
) -> None:
    """The file went, the folders had not yet: the state of the disk after a kill in between."""
    fill(tmp_path)
    shop = await open_workshop(tmp_path, portable=kind == "portable")
    await CASES["create"](shop)
    intent = FileIntended(
        run=RUN,
        activity=REVERT.key,
        step=STEP,
        path="deep/er/new.txt",
        before=blob_hash(NEW),
        after=None,
        why=WriteReason.REVERT,
    )
    await shop.journal.append(intent)
    (tmp_path / "deep" / "er" / "new.txt").unlink()
    await reopen(tmp_path, kind)
    assert not (tmp_path / "deep").exists()


@TREES
@pytest.mark.parametrize("case", ["create", "modify", "delete"])
async def test_what_the_user_saves_while_the_program_is_dead_stays(
    tmp_path: Path, case: str, kind: str
) -> None:
    run_points(tmp_path, case, kind)
    path = "deep/er/new.txt" if case == "create" else "a.txt"
    for point in POINTS:
        file = tmp_path / point / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"the user's")
        shop = await reopen(tmp_path / point, kind)
        assert file.read_bytes() == b"the user's", point
        assert shop.left_over() == [], point
        await CASES[case](shop)
        assert file.read_bytes() == b"the user's", point
        assert isinstance(shop.journal.events[-1], ConflictFound), point


@TREES
async def test_a_save_in_the_moment_of_the_exchange_goes_back(tmp_path: Path, kind: str) -> None:
    """The disk right after an exchange that caught a save: our text in place, his beside."""
    fill(tmp_path)
    run_points(tmp_path / "dead", "modify", kind)
    place = tmp_path / "dead" / "apply.ready"
    (beside,) = place.glob(".orchestra-*.swap")
    beside.write_bytes(b"caught")
    (place / "a.txt").write_bytes(NEW)
    shop = await reopen(place, kind)
    assert (place / "a.txt").read_bytes() == b"caught"
    assert shop.left_over() == []


@TREES
async def test_a_save_that_has_no_place_any_more_is_kept_in_the_store(
    tmp_path: Path, kind: str
) -> None:
    run_points(tmp_path, "modify", kind)
    place = tmp_path / "apply.ready"
    (beside,) = place.glob(".orchestra-*.swap")
    beside.write_bytes(b"caught")
    (place / "a.txt").write_bytes(b"newer")
    shop = await reopen(place, kind)
    assert (place / "a.txt").read_bytes() == b"newer"
    assert shop.blobs.get(blob_hash(b"caught")) == b"caught"
    assert shop.left_over() == []


@TREES
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, kind: str) -> None:
    fill(tmp_path)
    done = subprocess.run(
        program("full", str(tmp_path), kind), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["path"] for line in said] == ["deep/er/new.txt", "a.txt"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").read_bytes() == OLD


def test_random_kills_under_a_users_saves_lose_nothing(tmp_path: Path) -> None:
    """About fifty kills. Only the strong tree: the portable one says that it may lose a save."""
    seconds, seed = 6.0, 20261123
    (tmp_path / "src").mkdir()
    child = subprocess.Popen(
        program("random", str(tmp_path), str(seconds), str(seed), "handles"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    dice = random.Random(seed)
    saves: dict[str, bytes] = {}
    count = 0
    while child.poll() is None:
        path = dice.choice(FILES)
        count += 1
        saves[path] = document("user", count)
        aside = tmp_path / "src" / ".aside"
        aside.write_bytes(saves[path])
        aside.replace(tmp_path / path)
        time.sleep(dice.uniform(0.001, 0.02))
    output = child.stdout.read() if child.stdout else ""
    if child.stdout:
        child.stdout.close()
    assert child.returncode == 0
    assert json.loads(output)["kills"] > 5
    check_nothing_is_lost(tmp_path, saves)
    assert count > 50


def check_nothing_is_lost(root: Path, saves: dict[str, bytes]) -> None:
    """Each path's last save is on the disk or in the store; every file is whole; no litter."""
    shop = asyncio.run(reopen(root, "handles"))
    assert shop.left_over() == []
    files = shop.user_files()
    assert [path for path, data in files.items() if not is_whole(data)] == []
    lost = [
        path
        for path, data in saves.items()
        if files.get(path) != data and not shop.blobs.has([blob_hash(data)])
    ]
    assert lost == []
