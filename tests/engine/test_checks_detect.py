"""Detection of the project's own tests, one fixture project per framework."""

import os
import sys
from pathlib import Path

import pytest

from orchestra_tui.engine.checks import detect_checks
from orchestra_tui.engine.checks.detect import NOTHING, detect
from orchestra_tui.engine.checks.listing import MAX_FILES, Listing

FIXTURES = Path(__file__).parent.parent / "fixtures" / "checks"


def environment(root: Path, *, python: str = sys.executable, isolated: bool = False) -> Path:
    """Give a project a `.venv` whose interpreter is `python` (a script: links lose the venv)."""
    path = root / ".venv" / "bin" / "python"
    path.parent.mkdir(parents=True)
    flags = "-S" if isolated else ""
    path.write_text(f'#!/bin/sh\nexec "{python}" {flags} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("project", "name", "argv"),
    [
        ("npm", "npm-test", ("npm", "test")),
        ("pnpm-vitest", "pnpm-test", ("pnpm", "test")),
        ("yarn-jest", "yarn-test", ("yarn", "test")),
        ("go", "go-test", ("go", "test", "./...")),
        ("cargo", "cargo-test", ("cargo", "test", "--no-fail-fast", "--color", "never")),
        ("maven", "maven", ("mvn", "--batch-mode", "--no-transfer-progress", "test")),
        ("gradle", "gradle", ("gradle", "test", "--console=plain", "--no-daemon")),
        ("dotnet", "dotnet-test", ("dotnet", "test", "Calc.Tests/Calc.Tests.csproj")),
        ("rspec", "rspec", ("rspec", "--no-color")),
        ("phpunit", "phpunit", ("phpunit", "--do-not-cache-result", "--colors=never")),
        ("make", "make-test", ("make", "test")),
    ],
)
async def test_each_framework_is_found_by_its_own_files(
    project: str, name: str, argv: tuple[str, ...]
) -> None:
    found = await detect_checks(FIXTURES / project)
    assert found.names == (name,)
    assert found.checks[0].argv == argv
    assert found.checks[0].cwd == (FIXTURES / project).resolve()
    assert found.checks[0].why in found.why


def test_pytest_runs_with_the_interpreter_of_the_project(tmp_path: Path) -> None:
    python = environment(tmp_path)
    (tmp_path / "test_a.py").write_text("def test_a():\n    pass\n")
    (check,) = detect(tmp_path).checks
    assert (check.name, check.argv[:3]) == ("pytest", (str(python), "-m", "pytest"))


def test_without_pytest_it_is_unittest(tmp_path: Path) -> None:
    python = environment(tmp_path, isolated=True)
    (tmp_path / "test_a.py").write_text("import unittest\n")
    (check,) = detect(tmp_path).checks
    assert check.name == "unittest"
    assert check.argv == (str(python), "-m", "unittest", "discover", "-p", "test_*.py")
    assert "pytest is not installed" in check.why


def test_a_project_that_needs_a_missing_pytest_is_not_run_with_something_else(
    tmp_path: Path,
) -> None:
    environment(tmp_path, isolated=True)
    (tmp_path / "test_a.py").write_text("import pytest\n")
    (check,) = detect(tmp_path).checks
    assert check.name == "pytest"
    assert "not installed" in check.why


def test_unittest_starts_where_discovery_can_enter(tmp_path: Path) -> None:
    environment(tmp_path, isolated=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("import unittest\n")
    assert detect(tmp_path).checks[0].argv[-4:] == ("-s", "tests", "-p", "test_*.py")
    (tmp_path / "tests" / "__init__.py").touch()
    assert detect(tmp_path).checks[0].argv[-3:] == ("discover", "-p", "test_*.py")


def test_nothing_found_is_said() -> None:
    found = detect(FIXTURES / "nothing")
    assert (found.names, found.why) == ((), NOTHING)


@pytest.mark.parametrize(
    "package",
    [
        '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
        '{"scripts": {"build": "tsc"}}',
        '{"scripts": []}',
        '{"scripts": {"test": 3}}',
        "[1]",
        "{not json",
        "",
    ],
)
def test_a_package_without_a_test_script_has_no_tests(tmp_path: Path, package: str) -> None:
    (tmp_path / "package.json").write_text(package)
    assert detect(tmp_path).names == ()


def test_several_frameworks_are_all_run_and_make_only_where_it_is_alone(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module a\n")
    (tmp_path / "package.json").write_text('{"scripts": {"test": "jest"}}')
    (tmp_path / "Makefile").write_text("test:\n\tgo test ./...\n")
    assert detect(tmp_path).names == ("npm-test", "go-test")


@pytest.mark.parametrize("text", ["build:\n\tcc a.c\n", "test := 1\n", "tests:\n\ttrue\n"])
def test_a_makefile_without_the_target_is_no_check(tmp_path: Path, text: str) -> None:
    (tmp_path / "Makefile").write_text(text)
    assert detect(tmp_path).names == ()


def test_projects_one_folder_down_are_found_and_named(tmp_path: Path) -> None:
    for folder, file in (("web", "package.json"), ("api", "go.mod")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text('{"scripts": {"test": "jest"}}')
    found = detect(tmp_path)
    assert found.names == ("api/go-test", "web/npm-test")
    assert found.checks[1].cwd == tmp_path.resolve() / "web"


def test_files_that_the_plan_will_create_decide_as_if_they_were_there(tmp_path: Path) -> None:
    environment(tmp_path)
    assert detect(tmp_path).names == ()
    assert detect(tmp_path, ["slug.py", "tests/test_slug.py"]).names == ("pytest",)


def test_the_source_layout_is_on_the_path(tmp_path: Path) -> None:
    environment(tmp_path)
    (tmp_path / "src" / "calc").mkdir(parents=True)
    (tmp_path / "src" / "calc" / "__init__.py").touch()
    (tmp_path / "test_a.py").touch()
    assert detect(tmp_path).checks[0].env == (("PYTHONPATH", str(tmp_path.resolve() / "src")),)


def test_the_wrapper_of_the_project_goes_before_the_tool_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "pom.xml").write_text("<project/>")
    wrapper = tmp_path / "mvnw"
    wrapper.write_text("#!/bin/sh\n")
    assert detect(tmp_path).checks[0].argv[0] == "mvn"
    wrapper.chmod(0o755)
    assert detect(tmp_path).checks[0].argv[0] == str(wrapper.resolve())


def test_the_listing_is_bounded_and_skips_what_is_not_the_project(tmp_path: Path) -> None:
    for folder in ("node_modules/a", ".git", "a/b/c/d/e/f"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "test_x.py").touch()
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MAX_FILES + 50):
        (many / f"{number}.txt").touch()
    os.symlink(tmp_path, tmp_path / "loop")
    listing = Listing(tmp_path)
    assert len(listing.paths) <= MAX_FILES
    assert listing.matching("test_*.py") == ()


def test_a_root_that_is_not_there_has_no_checks(tmp_path: Path) -> None:
    assert detect(tmp_path / "missing").names == ()
