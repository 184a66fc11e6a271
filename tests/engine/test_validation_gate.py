"""The gate: off the loop, behind a deadline, and none the worse for a grammar that fails."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from orchestra_tui.engine.validation import Gate, ReportState, validate
from orchestra_tui.engine.validation.gate import SMALL

BIG = "def f(x: int) -> int:\n    return x + 1\n" * (SMALL // 30)
HANGS = (sys.executable, "-c", "import time; time.sleep(600)")
DIES = (sys.executable, "-c", "import os; os.abort()")


def children_of(pid: int) -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(entry.name))
    return found


async def test_small_and_large_texts_get_the_same_verdict_as_the_pure_function() -> None:
    async with Gate() as gate:
        for path, new, old in (
            ("a.py", "x = (\n", "x = 1\n"),
            ("big.py", BIG, None),
            ("big.py", BIG + "x = (\n", BIG),
            ("a.zig", 'const x = "a";\n', None),
        ):
            assert await gate.check(path, new, old) == validate(path, new, old)


async def test_questions_at_once_are_all_answered_by_one_worker() -> None:
    async with Gate() as gate:
        before = children_of(os.getpid())
        reports = await asyncio.gather(
            *(gate.check(f"{n}.py", BIG + f"x{n} = (\n", BIG) for n in range(4))
        )
        assert [report.path for report in reports] == [f"{n}.py" for n in range(4)]
        assert all(report.is_hard for report in reports)
        assert len(children_of(os.getpid()) - before) <= 1


async def test_closing_leaves_no_process() -> None:
    before = children_of(os.getpid())
    gate = Gate()
    await gate.check("big.py", BIG)
    await gate.close()
    assert children_of(os.getpid()) <= before
    await gate.close()


async def test_a_hanging_worker_costs_the_deadline_and_says_so() -> None:
    async with Gate(deadline=0.3, command=HANGS) as gate:
        start = time.monotonic()
        good = await gate.check("big.py", BIG)
        assert time.monotonic() - start < 10
        assert good.state is ReportState.SUSPECT
        assert [item.kind for item in good.diagnostics] == ["not-checked"]
        # The parsers that need no grammar still judge.
        assert (await gate.check("big.py", BIG + "x = (\n", BIG)).is_hard


@pytest.mark.parametrize("text", ["<A " * 20_000, "{%@@" * 15_000])
async def test_a_small_text_that_repeats_itself_is_not_parsed_in_this_process(text: str) -> None:
    async with Gate(command=DIES) as gate:
        assert "ended its process" in (await gate.check("a.cs", text)).diagnostics[-1].message
        ordinary = await gate.check("a.cs", "class A\n{\n    int B() { return 1; }\n}\n")
        assert ordinary.state is ReportState.FINE


async def test_a_dying_worker_is_replaced() -> None:
    async with Gate(command=DIES) as gate:
        for _ in range(2):
            report = await gate.check("big.py", BIG)
            assert report.state is ReportState.SUSPECT
            assert "ended its process" in report.diagnostics[0].message


async def test_a_cancelled_question_does_not_answer_the_next() -> None:
    async with Gate() as gate:
        await gate.check("first.py", BIG)
        asking = asyncio.create_task(gate.check("second.py", BIG * 5))
        done, _ = await asyncio.wait({asking}, timeout=0.01)
        assert not done
        asking.cancel()
        await asyncio.wait({asking})
        assert (await gate.check("third.py", BIG)).path == "third.py"


async def test_the_worker_loads_nothing_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('loaded from the project')\n")
    (tmp_path / "pydantic.py").write_text("raise SystemExit('loaded from the project')\n")
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        async with Gate() as gate:
            assert (await gate.check("big.py", BIG)).state is ReportState.FINE
    finally:
        os.chdir(here)


async def test_the_loop_stays_awake_while_a_large_text_is_judged() -> None:
    async with Gate() as gate:
        await gate.check("big.py", BIG)
        asking = asyncio.create_task(gate.check("big.py", BIG * 8))
        ticks = 0
        while not asking.done():
            await asyncio.wait({asking}, timeout=0.005)
            ticks += 1
        assert ticks > 3
        assert (await asking).state is ReportState.FINE
