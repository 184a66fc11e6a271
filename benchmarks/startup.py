"""How long a person waits: for `--help`, and for the first frame of the app. Ratios, no times.

Each figure is set against a peer measured in the same round: the bare interpreter, and a minimal
Textual app with a header, an input and a footer. Run it with

    python -m benchmarks.startup [ROUNDS]
"""

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELP_LIMIT = 3.0
FRAME_LIMIT = 1.3
MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Header, Input, Static
class Minimal(App):
    def compose(self):
        yield Header()
        yield Static("ready to type")
        yield Input()
        yield Footer()
Minimal().run()
"""


def seconds_of(words: list[str]) -> float:
    """The wall time of a whole process."""
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - began


def seconds_to_frame(words: list[str], shown: bytes, cwd: Path) -> float:
    """The time from the start of a program on a terminal until it has drawn `shown`."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "ORCHESTRA_STATE_HOME": str(cwd)}
    began = time.perf_counter()
    process = subprocess.Popen(
        words,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    )
    seen = b""
    try:
        while shown not in seen:
            if not select.select([leader], [], [], 30)[0]:
                raise TimeoutError(f"{words[-1]} never showed {shown!r}")
            seen += os.read(leader, 65536)
        return time.perf_counter() - began
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


def main() -> None:
    """Print the median ratios of some rounds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        help_ratios, frame_ratios = [], []
        for _ in range(rounds):
            bare = seconds_of([python, "-c", "pass"])
            help_ratios.append(seconds_of([python, "-m", "orchestra_tui", "--help"]) / bare)
            minimal = seconds_to_frame([python, "-c", MINIMAL], b"ready", cwd)
            ours = seconds_to_frame([python, "-m", "orchestra_tui"], b"What shall we", cwd)
            frame_ratios.append(ours / minimal)
    _tell("--help / python -c pass", help_ratios, HELP_LIMIT)
    _tell("first frame / minimal app", frame_ratios, FRAME_LIMIT)


def _tell(name: str, ratios: list[float], limit: float) -> None:
    middle = statistics.median(ratios)
    print(f"{name:<28} {middle:5.2f}  (aim {limit:.1f}; {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
