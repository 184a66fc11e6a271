"""The app in a real terminal: the whole job with keys, and a screen that fails."""

import signal
from pathlib import Path

import pytest

from tests.e2e.program import environment, git, make_repository, orchestra
from tests.e2e.terminal import Terminal

CTRL_Q, CTRL_S = "\x11", "\x13"
APP = ("-m", "orchestra_tui")


def is_drawn_for(text: str, columns: int, rows: int) -> bool:
    """Whether the title bar ends at the right edge and the footer stands in the last row."""
    lines = text.split("\n")
    title = next((line for line in lines[:2] if line.endswith("REHEARSAL - no AI")), "")
    return columns - 2 <= len(title) <= columns and "^q quit" in lines[rows - 1]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_whole_job_by_keys(size: tuple[int, int], tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    words = (*APP, "run", "write slugify with tests", "--rehearse", "calm", "--here")
    columns, rows = size
    # What a parent took for the size is not believed.
    env = environment(COLUMNS="72", LINES="20")
    async with Terminal(*words, cwd=root, env=env, columns=columns, rows=rows) as app:
        await app.shows("write slugify with tests")
        await app.shows("ready")
        app.press(CTRL_S)
        await app.shows("plan waits for you")
        assert "REHEARSAL - no AI" in app.text
        app.press("a")
        await app.shows("Approve this plan?")
        await app.press_until(CTRL_S, lambda text: "Approve this plan?" not in text)
        await app.shows("diff waits for you")
        assert "REHEARSAL - no AI" in app.text
        app.press(CTRL_S)
        await app.shows("committed as")
        app.resize(60, 15)
        await app.until(lambda text: is_drawn_for(text, 60, 15), "the small screen")
        app.resize(columns, rows)
        await app.until(lambda text: is_drawn_for(text, columns, rows), "the old size")
        assert "committed as" in app.text
        app.press(CTRL_Q)
        assert await app.ended(within=10) == 0
        assert app.modes() == list(app.modes_before)
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "log", "-1", "--format=%s").startswith("feat")


@pytest.mark.timeout(120)
async def test_an_exception_in_a_screen_ends_cleanly_and_the_session_goes_on(
    tmp_path: Path, state_home: Path
) -> None:
    words = (
        "-m", "tests.e2e.failing_screen", "run", "write slugify with tests", "--rehearse", "calm",
        "--auto-approve",
    )  # fmt: skip
    async with Terminal(*words, cwd=tmp_path, env=environment()) as app:
        await app.until(lambda text: "Orchestra's screen failed" in text)
        assert await app.ended(within=3) == 70
        assert app.modes() == list(app.modes_before)
        for off in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"):
            assert app.raw.rfind(off) > app.raw.rfind(
                off[:-1] + (b"h" if off[-1:] == b"l" else b"l")
            )
        assert b"\x1b]52" not in app.raw
        assert "Traceback" not in app.text
        assert "orchestra resume" in app.text
    log = next(state_home.rglob("orchestra.log")).read_text(encoding="utf-8")
    assert "a defect in a screen" in log
    assert "\x1b" not in log
    resumed = await orchestra("resume", "--headless", "--json", cwd=tmp_path)
    assert resumed.code == 0, resumed.err
    assert resumed.records[-1]["outcome"] == "done"


@pytest.mark.timeout(120)
async def test_a_killed_app_gives_the_terminal_back_and_says_how_to_go_on(tmp_path: Path) -> None:
    words = (*APP, "run", "write slugify with tests", "--rehearse", "calm", "--here")
    async with Terminal(*words, cwd=tmp_path, env=environment()) as app:
        await app.shows("ready")
        app.press(CTRL_S)
        await app.shows("plan waits for you")
        app.process.terminate()
        assert await app.ended(within=10) == 128 + signal.SIGTERM
        assert app.modes() == list(app.modes_before)
        assert app.raw.rfind(b"\x1b[?1049l") > app.raw.rfind(b"\x1b[?1049h")
        assert "orchestra resume" in app.text
    resumed = await orchestra("resume", "--headless", "--json", cwd=tmp_path)
    assert resumed.code == 5, "its plan still waits for approval"


@pytest.mark.timeout(120)
async def test_a_headless_run_on_a_terminal_shows_its_steps_in_place(tmp_path: Path) -> None:
    words = (
        *APP, "run", "write slugify with tests", "--headless", "--auto-approve",
        "--rehearse", "hopeless",
    )  # fmt: skip
    async with Terminal(*words, cwd=tmp_path, env=environment()) as app:
        assert await app.ended(within=60) == 1
        assert "REHEARSAL - no AI" in app.text
        rows = [line for line in app.text.splitlines() if "slugify" in line and "✔" in line]
        assert any("accepted" in row for row in rows), app.text
        assert any("↩" in line and "reverted" in line for line in app.text.splitlines())
        assert b"\x1b[?1049h" not in app.raw, "it stays in the scroll-back"
        assert app.raw.rfind(b"\x1b[?25h") > app.raw.rfind(b"\x1b[?25l"), "the cursor is back"
        assert app.modes() == list(app.modes_before)
