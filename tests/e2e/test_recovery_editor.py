"""The user's own editor on a damaged file, in a real terminal: what it can do wrong, and right."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.program import environment, git, make_repository
from tests.e2e.terminal import Terminal
from tests.e2e.test_recovery_terminal import APP, CTRL_Q, CTRL_S, approve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts as editors")
GOOD = '"""Mine."""\n\x0c\nprint("from my editor")\n'
OPEN = 'echo "$$" > "$PID_FILE"; echo EDITOR IS OPEN; exec sleep 600\n'


def become(editor: Path, script: str) -> None:
    """The editor does this from now on."""
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)


def is_alive(pid: int) -> bool:
    """There is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(240)
async def test_an_editor_that_is_missing_fails_or_is_stopped_costs_nothing(tmp_path: Path) -> None:
    """Each time the console is there again, with its keys; at last a text of his is written."""
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    # By its name alone: what the app says of it then stands in one line.
    folder = tmp_path / "bin"
    folder.mkdir()
    editor = folder / "my-editor"
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    env = environment(VISUAL="my-editor", PATH=path, PID_FILE=str(tmp_path / "pid"))
    async with Terminal(*APP, "hopeless", cwd=root, env=env) as app:
        await approve(app)
        await app.shows("put back")
        await app.shows("e $EDITOR")
        app.press("e")
        await app.shows("cannot start")
        become(editor, 'echo lost > "$1"; exit 3')
        app.press("e")
        await app.shows("ended with 3")
        await app.shows("def main(titles: list[str])")
        become(editor, OPEN)
        app.press("e")
        await app.shows("EDITOR IS OPEN")
        app.resize(100, 30)
        os.killpg(app.process.pid, signal.SIGINT)
        await app.shows("ended with -2")
        await app.shows("r retry")
        good = tmp_path / "good.py"
        good.write_text(GOOD)
        become(editor, f'cp "{good}" "$1"')
        app.press("e")
        await app.shows("diff waits for you")
        app.press(CTRL_S)
        await app.shows("committed as")
        app.press(CTRL_Q)
        assert await app.ended(within=10) == 0
    assert git(root, "show", "HEAD:examples/slugify_demo.py") == GOOD


@pytest.mark.timeout(240)
async def test_an_editor_does_not_outlive_the_app(tmp_path: Path) -> None:
    """Killed politely with an editor open, both go, and the terminal is as it was."""
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    editor, pid = tmp_path / "editor", tmp_path / "pid"
    become(editor, OPEN)
    env = environment(VISUAL=str(editor), PID_FILE=str(pid))
    async with Terminal(*APP, "hopeless", cwd=root, env=env) as app:
        await approve(app)
        await app.shows("put back")
        await app.shows("e $EDITOR")
        app.press("e")
        await app.shows("EDITOR IS OPEN")
        app.process.send_signal(signal.SIGTERM)
        assert await app.ended(within=20) == 128 + signal.SIGTERM
        assert not is_alive(int(pid.read_text()))
        assert app.modes() == app.modes_before
