"""Python projects: which interpreter is the project's own, and pytest or unittest.

The rule a reader must not break: the project's interpreter runs the project's tests, never the
one that Orchestra happens to be installed in, unless there is no other.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestra_tui.engine.checks.listing import Listing, section
from orchestra_tui.engine.checks.model import Check

PROBE_SECONDS = 20
_PROBE = (
    "import sys; sys.path = [p for p in sys.path if p]; import importlib.util; "
    "sys.exit(0 if importlib.util.find_spec('pytest') else 9)"
)
_TESTS = ("test_*.py", "*_test.py")
_MARKS = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "requirements.txt",
)


@dataclass(frozen=True)
class Interpreter:
    """A command that runs Python for this project, and how it was found."""

    argv: tuple[str, ...]
    why: str


def python_checks(listing: Listing) -> list[Check]:
    """pytest where the project asks for it or can run it, else unittest; [] if no tests."""
    tests = listing.matching(*_TESTS)
    asked = _asks_for_pytest(listing, tests)
    if not tests and asked is None:
        return []
    python = find_interpreter(listing)
    if _has_pytest(python, listing.root):
        return [_pytest(listing, python, asked or f"{len(tests)} test files, pytest is installed")]
    if asked is not None:
        # Running unittest over tests that import pytest would blame the code for a missing tool.
        return [_pytest(listing, python, f"{asked}; it is not installed for {python.why}")]
    return [_unittest(listing, python, tests)]


def find_interpreter(listing: Listing) -> Interpreter:
    """The project's interpreter: its own environment first, then the tool that makes one."""
    for folder in (".venv", "venv", "env"):
        for inner in ("bin/python", "Scripts/python.exe"):
            path = listing.root / folder / inner
            if path.is_file():
                return Interpreter((str(path),), f"the project's {folder}")
    if tool := _environment_tool(listing):
        return tool
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = os.environ.get(variable)
        path = Path(prefix or "/nonexistent") / ("python.exe" if os.name == "nt" else "bin/python")
        if prefix and path.is_file():
            return Interpreter((str(path),), f"the active environment ({variable})")
    for name in ("python3", "python"):
        if found := shutil.which(name):
            return Interpreter((found,), f"{name} on the PATH")
    return Interpreter((sys.executable,), "the interpreter of Orchestra itself")


def _environment_tool(listing: Listing) -> Interpreter | None:
    tool = section(listing.toml("pyproject.toml"), "tool")
    # uv keeps its environment in .venv; `uv run` would make or change one, so it is not used.
    for name, lock in (("poetry", "poetry.lock"), ("pdm", "pdm.lock"), ("pipenv", "Pipfile.lock")):
        is_used = listing.has(lock) or (name == "poetry" and "poetry" in tool)
        if is_used and shutil.which(name):
            return Interpreter((name, "run", "python"), f"{name}'s environment")
    return None


def _asks_for_pytest(listing: Listing, tests: tuple[str, ...]) -> str | None:
    """What says that the project uses pytest, or None."""
    if listing.has("pytest.ini", ".pytest.ini"):
        return "pytest.ini"
    tool = section(listing.toml("pyproject.toml"), "tool")
    if "pytest" in tool:
        return "[tool.pytest] in pyproject.toml"
    if "[tool:pytest]" in listing.text("setup.cfg"):
        return "[tool:pytest] in setup.cfg"
    if "[pytest]" in listing.text("tox.ini"):
        return "[pytest] in tox.ini"
    for path in tests[:50]:
        if "import pytest" in listing.text(path) or "from pytest" in listing.text(path):
            return f"{path} imports pytest"
    return None


def _has_pytest(python: Interpreter, root: Path) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own argv, no shell
            [*python.argv, "-c", _PROBE],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _pytest(listing: Listing, python: Interpreter, why: str) -> Check:
    return Check(
        name="pytest",
        framework="pytest",
        # The cache goes to the run's own folder: `-p no:cacheprovider` would break `--lf` users.
        argv=(*python.argv, "-m", "pytest", "-o", "cache_dir=$CHECK_TMP/pytest", "--color=no"),
        cwd=listing.root,
        why=f"{why} ({python.why})",
        env=_source_path(listing),
    )


def _unittest(listing: Listing, python: Interpreter, tests: tuple[str, ...]) -> Check:
    return Check(
        name="unittest",
        framework="unittest",
        argv=(*python.argv, "-m", "unittest", "discover", *_start(listing, tests)),
        cwd=listing.root,
        why=f"{len(tests)} test files, pytest is not installed ({python.why})",
        env=_source_path(listing),
    )


def _start(listing: Listing, tests: tuple[str, ...]) -> tuple[str, ...]:
    """Where discovery starts: it does not enter folders that are no packages."""
    pattern = (
        "test_*.py" if any(PurePosixPath(t).match("test_*.py") for t in tests) else "*_test.py"
    )
    tops = sorted({PurePosixPath(path).parts[0] for path in tests if "/" in path})
    at_root = any("/" not in path for path in tests)
    if at_root or len(tops) != 1 or listing.has(f"{tops[0]}/__init__.py"):
        return ("-p", pattern)
    return ("-s", tops[0], "-p", pattern)


def _source_path(listing: Listing) -> tuple[tuple[str, str], ...]:
    """PYTHONPATH for the src layout, so that the tests see the working tree."""
    in_src = [path for path in listing.paths if path.startswith("src/") and path.endswith(".py")]
    return (("PYTHONPATH", str(listing.root / "src")),) if in_src else ()
