"""The package as a stranger gets it: sdist -> wheel -> an empty environment -> another folder.

The rule a reader must not break: the program under test is the installed one, never the checkout;
only the dependencies are borrowed from the environment the tests run in.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOOK = """
import importlib.resources, pathlib, orchestra_tui
inside = importlib.resources.files("orchestra_tui")
print(pathlib.Path(orchestra_tui.__file__).resolve())
print(*sorted(f.name for f in inside.joinpath("styles").iterdir() if f.name.endswith(".tcss")))
print(*sorted(f.name for f in inside.joinpath("engine/agents/prompts").iterdir()))
"""


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from it, not from the checkout."""
    target = tmp_path_factory.mktemp("built")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT, cwd=target)
    return target


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of an empty environment that holds the wheel."""
    home = tmp_path_factory.mktemp("empty") / "env"
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    (wheel,) = built.glob("*.whl")
    _run(
        *(sys.executable, "-m", "pip", "--python", python, "install"),
        *("--no-deps", "--no-index", "--disable-pip-version-check", wheel),
        cwd=home,
    )
    return scripts


def _borrowed() -> dict[str, str]:
    """An environment that finds the dependencies of this one, but not the checkout.

    PYTHONPATH does not read the .pth file that an editable install leaves there.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": sysconfig.get_path("purelib")}


def test_the_sdist_follows_no_door(built: Path) -> None:
    """The links at the top level would carry three rooms twice."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"orchestra_tui", "tests", "pyproject.toml", "LICENSE", "README.md"} <= tops
    assert tops.isdisjoint({"screens", "widgets", "styles"})


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    """One import root; the licence is in the metadata."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    roots = {name.split("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"orchestra_tui"}
    assert any(name.endswith("/LICENSE") for name in names)
    assert any(name == "orchestra_tui/py.typed" for name in names)


def test_the_installed_program_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """Both commands are there and say the version, far from the checkout."""
    version = _run(installed / "orchestra", "--version", cwd=tmp_path, env=_borrowed())
    assert version.strip()
    again = _run(installed / "orchestra-tui", "--version", cwd=tmp_path, env=_borrowed())
    assert again == version


def test_the_installed_package_finds_its_sheets_and_prompts(
    installed: Path, tmp_path: Path
) -> None:
    """Every sheet and prompt of the checkout is in the installed package."""
    said = _run(installed / "python", "-c", LOOK, cwd=tmp_path, env=_borrowed())
    where, sheets, prompts = said.splitlines()
    assert Path(where).is_relative_to(installed.parent.resolve())
    package = ROOT / "orchestra_tui"
    assert sheets.split() == sorted(path.name for path in package.glob("styles/*.tcss"))
    expected = {path.name for path in package.glob("engine/agents/prompts/*.md")}
    assert expected
    assert expected <= set(prompts.split())
