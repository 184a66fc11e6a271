"""What an agent program costs before its first word: an overlay against a copy of the project.

A round makes a view of 5,000 files, runs a shell in it that changes one, asks what changed, and
removes the view. Ratios, no times: copy by overlay, in the same round. Run it with

    python -m benchmarks.private_views [ROUNDS]
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from orchestra_tui.engine.adapters.process.private_tree import PrivateCopy
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.overlay import Overlays
from orchestra_tui.engine.workspace.overlay_probe import Found, look_for_overlay
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree

FOLDERS, FILES = 250, 20
TEXT = "def function(number: int) -> int:\n    return number * 2\n\n\n" * 40
FILE = "package0/module0/file0.py"
LIMIT = 2.0
"""How much dearer a copy must be, for the overlay to be worth its code."""


def make_project(root: Path) -> None:
    """5,000 files of 2 KB, with something to hide in every folder."""
    for number in range(FOLDERS):
        folder = root / f"package{number // 25}" / f"module{number}"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "x.pyc").write_text("x")
        for file in range(FILES):
            (folder / f"file{file}.py").write_text(TEXT)
    (root / ".gitignore").write_text("__pycache__/\n")
    (root / ".env").write_text("KEY=secret\n")


async def seconds_of(
    view_of: AbstractAsyncContextManager[PrivateCopy], path: str
) -> tuple[float, float]:
    """Seconds until the view can be used, and for the whole round."""
    began = time.perf_counter()
    async with view_of as view:
        opened = time.perf_counter() - began
        argv = view.wrapped(("/bin/sh", "-c", f"echo x > {path}"))
        await asyncio.to_thread(subprocess.run, argv, cwd=view.root, check=True)
        assert view.changed(path) == b"x\n"
        assert view.others_changed(path) == ()
    return opened, time.perf_counter() - began


async def measure(root: Path, program: str, rounds: int) -> None:
    """Print the median ratios."""
    tree = open_tree(root)
    files = ProjectFiles(tree)
    copies, overlays = PrivateCopies(tree, files), Overlays(tree, files, program)
    opening, whole = [], []
    for _ in range(rounds + 1):
        copied, overlaid = (
            await seconds_of(copies.copied(FILE), FILE),
            await seconds_of(overlays.opened(), FILE),
        )
        opening.append(copied[0] / overlaid[0])
        whole.append(copied[1] / overlaid[1])
    # The first round fills the caches of both.
    ratios = statistics.median(opening[1:]), statistics.median(whole[1:])
    print(f"until it can be used: a copy takes {ratios[0]:.1f} times as long as an overlay")
    print(f"the whole round:      a copy takes {ratios[1]:.1f} times as long as an overlay")
    if ratios[1] < LIMIT:
        sys.exit(f"an overlay should save more than a factor of {LIMIT:g}")


def main() -> None:
    """Measure, or say why it cannot be measured here."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project").resolve()
        make_project(root)
        found = look_for_overlay(root, os.environ)
        if not isinstance(found, Found):
            sys.exit(f"no overlay here: {found}")
        asyncio.run(measure(root, found.program, rounds))


if __name__ == "__main__":
    main()
