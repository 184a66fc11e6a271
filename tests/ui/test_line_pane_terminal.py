"""In a real terminal: no byte of a hostile stream arrives there as a command."""

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
from textual.app import App
from orchestra_tui.widgets.agent_pane import ReplyPane
from orchestra_tui.widgets.diff_view import DiffView
from orchestra_tui.widgets.source_view import SourceView
from tests.ui.hostile import HOSTILE, hostile_diff

class Probe(App):
    def compose(self):
        yield ReplyPane()
        yield DiffView()
        yield SourceView()
    def on_mount(self):
        self.query_one(DiffView).show_file(hostile_diff())
        self.query_one(SourceView).show_text("a.py", HOSTILE)
        pane = self.query_one(ReplyPane)
        for at in range(0, len(HOSTILE), 3):
            pane.feed(HOSTILE[at:at + 3])
        self.set_timer(0.3, pane.flush)
        self.set_timer(0.8, self.exit)

Probe().run()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_no_escape_of_a_stream_reaches_the_terminal() -> None:
    """The bytes that a terminal gets hold the text, and none of its commands."""
    root = Path(__file__).parents[2]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(root)
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM], environment)  # noqa: S606
    received = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if not ready:
            continue
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            break
        if not piece:
            break
        received += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, received[-2_000:]
    text = received.decode("utf-8", "replace")
    assert "ZXZpbA==" in text
    assert "\x1b]52" not in text
    assert "\x1b]0;" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert "\x1b]8;;" not in text
