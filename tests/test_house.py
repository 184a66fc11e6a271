"""The rules of the house that no linter knows: sizes, doors, weight, and foreign text.

The rule a reader must not break: a rule that has to bend is argued in docs/adr/, not allowed here.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "orchestra_tui"
DOORS = ("screens", "widgets", "styles")
MAX_LINES = 400
MAX_LINES_OF = {"orchestra_tui/app.py": 250}
TEXT_SINKS = frozenset({"Static", "Label", "notify"})
THE_ONE_SINK = "orchestra_tui/widgets/plain_static.py"
HEAVY = ("aiosqlite", "httpx", "pydantic", "pygit2", "rich", "textual", "tree_sitter", "watchdog")


def _sources(*folders: Path) -> list[Path]:
    found = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [path for path in found if "fixtures" not in path.relative_to(ROOT).parts]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_too_long() -> None:
    """A file of more than 400 lines is two rooms that share a door."""
    sizes = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in _sources(PACKAGE, ROOT / "tests", ROOT / "benchmarks")
    }
    assert sizes
    too_long = {
        name: size for name, size in sizes.items() if size > MAX_LINES_OF.get(name, MAX_LINES)
    }
    assert too_long == {}


@pytest.mark.parametrize("door", DOORS)
def test_door_leads_into_the_package(door: str) -> None:
    """The links at the top level show the rooms people look for; they hold nothing."""
    entry = subprocess.run(
        ["git", "ls-files", "--stage", "--", door],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if entry.returncode == 0 and entry.stdout:
        assert entry.stdout.startswith("120000 "), "the door is committed as a link"
    elif not (ROOT / door).is_symlink():
        pytest.skip("an unpacked sdist has no doors")
    if (ROOT / door).is_symlink():
        assert (ROOT / door).readlink() == Path("orchestra_tui", door)
        assert (ROOT / door).is_dir()


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def test_nothing_imports_through_a_door() -> None:
    """`import screens` would load a second copy of every module with classes of its own."""
    through = [
        f"{_name(path)}: {name}"
        for path in _sources(PACKAGE, ROOT / "tests")
        for name in _imported(ast.parse(path.read_bytes()))
        if name.split(".")[0] in DOORS
    ]
    assert through == []


def _loaded_by(module: str, names: tuple[str, ...]) -> set[str]:
    program = (
        f"import sys, {module}\n"
        f"print(*set({names!r}).intersection(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_engine_loads_no_user_interface() -> None:
    """Also not sideways: a dependency of a dependency that brings rich in is seen here."""
    assert _loaded_by("orchestra_tui.engine.runtime", ("rich", "textual")) == set()


def test_the_entry_point_is_light() -> None:
    """`orchestra --help` must not pay for the app; each command imports what it needs."""
    assert _loaded_by("orchestra_tui.cli", HEAVY) == set()


def test_the_weight_test_sees_what_is_loaded() -> None:
    """The two tests above rest on this: a module that is there is reported."""
    assert _loaded_by("textual.content", ("rich", "textual", "pygit2")) == {"rich", "textual"}


def _markup_risks(source: str) -> list[int]:
    """Lines that hand a computed str to a widget that would read it as markup.

    A literal is ours; `Content(...)`, `Text(...)` and `clean_content(...)` are no markup; a call
    with `markup=False` does not parse. Everything else may hold a model's or a file's text, where
    `[@click=...]` would run an action.
    """
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in TEXT_SINKS and not _is_safe(node):
            lines.append(node.lineno)
    return sorted(lines)


def _is_safe(call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg == "markup":
            return isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    texts = [*call.args[:1], *(word.value for word in call.keywords if word.arg in {"content"})]
    return all(_is_own_text(text) for text in texts)


def _is_own_text(text: ast.expr) -> bool:
    match text:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="Content" | "Text")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="Content"), attr=name)):
            return name != "from_markup"
        case ast.IfExp(body=body, orelse=orelse):
            return _is_own_text(body) and _is_own_text(orelse)
        case _:
            return False


def test_foreign_text_is_never_markup() -> None:
    """Outside one widget no computed str reaches Static, Label or notify with markup on."""
    risks = [
        f"{_name(path)}:{line}"
        for path in _sources(PACKAGE)
        if _name(path) != THE_ONE_SINK
        for line in _markup_risks(path.read_text(encoding="utf-8"))
    ]
    assert risks == []


@pytest.mark.parametrize(
    ("source", "is_risky"),
    [
        ("Static('ready')", False),
        ("Static()", False),
        ("Static(text)", True),
        ("Static(f'{path} done')", True),
        ("Label(content=text)", True),
        ("widgets.Label(text, id='x')", True),
        ("self.notify(str(error))", True),
        ("self.notify(str(error), markup=False)", False),
        ("self.notify(str(error), markup=True)", True),
        ("Static(Content(clean(text)))", False),
        ("Static(Content.from_markup(text))", True),
        ("Static('on' if flag else text)", True),
    ],
)
def test_the_markup_test_knows_a_risk(source: str, *, is_risky: bool) -> None:
    """The planted lines that the rule above must and must not report."""
    assert bool(_markup_risks(source)) is is_risky
