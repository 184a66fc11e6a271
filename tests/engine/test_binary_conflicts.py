"""A file that became binary while the run was at work: no text ever takes its place."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import StepId, blob_hash
from orchestra_tui.domain.ports import BinaryContent, GetBlob
from orchestra_tui.domain.state import StepStatus
from tests.engine.engine_house import house
from tests.stubs.scripted_agents import question, whole_file

S2 = StepId("s2")
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
STEPS = (
    {"id": "s1", "path": "first.txt", "change": "create", "purpose": "p"},
    {"id": "s2", "path": "logo", "change": "modify", "purpose": "p", "depends_on": ["s1"]},
)


@dataclass
class Painter:
    """While the first file is written, the user makes a picture of the second."""

    root: Path | None = None

    def __call__(self, body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            plan = {"summary": "s", "steps": STEPS, "checks": [], "commit_message": "feat: x"}
            return json.dumps({**plan, "end": True})
        if "under review" in prompt:
            return json.dumps({"verdict": "pass", "issues": [], "end": True})
        assert self.root is not None
        (self.root / "logo").write_bytes(PICTURE)
        return whole_file("first.txt", "1\n")


@pytest.mark.parametrize(
    "command",
    [
        cmd.TakeOver(step=S2, text="a text of mine\n"),
        cmd.AcceptAnyway(step=S2, text="a text of mine\n", reason="because"),
    ],
)
async def test_a_text_never_takes_the_place_of_a_picture(
    command: cmd.TakeOver | cmd.AcceptAnyway, tmp_path: Path
) -> None:
    painter = Painter()
    async with house(tmp_path, painter, {"logo": "a text\n"}) as h:
        painter.root = h.root
        await h.start()
        await h.approve()
        await h.until(lambda run: run.steps[S2].status is StepStatus.CONFLICT)
        shown = await h.engine.query(GetBlob(blob=blob_hash(PICTURE)))
        assert shown == BinaryContent(size=len(PICTURE)), "it is not told as a text"
        with pytest.raises(CommandRefused, match="logo is binary"):
            await h.engine.submit(command)
        assert h.run.steps[S2].status is StepStatus.CONFLICT
        assert (h.root / "logo").read_bytes() == PICTURE
