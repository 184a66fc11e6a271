"""The content store: durable, whole or not there, and never a repository of the user's."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import BlobHash, blob_hash
from orchestra_tui.engine.git.blobs import FOLDER, BlobStore

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@SAME_FOLDER
@given(st.binary(max_size=300))
def test_what_is_put_can_be_got_by_its_git_id(tmp_path: Path, data: bytes) -> None:
    blobs = BlobStore(tmp_path)
    assert blobs.put(data) == blob_hash(data)
    assert blobs.put(data) == blob_hash(data)
    assert BlobStore(tmp_path).get(blob_hash(data)) == data


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    known = blobs.put(b"x")
    assert blobs.has([known])
    assert not blobs.has([known, blob_hash(b"y")])
    for unknown in (blob_hash(b"y"), BlobHash("no hash"), BlobHash("")):
        with pytest.raises(StorageError):
            blobs.get(unknown)


def test_damaged_content_is_noticed(tmp_path: Path) -> None:
    blob = BlobStore(tmp_path).put(b"x" * 1000)
    loose = tmp_path / FOLDER / "objects" / blob[:2] / blob[2:]
    other = BlobStore(tmp_path).put(b"y" * 1000)
    loose.chmod(0o644)
    loose.write_bytes((tmp_path / FOLDER / "objects" / other[:2] / other[2:]).read_bytes())
    with pytest.raises(StorageError):
        BlobStore(tmp_path).get(blob)


def test_a_store_that_is_no_repository_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "mine").write_bytes(b"mine")
    with pytest.raises(StorageError, match="Move it aside"):
        BlobStore(tmp_path)
    assert (tmp_path / FOLDER / "mine").read_bytes() == b"mine"


def test_a_half_made_store_is_cleared_away(tmp_path: Path) -> None:
    """What a killed first start leaves: the folder aside, with a lock in it."""
    aside = tmp_path / f"{FOLDER}.new-abc"
    aside.mkdir()
    (aside / "config.lock").write_bytes(b"")
    blobs = BlobStore(tmp_path)
    assert blobs.get(blobs.put(b"x")) == b"x"
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git's own gc")
def test_content_outlives_a_gc_by_hand(tmp_path: Path) -> None:
    """Nothing refers to the blobs, and git drops such objects when they are two weeks old."""
    blobs = BlobStore(tmp_path)
    blob = blobs.put(b"x")
    os.utime(tmp_path / FOLDER / "objects" / blob[:2] / blob[2:], (1, 1))
    subprocess.run(["git", "gc", "--quiet"], cwd=tmp_path / FOLDER, check=True)
    assert BlobStore(tmp_path).get(blob) == b"x"


def test_threads_may_share_it(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    wrong = []

    def work(number: int) -> None:
        for step in range(20):
            data = f"{step} of {number % 3}".encode()
            if blobs.get(blobs.put(data)) != data:
                wrong.append(data)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


KILLED_START = """
import os, signal, sys, threading, time
from pathlib import Path
from orchestra_tui.engine.git.blobs import BlobStore
for number in range(40):
    child = os.fork()
    if child == 0:
        BlobStore(Path(sys.argv[1]) / str(number)).put(b"x")
        os._exit(0)
    time.sleep(number * 0.0003)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the children are forked")
def test_a_killed_first_start_never_spoils_the_store(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", KILLED_START, str(tmp_path)], cwd=root, check=True)
    for number in range(40):
        blobs = BlobStore(tmp_path / str(number))
        assert blobs.get(blobs.put(b"y")) == b"y"
