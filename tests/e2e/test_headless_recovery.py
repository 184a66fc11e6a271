"""A headless run with a file that cannot be recovered: what it prints, and that it never waits."""

from pathlib import Path

from tests.e2e.program import orchestra

WORDS = (
    "run",
    "write slugify with tests",
    "--headless",
    "--auto-approve",
    "--rehearse",
    "hopeless",
)
APPROACHES = ["continue", "consult", "other_adapter", "pieces"]


async def test_records_tell_each_attempt_and_the_end(tmp_path: Path) -> None:
    finished = await orchestra(*WORDS, "--json", "--no-checks", cwd=tmp_path)
    assert finished.code == 1
    attempts = finished.of_type("RecoveryAttempted")
    assert [attempt["approach"] for attempt in attempts] == APPROACHES
    assert {attempt["cause"] for attempt in attempts} == {"cut"}
    (report,) = finished.records[-1]["recoveries"]  # type: ignore[attr-defined]
    assert report["outcome"] == "reverted"
    assert len(report["tried"]) == len(APPROACHES)


async def test_lines_tell_what_was_tried(tmp_path: Path) -> None:
    finished = await orchestra(*WORDS, "--no-checks", cwd=tmp_path)
    assert finished.code == 1
    assert "recovery of examples/slugify_demo.py (cut): reverted; tried: continue" in finished.out
    assert "reverted examples/slugify_demo.py (as before the run)" in finished.out
