"""The import contracts are alive: in a copy of the package, each planted violation is reported.

The rule a reader must not break: a new contract in pyproject.toml gets a planted line here.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PLANTED = {
    "The house: each floor knows only the floors below": (
        "widgets/__init__.py",
        "import orchestra_tui.screens",
    ),
    "The engine: from the one entrance down to the rooms that touch the world": (
        "engine/store/__init__.py",
        "import orchestra_tui.engine.event_log",
    ),
    "The user interface never imports the engine": (
        "screens/__init__.py",
        "import orchestra_tui.engine.event_log",
    ),
    "The engine and the domain know no terminal": ("engine/event_log.py", "import rich.text"),
    "The domain is pure": ("domain/ids.py", "import asyncio"),
    "Screens do not know each other": (
        "screens/planted_one.py",
        "import orchestra_tui.screens.planted_two",
    ),
    "Only the adapters talk HTTP": ("engine/event_log.py", "import httpx"),
    "Only the adapters speak the Agent Client Protocol": ("engine/event_log.py", "import acp"),
    "Only the adapters know list prices": ("engine/event_log.py", "import genai_prices"),
    "Only the store opens a database": ("engine/event_log.py", "import sqlite3"),
    "Only the git room loads libgit2": ("engine/event_log.py", "import pygit2"),
    "Only the room of keys reads them": ("engine/event_log.py", "import dotenv"),
    "Only validation loads grammars": ("engine/event_log.py", "import tree_sitter"),
    "Only the workspace watches files": ("engine/event_log.py", "import watchdog.events"),
}


def _copy(target: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", target)
    shutil.copytree(
        ROOT / "orchestra_tui",
        target / "orchestra_tui",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return target


def _broken(project: Path) -> set[str]:
    """The names of the contracts that do not hold in this project."""
    program = (
        "import sys; sys.path.insert(0, '.');"
        "from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    found = set(re.findall(r"^(.+?) BROKEN\b", done.stdout, flags=re.MULTILINE))
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    assert (done.returncode != 0) == bool(found)
    return found


def test_every_contract_has_a_planted_line() -> None:
    """A contract nobody has seen fail may be one that cannot fail."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(PLANTED)


@pytest.mark.parametrize("contract", sorted(PLANTED))
def test_the_contract_reports_the_planted_line(contract: str, tmp_path: Path) -> None:
    """Only this line is wrong, so the contract that reports it is the one that holds it."""
    project = _copy(tmp_path)
    place, line = PLANTED[contract]
    for name in ("planted_one", "planted_two"):
        (project / "orchestra_tui/screens" / f"{name}.py").write_text('"""Planted."""\n')
    with (project / "orchestra_tui" / place).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert contract in _broken(project)


def test_the_checkout_keeps_every_contract() -> None:
    """The same check as `lint-imports`, so that a plain pytest run sees it too."""
    assert _broken(ROOT) == set()
