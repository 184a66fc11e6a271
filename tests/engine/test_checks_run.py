"""Running checks for real: pass, fail, hang with grandchildren, cancel, and what is left."""

import asyncio
import os
import select
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestra_tui.domain.events import CheckState
from orchestra_tui.engine.checks import Check, CheckResult, run_check
from orchestra_tui.engine.checks.detect import detect
from orchestra_tui.engine.checks.run import CUT_NOTE, STREAMED, TAIL
from tests.engine.test_checks_detect import FIXTURES, environment

HANG = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code])
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
open("started", "w").close()
print("hanging", flush=True)
time.sleep(600)
"""


def project(name: str, tmp_path: Path, *, isolated: bool = False) -> Path:
    root = tmp_path / name
    shutil.copytree(FIXTURES / name, root)
    if name in {"pytest", "unittest"}:
        environment(root, isolated=isolated)
    return root


def check_of(root: Path) -> Check:
    (check,) = detect(root).checks
    return check


def script(root: Path, code: str, *, framework: str = "make") -> Check:
    path = root / "check_script.py"
    path.write_text(code)
    return Check(
        name="script", framework=framework, argv=(sys.executable, str(path)), cwd=root, why="a test"
    )


def files_of(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def processes_in(folder: Path) -> Iterator[int]:
    """The living processes whose working folder is `folder`."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            here = os.readlink(entry / "cwd")
        except OSError:
            continue
        if state not in "ZX" and here == str(folder):
            yield int(entry.name)


async def run(check: Check, *, timeout: float = 60) -> tuple[CheckResult, str]:  # noqa: ASYNC109
    pieces: list[str] = []
    result = await run_check(check, pieces.append, timeout=timeout)
    return result, "".join(pieces)


@pytest.mark.parametrize(
    ("name", "passed", "skipped"),
    [("pytest", 1, 1), ("unittest", 1, 1), ("npm", 1, 0), ("make", None, None)],
)
async def test_a_good_project_passes_and_keeps_its_files_as_they_are(
    name: str, passed: int | None, skipped: int | None, tmp_path: Path
) -> None:
    root = project(name, tmp_path, isolated=name == "unittest")
    before = files_of(root)
    result, shown = await run(check_of(root))
    assert result.outcome is CheckState.PASSED, result
    assert (result.passed, result.skipped) == (passed, skipped)
    assert result.tail == shown
    assert result.seconds > 0
    assert files_of(root) == before


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("pytest", "calc.py", "a + b", "a - b"),
        ("unittest", "calc.py", "a + b", "a - b"),
        ("npm", "calc.js", "a + b", "a - b"),
        ("make", "check.sh", "= 3", "= 4"),
    ],
)
async def test_a_broken_project_fails(
    name: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    root = project(name, tmp_path, isolated=name == "unittest")
    path = root / file
    path.write_text(path.read_text().replace(old, new))
    result, _ = await run(check_of(root))
    assert result.outcome is CheckState.FAILED, result
    assert result.failed == (None if name == "make" else 1)
    assert result.exit_code not in {0, None}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("pytest", "tests/test_calc.py"),
        ("unittest", "tests/test_calc.py"),
        ("npm", "calc.test.js"),
        ("make", "check.sh"),
    ],
)
async def test_a_hanging_project_is_killed_with_its_grandchildren(
    name: str, file: str, tmp_path: Path
) -> None:
    root = project(name, tmp_path, isolated=name == "unittest")
    hang = root / "hang_here.py"
    hang.write_text(HANG)
    command = f'"{sys.executable}" "{hang}"'
    text = {
        ".py": f"import subprocess\nsubprocess.run({command!r}, shell=True)\n",
        ".js": f"require('node:child_process').execSync({command!r});\n",
        ".sh": f"{command}\n",
    }[Path(file).suffix]
    (root / file).write_text(text)
    check = check_of(root)
    for timeout in (4, 40):  # the second only where a busy machine did not get so far
        result, _ = await run(check, timeout=timeout)
        if (root / "started").exists():
            break
    assert (root / "started").exists()
    assert result.outcome is CheckState.TIMED_OUT, result
    assert f"stopped after {timeout} s" in result.message
    assert list(processes_in(root)) == []


async def test_cancelling_stops_everything_even_when_cancelled_twice(tmp_path: Path) -> None:
    hanging = asyncio.Event()
    check = script(tmp_path, HANG)
    running = asyncio.create_task(run_check(check, lambda _: hanging.set(), timeout=60))
    await asyncio.wait_for(hanging.wait(), 20)
    assert len(list(processes_in(tmp_path))) >= 3
    running.cancel()
    await asyncio.wait({running}, timeout=0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(processes_in(tmp_path)) == []


async def test_a_server_left_running_by_a_good_run_is_stopped_and_does_not_delay_it(
    tmp_path: Path,
) -> None:
    code = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("done")
"""
    result, shown = await run(script(tmp_path, code))
    assert (result.outcome, shown) == (CheckState.PASSED, "done\n")
    assert result.seconds < 20
    assert list(processes_in(tmp_path)) == []


@pytest.mark.parametrize("name", ["pytest", "unittest"])
async def test_no_tests_ran_is_an_outcome_of_its_own(name: str, tmp_path: Path) -> None:
    root = project(name, tmp_path, isolated=name == "unittest")
    (root / "tests" / "test_calc.py").write_text("x = 1\n")
    result, _ = await run(check_of(root))
    assert (result.outcome, result.message) == (CheckState.NO_TESTS, "no tests ran")


async def test_a_missing_pytest_is_not_found_and_no_failure_of_the_code(tmp_path: Path) -> None:
    root = project("pytest", tmp_path, isolated=True)
    result, _ = await run(check_of(root))
    assert result.outcome is CheckState.NOT_FOUND
    assert "No module named" in result.message


async def test_a_missing_program_is_not_found(tmp_path: Path) -> None:
    check = Check(name="x", framework="go", argv=("no-such-program-here",), cwd=tmp_path, why="")
    result, shown = await run(check)
    assert (result.outcome, shown) == (CheckState.NOT_FOUND, "")
    assert result.message == "no-such-program-here is not installed"


async def test_a_program_that_dies_of_a_signal_has_crashed(tmp_path: Path) -> None:
    result, _ = await run(script(tmp_path, "import os; os.kill(os.getpid(), 11)\n"))
    assert result.outcome is CheckState.CRASHED
    assert "SIGSEGV" in result.message


async def test_there_is_no_terminal_no_input_and_no_secret(tmp_path: Path) -> None:
    code = """
import os, sys
print(repr(sys.stdin.read()), sys.stdout.isatty(), os.environ["CI"])
print(sorted(name for name in os.environ if name.startswith("T_")))
try:
    open("/dev/tty")
    print("a terminal")
except OSError:
    print("no terminal")
"""
    env = dict(os.environ)
    env |= {"T_API_KEY": "x", "T_GITHUB_TOKEN": "x", "T_PASSWORD": "x", "T_COLOUR": "x"}
    pieces: list[str] = []
    result = await run_check(script(tmp_path, code), pieces.append, env=env)
    assert result.outcome is CheckState.PASSED
    assert "".join(pieces) == "'' False true\n['T_COLOUR']\nno terminal\n"


async def test_output_is_bounded_and_bad_bytes_are_replaced(tmp_path: Path) -> None:
    code = f"""
import sys
sys.stdout.buffer.write("é".encode()[:1])
sys.stdout.buffer.flush()
sys.stdout.buffer.write("é".encode()[1:] + b"\\xff")
for _ in range({STREAMED // 1024 + 200}):
    sys.stdout.buffer.write(b"x" * 1024)
print("the end")
"""
    result, shown = await run(script(tmp_path, code))
    assert shown.startswith("é\ufffdxxx")
    assert shown.endswith(CUT_NOTE)
    assert len(shown) < STREAMED + 200_000
    assert len(result.tail) == TAIL
    assert result.tail.endswith("the end\n")


async def test_when_orchestra_is_killed_the_check_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "check_script.py").write_text(HANG)
    code = f"""
import asyncio, sys
from pathlib import Path
from orchestra_tui.engine.checks import Check, run_check
check = Check(
    name="x", framework="make", argv=(sys.executable, "check_script.py"),
    cwd=Path({str(tmp_path)!r}), why="",
)
asyncio.run(run_check(check, lambda text: print(text, end="", flush=True)))
"""
    orchestra = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    assert orchestra.stdout is not None
    assert await asyncio.wait_for(orchestra.stdout.readline(), 20) == b"hanging\n"
    handles = [os.pidfd_open(pid) for pid in processes_in(tmp_path)]
    assert len(handles) >= 3
    orchestra.kill()
    await orchestra.wait()
    for handle in handles:
        ended, _, _ = await asyncio.to_thread(select.select, [handle], [], [], 20)
        assert ended == [handle]
        os.close(handle)
