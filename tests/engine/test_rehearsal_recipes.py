"""Every recipe is real: its tests fail with the planted flaw and pass once it is fixed."""

import ast
import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.plan import plan_problems
from orchestra_tui.domain.review import Severity, Verdict
from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.rehearsal import build_rehearsal
from orchestra_tui.engine.adapters.rehearsal.audit import audit_text
from orchestra_tui.engine.adapters.rehearsal.recipe import (
    LABEL,
    FileKind,
    Recipe,
    RecipeFile,
    best_recipe,
    load_recipes,
)
from orchestra_tui.engine.adapters.rehearsal.stand_in import stand_in_recipe
from orchestra_tui.engine.validation.validator import validate
from tests.engine.rehearsal_asking import audited, fixed, plan_for, written

RECIPES = load_recipes()
STAND_IN_TASK = 'rewrite the "billing"\nservice in Rust, mañana 🎉 `rm -rf`'
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def task_of(recipe: Recipe) -> str:
    return f"please write {recipe.keywords[0]}" if recipe.keywords else STAND_IN_TASK


async def run_python(folder: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-B", *arguments, cwd=folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode("utf-8", "replace")


def put(folder: Path, path: str, text: str) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


@every_recipe
async def test_the_flaw_fails_the_tests_and_the_fix_passes_them(
    recipe: Recipe, tmp_path: Path
) -> None:
    task, adapter = task_of(recipe), build_rehearsal(Scenario.CALM, rate=None)
    plan = await plan_for(adapter, task)
    assert not plan_problems(plan)
    for step in plan.steps:
        put(tmp_path, step.path, await written(adapter, task, step.path))

    code, output = await run_python(tmp_path, "-m", "unittest")
    assert code == 1, output
    assert "FAILED" in output

    for step in plan.steps:
        text = (tmp_path / step.path).read_text("utf-8")
        if (await audited(adapter, task, step.path, text)).verdict is Verdict.ISSUES:
            put(tmp_path, step.path, await fixed(adapter, task, step.path, text))
    await adapter.close()

    for file in recipe.files:
        if file.kind is FileKind.IMPLEMENTATION and recipe.keywords:
            assert (tmp_path / file.path).read_text("utf-8") == file.source
    code, output = await run_python(tmp_path, "-m", "unittest")
    assert code == 0, output
    assert "OK" in output
    for file in recipe.files:
        if file.path.startswith("examples/"):
            module = file.path.removesuffix(".py").replace("/", ".")
            code, output = await run_python(tmp_path, "-m", module)
            assert (code, bool(output)) == (0, True), output


async def test_all_recipes_live_in_one_project_and_pytest_runs_them_too(tmp_path: Path) -> None:
    for file in all_files():
        put(tmp_path, file.path, file.source)
    code, output = await run_python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert code == 0, output
    assert "passed" in output


@every_recipe
def test_a_recipe_is_made_of_the_parts_that_the_scenarios_need(recipe: Recipe) -> None:
    by_kind = {kind: [f for f in recipe.files if f.kind is kind] for kind in FileKind}
    assert len(by_kind[FileKind.IMPLEMENTATION]) == 1
    assert len(by_kind[FileKind.TESTS]) == 1
    assert len(by_kind[FileKind.LEAF]) == 1
    needed = {dependency for file in recipe.files for dependency in file.depends_on}
    assert by_kind[FileKind.LEAF][0].id not in needed
    for file in recipe.files:
        is_flawed = file.kind in {FileKind.IMPLEMENTATION, FileKind.LEAF}
        assert (file.flaw is not None) is is_flawed
        assert LABEL in file.source.splitlines()[0]
        assert file.source.endswith("\n")
        assert max(len(line) for line in file.source.splitlines()) <= 100


@every_recipe
def test_a_flaw_can_be_planted_and_taken_out_again(recipe: Recipe) -> None:
    for file in recipe.files:
        if file.flaw is None:
            continue
        assert file.source.count(file.flaw.good) == 1
        assert file.flaw.bad not in file.source
        assert file.flawed.count(file.flaw.bad) == 1
        assert file.flawed.replace(file.flaw.bad, file.flaw.good) == file.source
        whole_lines = f"\n{file.flawed}"
        assert f"\n{file.flaw.bad}\n" in whole_lines, "an edit replaces whole lines"


def all_files() -> list[RecipeFile]:
    return [file for recipe in RECIPES for file in recipe.files]


@pytest.mark.parametrize("file", all_files(), ids=lambda file: file.path)
def test_the_auditor_finds_the_flaw_in_the_bytes_and_nothing_else(file: RecipeFile) -> None:
    assert audit_text(file.path, file.source) == ()
    if file.flaw is None:
        return
    found = audit_text(file.path, file.flawed)
    assert len(found) == 1
    assert found[0].severity.rank >= Severity.ERROR.rank
    planted = file.flawed[: file.flawed.index(file.flaw.bad)].count("\n") + 1
    assert abs((found[0].line or 0) - planted) <= 8, "the finding points at the flaw"


@pytest.mark.parametrize("file", all_files(), ids=lambda file: file.path)
def test_the_gate_lets_every_text_through_so_that_the_auditor_gets_to_see_it(
    file: RecipeFile,
) -> None:
    for text in (file.source, file.flawed):
        assert not validate(file.path, text).is_hard
    assert not validate(file.path, file.source, file.flawed).is_hard


NASTY = st.sampled_from(
    ["```", "<!--", "[a]()", "# ... rest of the code", "=== END FILE", "<<<<<<< HEAD", "\\", "'",
     '"""', "\ud800", "\x1b[31m", "\u202e", "TODO", "{", "| a |", "@TASK@"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(NASTY).map(" ".join), st.lists(NASTY).map("\n".join)))
def test_whatever_the_task_its_stand_in_is_sound(task: str) -> None:
    template = next(recipe for recipe in RECIPES if not recipe.keywords)
    for file in stand_in_recipe(template, task).files:
        assert audit_text(file.path, file.source) == ()
        assert not validate(file.path, file.source).is_hard
        assert not validate(file.path, file.flawed).is_hard
        assert file.source.encode()


@pytest.mark.parametrize(
    "file", [f for f in all_files() if f.path.endswith(".py")], ids=lambda file: file.path
)
def test_the_code_needs_only_the_oldest_python_we_support(file: RecipeFile) -> None:
    tree = ast.parse(file.source, feature_version=(3, 11))
    assert ast.get_docstring(tree)
    ours = {f.path.removesuffix(".py").split("/")[0] for f in all_files()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            root = module.split(".")[0]
            assert root in sys.stdlib_module_names or root in ours


def test_the_named_tasks_are_there() -> None:
    tasks = {
        "write slugify with tests": "slugify",
        "Write Slugify, please!": "slugify",
        "a word-count CLI": "word-count",
        "implement a stack": "stack",
        "convert CSV to JSON": "csv-to-json",
        "add a /health route": "health-route",
        "a linked change over several files": "inventory",
        "an LRU cache": "lru-cache",
        "convert celsius to fahrenheit": "temperature",
        "roman numerals": "roman",
        "a todo store in SQLite": "todo-store",
    }
    found = {task: best_recipe(task, RECIPES) for task in tasks}
    assert {task: recipe and recipe.name for task, recipe in found.items()} == tasks
    assert len(RECIPES) == len(tasks)


@pytest.mark.parametrize(
    "task", ["", "   ", "hello", "full-stack app", "rewrite it in Rust", "日本語で書いて", "🎉"]
)
def test_any_other_task_has_no_recipe(task: str) -> None:
    assert best_recipe(task, RECIPES) is None
