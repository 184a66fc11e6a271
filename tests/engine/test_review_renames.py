"""Rejected hunks of moved and removed files: what is rejected is neither kept nor committed."""

import json
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ports import GetDiff
from orchestra_tui.engine.orchestrator.review_work import WHOLE_FILE
from tests.engine.engine_house import House, house
from tests.stubs.scripted_agents import question

LINES = [f"line {number}\n" for number in range(1, 13)]
OLD = "".join(LINES)
FIRST, LAST = "LINE 1\n", "LINE 12\n"
PLAN = {
    "summary": "move",
    "steps": [
        {"id": "s1", "path": "new.txt", "from": "old.txt", "change": "rename", "purpose": "x"},
        {"id": "s2", "path": "tool.sh", "change": "delete", "purpose": "x"},
    ],
    "checks": [],
    "commit_message": "refactor: move",
    "end": True,
}
EDITS = "".join(
    f"<<<<<<< SEARCH\n{line}=======\n{line.upper()}>>>>>>> REPLACE\n"
    for line in (LINES[0], LINES[-1])
)


def script(body: bytes) -> str:
    """Moves the file and changes both of its ends."""
    step, prompt = question(body)
    if not step:
        return json.dumps(PLAN)
    if "under review" in prompt:
        return json.dumps({"verdict": "pass", "issues": [], "end": True})
    return f"=== EDIT new.txt\n{EDITS}=== END EDIT\n=== END REPLY\n"


async def commit_without(h: House, path: str, hunks: slice | None) -> None:
    """Reject some hunks of `path` (None: the whole file) and commit."""
    report = await h.engine.query(GetDiff())
    file = next(file for file in report.files if file.path == path)
    rejected = (WHOLE_FILE,) if hunks is None else tuple(hunk.id for hunk in file.hunks[hunks])
    await h.engine.submit(cmd.DecideHunks(path=path, rejected=rejected))
    await h.engine.submit(cmd.CommitChanges(message="refactor: move"))
    await h.until(lambda run: run.outcome is not None)
    assert h.run.outcome is ev.Outcome.DONE
    assert h.git("status", "--porcelain") == ""


async def reviewed(h: House) -> None:
    (h.root / "tool.sh").chmod(0o755)
    h.git("commit", "-q", "-a", "-m", "a tool that can be run")
    await h.to_review()


FILES = {"old.txt": OLD, "tool.sh": "#!/bin/sh\n"}


async def test_a_rejected_move_gives_the_old_file_back(tmp_path: Path) -> None:
    async with house(tmp_path, script, FILES) as h:
        await reviewed(h)
        await commit_without(h, "new.txt", None)
        assert h.text("old.txt") == OLD
        assert not (h.root / "new.txt").exists()
        assert h.git("show", "HEAD:old.txt") == OLD
        assert h.git("show", "--name-only", "--format=").split() == ["tool.sh"]


async def test_a_rejected_hunk_of_a_moved_file_is_taken_out(tmp_path: Path) -> None:
    async with house(tmp_path, script, FILES) as h:
        await reviewed(h)
        await commit_without(h, "new.txt", slice(1))
        wanted = "".join([*LINES[:-1], LAST])
        assert h.text("new.txt") == wanted
        assert h.git("show", "HEAD:new.txt") == wanted


async def test_a_moved_file_without_any_of_its_hunks_is_only_moved(tmp_path: Path) -> None:
    async with house(tmp_path, script, FILES) as h:
        await reviewed(h)
        await commit_without(h, "new.txt", slice(None))
        assert h.text("new.txt") == OLD
        assert not (h.root / "old.txt").exists()


async def test_a_move_is_shown_as_one_also_when_it_was_rejected_and_taken_back(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, script, FILES) as h:
        await reviewed(h)
        (h.root / "tool.sh").write_text("mine\n", encoding="utf-8")
        await h.engine.submit(cmd.DecideHunks(path="new.txt", rejected=(WHOLE_FILE,)))
        await h.engine.submit(cmd.DecideHunks(path="tool.sh", rejected=(WHOLE_FILE,)))
        await h.engine.submit(cmd.CommitChanges(message="refactor: move"))
        await h.until(lambda run: bool(run.held))
        report = await h.engine.query(GetDiff())
        assert [(file.path, file.old_path) for file in report.files] == [
            ("new.txt", "old.txt"),
            ("tool.sh", None),
        ]
        await h.engine.submit(cmd.DecideHunks(path="new.txt", rejected=()))
        (h.root / "tool.sh").unlink()
        await h.engine.submit(cmd.CommitChanges(message="refactor: move"))
        await h.until(lambda run: run.outcome is not None)
        assert h.text("new.txt") == "".join([FIRST, *LINES[1:-1], LAST])
        assert not (h.root / "old.txt").exists()
        assert (h.root / "tool.sh").stat().st_mode & 0o777 == 0o755


async def test_a_removed_file_comes_back_with_its_permissions(tmp_path: Path) -> None:
    async with house(tmp_path, script, FILES) as h:
        await reviewed(h)
        await commit_without(h, "tool.sh", None)
        assert (h.root / "tool.sh").stat().st_mode & 0o777 == 0o755


async def test_checks_that_turn_red_without_the_rejected_hunks_hold_the_commit_once(
    tmp_path: Path,
) -> None:
    makefile = "test:\n\t@test ! -e old.txt\n"
    async with house(tmp_path, script, {**FILES, "Makefile": makefile}) as h:
        await reviewed(h)
        await h.engine.submit(cmd.DecideHunks(path="new.txt", rejected=(WHOLE_FILE,)))
        await h.engine.submit(cmd.CommitChanges(message="refactor: move"))
        await h.until(lambda run: bool(run.held))
        assert h.run.held.startswith("make-test: ")
        assert h.run.held.endswith(". Commit again to commit anyway.")
        await h.engine.submit(cmd.CommitChanges(message="refactor: move"))
        await h.until(lambda run: run.outcome is not None)
        assert h.run.outcome is ev.Outcome.PARTIAL
        assert h.git("show", "--name-only", "--format=").split() == ["tool.sh"]
