"""Which files belong together: named in a text, imported, testing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.engine.agents.related import (
    MAX_NAMED,
    find_tests,
    imports_of,
    is_test,
    named_in,
    outline,
)

TREE = (
    ".github/workflows/ci.yml",
    "app/__init__.py",
    "app/api/__init__.py",
    "app/api/routes.py",
    "app/models.py",
    "app/my notes.md",
    "lib/util.py",
    "src/shop/__init__.py",
    "src/shop/cart.py",
    "web/index.ts",
    "web/ui/button.tsx",
    "web/ui/index.js",
    "web/util.mts",
)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Fix app/models.py.", ["app/models.py"]),
        ("Fix `models.py`, please", ["app/models.py"]),
        ("see ./app/models.py", ["app/models.py"]),
        ("(api/routes.py)", ["app/api/routes.py"]),
        ("in .github/workflows/ci.yml", [".github/workflows/ci.yml"]),
        ("read app/my notes.md first", ["app/my notes.md"]),
        ("models and routes", []),
        ("data_models.py or models.pyc", []),
        ("__init__.py", ["app/__init__.py", "app/api/__init__.py", "src/shop/__init__.py"]),
        ("", []),
    ],
)
def test_files_named_in_a_task(text: str, paths: list[str]) -> None:
    assert sorted(named_in(text, TREE)) == sorted(paths)


def test_a_name_that_many_files_share_names_none_but_an_exact_path_does() -> None:
    tree = [f"p{n}/conf.py" for n in range(10)] + ["conf.py"]
    assert named_in("change p3/conf.py", tree) == ("p3/conf.py",)
    assert named_in("change conf.py", tree) == ("conf.py",)
    assert named_in("change conf.py", tree[:-1]) == ()
    assert len(named_in(" ".join(tree), tree)) == 11
    assert len(
        named_in(" ".join(f"f{n}.py" for n in range(50)), [f"f{n}.py" for n in range(50)])
    ) == (MAX_NAMED)


@pytest.mark.parametrize(
    ("path", "text", "paths"),
    [
        ("main.py", "import app.models", ["app/models.py"]),
        ("main.py", "import os, app.models as m", ["app/models.py"]),
        ("main.py", "from app import models, api", ["app/models.py", "app/api/__init__.py"]),
        ("main.py", "from app import (\n    models,  # the data\n    x,\n)", ["app/models.py"]),
        ("main.py", "    from shop.cart import total", ["src/shop/cart.py"]),
        ("main.py", "import util", ["lib/util.py"]),
        ("app/api/routes.py", "from ..models import User", ["app/models.py"]),
        ("app/api/routes.py", "from .. import models", ["app/models.py", "app/__init__.py"]),
        ("app/api/routes.py", "from . import views", ["app/api/__init__.py"]),
        ("app/api/routes.py", "from ....x import y", []),
        ("app/api/routes.py", "import models", ["app/models.py"]),
        ("main.py", "import numpy\nfrom typing import Any\nx = 'import'", []),
        ("web/app.ts", "import { b } from './ui/button'", ["web/ui/button.tsx"]),
        ("web/app.ts", 'import "./ui"', ["web/ui/index.js"]),
        ("web/app.ts", "const u = require('./util.mjs')", ["web/util.mts"]),
        ("web/ui/button.tsx", "export * from '..'", ["web/index.ts"]),
        ("web/app.ts", "const x = await import('./ui/index.js')", ["web/ui/index.js"]),
        ("web/app.ts", "import x from 'react'; import y from '../../etc/passwd'", []),
        ("main.go", 'import "app/models"', []),
    ],
)
def test_imports_that_are_files_of_the_project(path: str, text: str, paths: list[str]) -> None:
    found = [
        one for one in imports_of(path, text, TREE) if one != "app/__init__.py" or one in paths
    ]
    assert found == paths


def test_a_package_comes_with_what_is_imported_from_it() -> None:
    found = imports_of("main.py", "from app import models", TREE)
    assert found == ("app/models.py", "app/__init__.py")


@given(st.text(), st.sampled_from(["a.py", "web/a.ts", "app/api/x.py"]))
def test_any_text_resolves_to_listed_files_only(text: str, path: str) -> None:
    for found in (
        imports_of(path, f"from {text} import x\nimport '{text}'", TREE),
        named_in(text, TREE),
    ):
        assert set(found) <= set(TREE) - {path}


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("tests/test_cart.py", True),
        ("src/cart_test.go", True),
        ("src/cart.spec.ts", True),
        ("src/__tests__/cart.js", True),
        ("spec/cart_spec.rb", True),
        ("src/CartTest.java", True),
        ("tests/conftest.py", True),
        ("src/cart.py", False),
        ("src/contest.py", False),
        ("tests/Makefile", False),
    ],
)
def test_what_is_a_test(path: str, *, is_one: bool) -> None:
    assert is_test(path) is is_one


async def test_tests_are_found_by_name_first_and_then_by_a_mention() -> None:
    texts = {
        "cart.py": "",
        "tests/conftest.py": "nothing",
        "tests/test_all.py": "import cart",
        "tests/test_cart.py": "",
        "tests/test_cartoon.py": "cartoon only",
        "tests/test_other.py": "cart again",
    }
    opened: list[str] = []

    async def read(path: str) -> str | None:
        opened.append(path)
        return texts[path]

    listing = tuple(texts)
    found = await find_tests("cart.py", listing, read, limit=2)
    assert found == ("tests/test_cart.py", "tests/test_all.py")
    assert opened == ["tests/conftest.py", "tests/test_all.py"]
    assert await find_tests("tests/test_cart.py", listing, read, limit=2) == ()
    found = await find_tests("cart/__init__.py", listing, read, limit=9)
    assert found == ("tests/test_cart.py", "tests/test_all.py", "tests/test_other.py")


def test_an_outline_is_the_lines_that_begin_definitions() -> None:
    text = (
        "import x\nclass A:\n    async def f(self):\n        return 1\nexport const b = 2\n# def g"
    )
    assert outline(text) == "class A:\n    async def f(self):\nexport const b = 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "from x import (\n" * 20_000,
        "from" + " " * 200_000 + "!",
        "from " + "." * 200_000 + "!",
        "require" + " " * 200_000 + "'",
        "from './" * 50_000,
        "import " + "a, " * 100_000,
        " " * 200_000 + "\n",
        "export " * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_file_takes_no_quadratic_time(text: str) -> None:
    """Unbounded, each of these takes minutes; the suite's time limit is the judge."""
    assert imports_of("a.py", text, TREE) == ()
    assert imports_of("a.ts", text, TREE) == ()
    assert outline(text) == ""
    assert named_in(text, TREE) == ()
