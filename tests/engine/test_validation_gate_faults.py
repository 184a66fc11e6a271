"""The gate with grammars that hang or crash, huge texts, and a worker that lies."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import orchestra_tui
from orchestra_tui.engine.validation import Gate, PlanHint, ReportState, validate
from orchestra_tui.engine.validation.gate import MAX_TEXT, TRUST
from orchestra_tui.engine.validation.worker_process import worker_environment

ROOT = str(Path(orchestra_tui.__file__).resolve().parent.parent)
BIG = "def f(x: int) -> int:\n    return x + 1\n" * 2_000


def worker_with(fault: str) -> tuple[str, ...]:
    """The real worker whose validator meets `fault` where it would load a grammar."""
    script = f"""
        import ctypes, os, sys
        sys.path.append({ROOT!r})
        import orchestra_tui.engine.validation.worker as worker
        real = worker.validate
        def validate(*texts, with_grammar=True, **more):
            if with_grammar:
                {fault}
            return real(*texts, with_grammar=False, **more)
        worker.validate = validate
        worker.main()
    """
    return (sys.executable, "-I", "-c", textwrap.dedent(script))


# A grammar of the pack that never comes back from this text, in C and with the lock held.
COBOL = "from tree_sitter_language_pack import get_parser; get_parser('cobol').parse(b'x')"
SEGFAULT = "ctypes.string_at(0)"


def sessions_of_children() -> dict[int, int]:
    """Child process -> its session; without those that have ended."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(os.getpid()) and fields[0] != "Z":
            found[int(entry.name)] = int(fields[3])
    return found


async def test_a_grammar_that_hangs_costs_the_deadline_and_is_left_out_after_two() -> None:
    before = sessions_of_children()
    async with Gate(deadline=1.0, command=worker_with(COBOL)) as gate:
        for _ in range(TRUST):
            report = await gate.check("a.py", BIG + "x = (\n", BIG)
            assert report.is_hard
            assert "no answer in 1.1 s of work" in report.diagnostics[-1].message
        report = await gate.check("a.py", BIG + "x = (\n", BIG)
        assert report.is_hard
        assert "grammar failed 2 times" in report.diagnostics[-1].message
    assert sessions_of_children().keys() <= before.keys()


async def test_a_grammar_that_only_sleeps_is_not_waited_for_without_end() -> None:
    command = worker_with("import time; time.sleep(600)")
    async with Gate(deadline=0.1, command=command) as gate:
        report = await gate.check("a.zig", "x")
        assert report.diagnostics[-1].message.startswith("the grammar gave no answer in 0.4 s")


@pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="no clock of processor time")
async def test_a_machine_that_is_busy_elsewhere_costs_no_verdict() -> None:
    """A stopped worker stands for one that other work keeps from the processor."""
    before = sessions_of_children()
    async with Gate(deadline=1.0) as gate:
        await gate.check("warm.py", BIG, BIG + "\n")
        [worker] = sessions_of_children().keys() - before.keys()
        os.kill(worker, signal.SIGSTOP)
        asking = asyncio.create_task(gate.check("a.py", BIG + "x = (\n", BIG))
        done, _ = await asyncio.wait({asking}, timeout=1.5)
        assert not done
        os.kill(worker, signal.SIGCONT)
        report = await asking
        assert report.is_hard
        assert all(item.kind != "not-checked" for item in report.diagnostics)


async def test_a_grammar_that_crashes_costs_one_process_and_no_verdict() -> None:
    async with Gate(command=worker_with(SEGFAULT)) as gate:
        report = await gate.check("a.py", BIG, BIG)
        assert report.state is ReportState.SUSPECT
        assert [item.kind for item in report.diagnostics] == ["not-checked"]
        assert "ended its process" in report.diagnostics[0].message
        broken = await gate.check("a.py", BIG + "x = (\n", BIG)
        assert broken.is_hard


async def test_one_language_that_fails_does_not_cost_another_its_grammar() -> None:
    fault = f"return {SEGFAULT} if texts[0].endswith('.zig') else real(*texts)"
    async with Gate(command=worker_with(fault)) as gate:
        for _ in range(TRUST + 1):
            assert (await gate.check("a.zig", "x")).diagnostics[-1].kind == "not-checked"
        new = "function f() {\n" + "  g();\n" * 20_000
        assert await gate.check("a.js", new) == validate("a.js", new)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits on a process that is no child")
def test_a_hanging_worker_ends_even_if_the_program_is_killed(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    os.mkfifo(said)
    command = worker_with(f"open({str(said)!r}, 'w').write(str(os.getpid())); {COBOL}")
    script = f"""
        import asyncio
        from orchestra_tui.engine.validation import Gate
        asyncio.run(Gate(deadline=2.0, command={command!r}).check("a.zig", "x"))
    """
    program = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT)
    with said.open() as pipe:
        worker = int(pipe.read())
    handle = os.pidfd_open(worker)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert select.select([handle], [], [], 30)[0]
    os.close(handle)


async def test_the_worker_has_a_session_of_its_own_and_no_terminal() -> None:
    before = sessions_of_children()
    async with Gate(in_process=False) as gate:
        await gate.check("a.py", "x = 1\n")
        [worker] = sessions_of_children().keys() - before.keys()
        assert sessions_of_children()[worker] == worker
        terminal = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[4]
        assert terminal == "0"
        limits = Path(f"/proc/{worker}/limits").read_text()
        assert [line.split()[3] for line in limits.split("\n") if "address space" in line] == [
            str(3 * 2**30)
        ]


async def test_the_worker_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    before = sessions_of_children()
    async with Gate(in_process=False) as gate:
        await gate.check("a.py", "x = 1\n")
        [worker] = sessions_of_children().keys() - before.keys()
        environment = Path(f"/proc/{worker}/environ").read_bytes()
    assert b"LANG=C.UTF-8" in environment
    assert b"secret" not in environment
    assert b"HOME=" not in environment
    assert worker_environment({"HOME": "/x", "AWS_SECRET": "y", "TMPDIR": "/t"}) == {"TMPDIR": "/t"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def f(x: int) -> int:\n    return x + 1\n" * 125_000),
        ("a.js", "let value = compute(1, 2);\n" * 190_000),
        ("a.md", "word " * 1_000_000 + "\n"),
        ("one_line.py", "x = '" + "a" * 10_000_000 + "'\n"),
        ("one_line.js", "var a = [" + "1," * 5_000_000 + "1];\n"),
        ("one_line.txt", " " * 10_000_000 + "x\n"),
        ("one_line.html", "<a>" * 3_400_000),
        ("dots.js", "." * 10_000_000 + "\n"),
    ],
)
async def test_huge_texts_are_judged_and_their_worker_is_ended(path: str, text: str) -> None:
    before = sessions_of_children()
    async with Gate() as gate:
        report = await gate.check(path, text, text)
        assert report.state in {ReportState.FINE, ReportState.SUSPECT}
        assert sessions_of_children().keys() <= before.keys()


async def test_a_text_beyond_all_measure_is_not_judged_and_the_report_says_so() -> None:
    async with Gate(command=("/nonexistent",)) as gate:
        report = await gate.check("a.json", " " * (MAX_TEXT + 1))
        assert report.state is ReportState.SUSPECT
        assert report.diagnostics[0].message.endswith("not checked")


async def test_a_text_that_needs_too_much_memory_costs_the_worker_only() -> None:
    fault = "held = bytearray(4 * 2**30)"
    async with Gate(command=worker_with(fault)) as gate:
        report = await gate.check("a.py", BIG, BIG)
        assert "ended its process" in report.diagnostics[0].message


@pytest.mark.parametrize(
    "answer",
    [
        "import struct; struct.pack('>I', 4_000_000_000)",
        "b'\\x00\\x00\\x00\\x02{}'",
        "b'\\x00\\x00\\x00\\x05hello'",
        "b''",
    ],
)
async def test_a_worker_that_answers_nonsense_is_replaced(answer: str) -> None:
    *imports, value = answer.split("; ")
    script = f"import sys; {'; '.join((*imports, ''))}sys.stdout.buffer.write({value})"
    async with Gate(command=(sys.executable, "-c", script)) as gate:
        report = await gate.check("a.zig", "x")
        assert report.diagnostics[-1].kind == "not-checked"


async def test_no_process_to_be_had_is_no_reason_to_let_damage_pass() -> None:
    async with Gate(command=("/nonexistent/interpreter",)) as gate:
        report = await gate.check("a.py", BIG + "x = (\n", BIG)
        assert report.is_hard
        assert "judged without its grammar" in report.diagnostics[-1].message


async def test_several_workers_are_bounded_and_all_end() -> None:
    before = sessions_of_children()
    async with Gate(workers=2, in_process=False) as gate:
        hint = PlanHint(words="remove it")
        reports = await asyncio.gather(
            *(gate.check(f"{n}.py", f"x{n} = (\n", plan_hint=hint) for n in range(9))
        )
        assert [report.path for report in reports] == [f"{n}.py" for n in range(9)]
        assert all(report.is_hard for report in reports)
        assert 1 <= len(sessions_of_children().keys() - before.keys()) <= 2
    assert sessions_of_children().keys() <= before.keys()


async def test_half_a_character_reaches_the_worker_as_something() -> None:
    async with Gate(in_process=False) as gate:
        report = await gate.check("a\udcff.py", "x = '\ud800'\n", "x = '\udfff'\n")
        assert report.path == "a?.py"
