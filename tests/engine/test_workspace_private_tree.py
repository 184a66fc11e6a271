"""Private copies: what is in them, what changed, and that nothing leads back."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.engine.process_sandbox import until

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and permission bits")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_bytes(b"a = 1\r\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    return root


def copies(root: Path, parent: Path | None = None, **limits: int) -> PrivateCopies:
    tree = open_tree(root)
    return PrivateCopies(tree, ProjectFiles(tree), parent=parent, **limits)


async def test_a_copy_that_is_cancelled_half_way_is_removed(project: Path, tmp_path: Path) -> None:
    for number in range(2000):
        (project / f"{number}.txt").write_text("x")
    parent = tmp_path / "copies"
    parent.mkdir()

    async def use() -> None:
        async with copies(project, parent).copied():
            raise AssertionError("the copy was made before it could be cancelled")

    using = asyncio.create_task(use())
    await until(lambda: bool(list(parent.glob("*/project/*"))))
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert list(parent.iterdir()) == []


async def test_a_copy_has_the_bytes_and_is_removed(project: Path) -> None:
    async with copies(project).copied("src/a.py") as copy:
        place = copy.root
        assert (place / "src" / "a.py").read_bytes() == b"a = 1\r\n"
        assert os.access(place / "run.sh", os.X_OK)
        assert copy.changed("src/a.py") is None
        assert copy.others_changed("src/a.py") == ()
        assert place.stat().st_ino != project.stat().st_ino
    assert not place.parent.exists()


async def test_what_changed_is_told(project: Path) -> None:
    async with copies(project).copied() as copy:
        (copy.root / "src" / "a.py").write_bytes(b"a = 2\n")
        (copy.root / "new.txt").write_bytes(b"new\n")
        (copy.root / "run.sh").unlink()
        assert copy.changed("src/a.py") == b"a = 2\n"
        assert copy.changed("new.txt") == b"new\n"
        assert copy.changed("run.sh") is None
        assert copy.changed("nowhere/at/all.txt") is None
        assert copy.others_changed("src/a.py") == ("new.txt", "run.sh")
    assert (project / "src" / "a.py").read_bytes() == b"a = 1\r\n"
    assert (project / "run.sh").exists()


async def test_a_file_written_again_with_its_own_bytes_is_unchanged(project: Path) -> None:
    async with copies(project).copied() as copy:
        (copy.root / "src" / "a.py").write_bytes(b"a = 1\r\n")
        assert copy.changed("src/a.py") is None


@POSIX
async def test_no_link_is_followed_out_of_a_copy(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    async with copies(project).copied() as copy:
        (copy.root / "src" / "a.py").unlink()
        (copy.root / "src" / "a.py").symlink_to(tmp_path / "secret")
        with pytest.raises(OSError, match="link"):
            copy.changed("src/a.py")


@POSIX
async def test_a_locked_folder_is_removed_too(project: Path) -> None:
    async with copies(project).copied() as copy:
        place = copy.root
        (place / "src").chmod(0)
    assert not place.exists()


async def test_a_large_project_is_cut_after_the_file_of_the_call(project: Path) -> None:
    (project / "large.bin").write_bytes(b"x" * 5000)
    async with copies(project, max_bytes=1000).copied("large.bin") as copy:
        assert (copy.root / "large.bin").stat().st_size == 5000
        assert copy.left_out == 2
    async with copies(project, max_files=1).copied("src/a.py") as copy:
        assert [path.name for path in copy.root.rglob("*.*")] == ["a.py"]
        assert copy.left_out == 2
