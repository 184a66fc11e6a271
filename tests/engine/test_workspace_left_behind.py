"""What a killed Orchestra left among the temporary files is gone a day later, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from orchestra_tui.engine.workspace.left_behind import OLD, remove_left_behind


def folder(parent: Path, name: str, *, age: float) -> Path:
    path = parent / name
    (path / "project").mkdir(parents=True)
    (path / "project" / "secret.py").write_text("x = 1\n", encoding="utf-8")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def test_old_folders_of_calls_go_and_everything_else_stays(tmp_path: Path) -> None:
    gone = [
        folder(tmp_path, f"orchestra-{kind}-ab_12cd", age=OLD + 60)
        for kind in ("copy", "client", "check", "try")
    ]
    stays = [
        folder(tmp_path, "orchestra-copy-new", age=60),
        folder(tmp_path, "orchestra-mine", age=2 * OLD),
        folder(tmp_path, "my-orchestra-copy-x", age=2 * OLD),
    ]
    remove_left_behind(tmp_path)
    assert not any(path.exists() for path in gone)
    assert all((path / "project" / "secret.py").exists() for path in stays)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_of_our_name_is_not_followed(tmp_path: Path) -> None:
    home = folder(tmp_path / "home", "mine", age=2 * OLD)
    link = tmp_path / "orchestra-copy-link"
    link.symlink_to(home)
    os.utime(link, (1, 1), follow_symlinks=False)
    remove_left_behind(tmp_path)
    assert (home / "project" / "secret.py").exists()


def test_a_place_that_cannot_be_read_is_no_trouble(tmp_path: Path) -> None:
    remove_left_behind(tmp_path / "nowhere")
