"""Definitions that are gone and still needed: found by name, by user, and through a whole run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.settings import Mode
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.agents.users import family, uses_in
from orchestra_tui.engine.validation import PlanHint
from orchestra_tui.engine.validation.definitions import gone_names
from tests.engine.engine_house import house
from tests.stubs.scripted_agents import question, whole_file

OLD = {
    "a.py": "import os\n\nLIMIT = 3\n\n\ndef keep():\n    pass\n\n\n@dec\nclass Gone:\n    pass\n",
    "a.ts": "export const keep = 1, LIMIT = 2;\nexport default class Gone {}\n",
    "a.js": "export function keep() {}\nexport { LIMIT, Gone } from './b';\n",
    "a.go": "package p\n\nfunc keep() {}\n\nconst LIMIT = 1\n\ntype Gone struct{}\n",
    "a.rs": "pub fn keep() {}\npub const LIMIT: u8 = 1;\npub struct Gone;\n",
    "a.c": "int keep(void) { return 0; }\nint LIMIT = 3;\nstruct Gone { int a; };\n",
    "a.java": "class keep {}\nclass LIMIT {}\ninterface Gone {}\n",
    "a.rb": "def keep\nend\nLIMIT = 1\nclass Gone\nend\n",
}
NEW = {
    "a.py": "import os\n\n\ndef keep():\n    return Gone\n",
    "a.ts": "export const keep = 1;\n",
    "a.js": "export function keep() { return LIMIT; }\n",
    "a.go": "package p\n\nfunc keep() {}\n",
    "a.rs": "pub fn keep() {}\n",
    "a.c": "int keep(void) { return 0; }\n",
    "a.java": "class keep {}\n",
    "a.rb": "def keep\nend\n",
}


@pytest.mark.parametrize("path", sorted(OLD))
def test_top_level_names_that_are_gone_are_found(path: str) -> None:
    assert {one.name for one in gone_names(path, NEW[path], OLD[path])} == {"LIMIT", "Gone"}
    assert gone_names(path, OLD[path], OLD[path]) == ()
    assert gone_names(path, OLD[path], NEW[path]) == ()


@pytest.mark.parametrize(
    "new",
    [
        "from b import keep, LIMIT as LIMIT, Gone\n",
        "from b import (\n    keep,\n    LIMIT,\n    Gone,\n)\n",
        "from b import *\n",
        "if x:\n    def keep(): pass\n    LIMIT, Gone = 1, 2\n",
        "try:\n    from b import keep, LIMIT\nexcept E:\n    keep = LIMIT = 1\nGone: int = 1",
    ],
)
def test_a_name_that_is_known_in_another_way_is_not_gone(new: str) -> None:
    assert gone_names("a.py", new, OLD["a.py"]) == ()


def test_what_is_no_code_has_no_names() -> None:
    for path in ("a.md", "a.json", "a.yaml", "a.txt", "a.css"):
        assert gone_names(path, "", "def keep():\n    pass\n") == ()


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("tests/test_a.py", "import pytest\nfrom pkg.a import other, gone\n", 2),
        ("tests/test_a.py", "from pkg.a import (\n    other,\n    gone as g,\n)\n", 3),
        ("pkg/b.py", "from .a import gone\n", 1),
        ("pkg/b.py", "from . import a\n\na.gone()\n", 3),
        ("pkg/b.py", "import pkg.a as mod\n\n\nx = mod.gone\n", 4),
        ("pkg/b.py", "from pkg.a import other\ngone()\n", None),
        ("pkg/b.py", "import subprocess, pkg.a\nsubprocess.gone()\n", None),
        ("pkg/b.py", "from elsewhere import gone\n", None),
        ("pkg/b.py", "# gone\nimport pkg.a\n", None),
        ("pkg/b.py", "from pkg.a import gone_too\n", None),
    ],
)
def test_python_users_are_those_whose_import_leads_here(
    path: str, text: str, line: int | None
) -> None:
    found = uses_in(path, text, names=["gone"], target="pkg/a.py")
    assert [(use.line, use.is_proven) for use in found] == ([(line, True)] if line else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import { other, gone } from './a'\n", 1),
        ("import {\n  other,\n  gone as g,\n} from '../src/a.js'\n", 3),
        ("import * as mod from './a'\n\nmod.gone()\n", 3),
        ("const { gone } = require('./a')\n", 1),
        ("const mod = require('./a')\nmod.gone()\n", 2),
        ("export { gone } from './a'\n", 1),
        ("import { gone } from './b'\n", None),
        ("import { other } from './a'\nx.gone()\n", None),
    ],
)
def test_script_users_are_those_whose_import_leads_here(text: str, line: int | None) -> None:
    found = uses_in("src/user.ts", text, names=["gone"], target="src/a.ts")
    assert [(use.line, use.is_proven) for use in found] == ([(line, True)] if line else [])


def test_in_other_languages_a_telling_name_is_a_hint_only() -> None:
    text = "package p\n\nfunc main() { parseConfig() }\n"
    [use] = uses_in("main.go", text, names=["parseConfig"], target="config.go")
    assert (use.line, use.is_proven) == (3, False)
    assert uses_in("main.go", text, names=["main"], target="config.go") == ()
    own = "package p\n\nfunc parseConfig() {}\n"
    assert uses_in("main.go", own, names=["parseConfig"], target="config.go") == ()
    assert family("a.md") == ()


def test_hostile_text_is_searched_in_bounded_time() -> None:
    text = ("from " + "." * 400 + " import (" + "x, " * 3000 + "\n") * 50 + "import {" * 20_000
    assert uses_in("b.py", text + "gone", names=["gone"], target="a.py") == ()
    assert uses_in("b.ts", text + "gone", names=["gone"], target="a.ts") == ()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Rename old_name to new_name", True),
        ("old_name is now called fresh", True),
        ("Remove old_name", True),
        ("Move old_name to util.py", True),
        ("Do not rename old_name", False),
        ("Make old_name faster. Remove the cache.", False),
    ],
)
def test_a_plan_may_take_a_name_away(words: str, expected: bool) -> None:
    assert PlanHint(words=words).takes_away("old_name") is expected


LIBRARY = "def area(w, h):\n    return w * h\n\n\ndef volume(w, h, d):\n    return w * h * d\n"
WITHOUT = "def volume(w, h, d):\n    return w * h * d * 1\n"
TESTS = "from shapes import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
FIXED_TESTS = TESTS.replace("area", "size")
FILES = {"shapes.py": LIBRARY, "test_shapes.py": TESTS, "README.md": "# Shapes\n"}


def script(plan: list[dict[str, object]], replies: dict[str, list[str]]) -> Callable[[bytes], str]:
    """Agents that follow `plan`; each step's replies in turn, the last one again and again."""

    def reply(body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            return json.dumps(
                {"summary": "s", "steps": plan, "checks": [], "commit_message": "m", "end": True}
            )
        if "The step under review" in prompt:
            return json.dumps({"verdict": "pass", "issues": [], "end": True})
        path = str(next(one["path"] for one in plan if one["id"] == step))
        texts = replies[step]
        return whole_file(path, texts.pop(0) if len(texts) > 1 else texts[0])

    return reply


def step(name: str, path: str, purpose: str, *waits: str) -> dict[str, object]:
    return {
        "id": name,
        "path": path,
        "change": "modify",
        "purpose": purpose,
        "depends_on": list(waits),
    }


async def test_a_reply_that_loses_what_a_test_imports_never_reaches_the_disk(
    tmp_path: Path,
) -> None:
    agents = script([step("s1", "shapes.py", "Make volume faster")], {"s1": [WITHOUT, LIBRARY]})
    async with house(tmp_path, script=agents, files=FILES) as h:
        await h.to_review(mode=Mode.SEQUENTIAL)
        refused = [event for event in h.events if isinstance(event, ev.ReplyRefused)]
        assert len(refused) == 1
        [lost] = [one for one in refused[0].diagnostics if one.kind == "lost-definition"]
        assert lost.message == "area is gone from the file, but test_shapes.py:1 needs it"
        assert "from shapes import area" in lost.evidence
        assert h.text("shapes.py") == LIBRARY


@pytest.mark.parametrize(
    "plan",
    [
        [step("s1", "shapes.py", "Rename area to size, make volume faster")],
        [step("s1", "shapes.py", "Drop area(), which nobody needs")],
        [
            step("s1", "shapes.py", "Make volume faster"),
            step("s2", "test_shapes.py", "Test size", "s1"),
        ],
    ],
)
async def test_what_the_plan_takes_away_or_a_later_step_mends_is_let_pass(
    plan: list[dict[str, object]], tmp_path: Path
) -> None:
    agents = script(plan, {"s1": [WITHOUT], "s2": [FIXED_TESTS]})
    async with house(tmp_path, script=agents, files=FILES) as h:
        await h.to_review(mode=Mode.SEQUENTIAL)
        assert h.text("shapes.py") == WITHOUT
        assert h.run.steps[StepId("s1")].status is StepStatus.ACCEPTED
        assert not h.of(ev.ReplyRefused)
