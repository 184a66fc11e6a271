"""The hook that pre-commit reads: its command line is one that the program understands."""

import re
import tomllib
from pathlib import Path

from tests.e2e.program import REPOSITORY, git, orchestra

HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"


def value(name: str) -> str:
    found = re.search(rf"^\W*{name}: (.+)$", HOOKS.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


async def test_the_hook_finds_what_is_staged(tmp_path: Path) -> None:
    program, *words = value("entry").split()
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts[program] == "orchestra_tui.cli:main"
    arguments = re.findall(r'"([^"]+)"', value("args"))
    assert arguments == ["--staged"]
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("def f(:\n")
    git(tmp_path, "add", ".")
    finished = await orchestra(*words, *arguments, "a.py", cwd=tmp_path)
    assert finished.code == 1
    assert finished.out.startswith("a.py:1:")
