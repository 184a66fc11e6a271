"""The recovery console in a real terminal: damage is seen, repaired or mended, and committed."""

import re
from pathlib import Path

import pytest

from tests.e2e.program import environment, git, make_repository
from tests.e2e.terminal import Terminal

CTRL_Q, CTRL_S, CTRL_T, F6 = "\x11", "\x13", "\x14", "\x1b[17~"
APP = ("-m", "orchestra_tui", "run", "write slugify with tests", "--here", "--rehearse")


async def approve(app: Terminal) -> None:
    """Start the task and approve its plan."""
    await app.shows("ready")
    app.press(CTRL_S)
    await app.shows("plan waits for you")
    app.press("a")
    await app.shows("Approve this plan?")
    await app.press_until(CTRL_S, lambda text: "Approve this plan?" not in text)


@pytest.mark.timeout(240)
async def test_a_file_that_nobody_could_recover_is_mended_by_hand_and_committed(
    tmp_path: Path,
) -> None:
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    async with Terminal(*APP, "hopeless", cwd=root, env=environment()) as app:
        await approve(app)
        await app.shows("recovery waits for you: decide about examples/slugify_demo.py")
        await app.shows("def main(titles: list[str])")
        await app.shows("cut: ")
        assert not re.search(r"\b1\s+=== FILE", app.text), (
            "the reply's frame is no text of the file"
        )
        # Offered when the file has been put back, which may be a moment after it was given up.
        await app.shows("t by hand")
        app.press("t")
        await app.shows("^s is refused")
        app.press(CTRL_S)
        await app.shows("Correct it, or accept")
        app.press(CTRL_T)
        await app.until(lambda text: "def main" not in text, "the other beginning")
        app.press('"""Mine."""\r\rprint("my own")\r')
        await app.shows("nothing is found in it")
        app.press(CTRL_S)
        await app.shows("diff waits for you")
        app.press(CTRL_S)
        await app.shows("committed as")
        app.press(CTRL_Q)
        assert await app.ended(within=10) == 0
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "show", "HEAD:examples/slugify_demo.py").strip().endswith('print("my own")')
    assert not list((root / ".orchestra").glob("draft-*"))


@pytest.mark.timeout(240)
async def test_in_a_storm_the_damage_is_seen_repaired_and_everything_committed(
    tmp_path: Path,
) -> None:
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    async with Terminal(*APP, "storm", cwd=root, env=environment(), columns=80, rows=24) as app:
        await approve(app)
        await app.shows("executing")
        app.press(F6)
        await app.shows("cut off")
        await app.shows("damaged, never applied")
        await app.shows("1 came through")
        await app.shows("diff waits for you")
        app.press(CTRL_S)
        await app.shows("committed as")
        app.press(CTRL_Q)
        assert await app.ended(within=10) == 0
    assert git(root, "status", "--porcelain") == ""
    files = git(root, "show", "--name-only", "--format=", "HEAD").split()
    assert sorted(files) == ["examples/slugify_demo.py", "slugify.py", "test_slugify.py"]
