"""The scripted Auditor: each rule finds its mistake, stays silent beside it, and never breaks."""

import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.review import Severity
from orchestra_tui.engine.adapters.rehearsal.audit import audit_text
from orchestra_tui.engine.adapters.rehearsal.audit.auditor import MAX_ISSUES

WRONG = [
    ("syntax", "def f(:\n    pass\n", 1),
    ("null byte", "x = 1\0\n", 1),
    ("result thrown away", "def f(s):\n    s.strip()\n    return s\n", 2),
    ("join thrown away", "def f(s):\n    ''.join(s)\n    return s\n", 2),
    ("shared default, changed", "def f(a=[]):\n    a.append(1)\n    return 1\n", 1),
    ("shared default, kept", "class A:\n    def __init__(self, a={}):\n        self.a = a\n", 2),
    ("shared keyword default", "def g(*, b=[]):\n    return b\n", 1),
    ("one pass", "def f(a):\n    for i in a:\n        print(i)\n        return i\n", 4),
    ("last item", "def f(a):\n    for i in range(len(a) - 1):\n        print(a[i])\n", 2),
    ("no return", "def f(a: int) -> int:\n    a + 1\n", 2),
    ("key twice", "D = {\n 'a': 1,\n 'a': 2,\n}\n", 3),
    ("SQL f-string", "def f(c, n):\n    c.execute(f\"select '{n}'\")\n", 2),
    ("SQL percent", "def f(c, n):\n    c.execute('select %s' % n)\n", 2),
    ("SQL plus", "def f(c, n):\n    c.execute('select ' + n)\n", 2),
    ("headers", "def f(s):\n    s.send_response(200)\n    s.wfile.write(b'')\n", 2),
    ("f forgotten", "def f(name):\n    print('hello {name}')\n", 2),
    ("bare except", "try:\n    x = 1\nexcept:\n    x = 2\n", 3),
    ("is literal", "def f(a):\n    return a is 'x'\n", 2),
    ("eval", "def f(a):\n    return eval(a)\n", 2),
    ("undefined", "def f():\n    return foo + 1\n", 2),
    ("unset", "class A:\n    def __init__(self):\n        self.x = 1\n    def f(self):\n"
     "        return self.y\n", 5),
    ("unused", "def f(a: int, b: int) -> int:\n    c = a\n    return c\n", 1),
    ("elided", "def f():\n    # ... rest of the code\n    return 1\n", 2),
]  # fmt: skip
RIGHT = [
    "def f(s):\n    return s.strip()\n",
    "import os\nfrom pathlib import Path\nPath('a').replace('b')\nos.replace('a', 'b')\n",
    "import threading\nthreading.Thread().join()\n",
    "def f(a=[]):\n    return len(a)\n",
    "def f(a):\n    for i in a:\n        if i:\n            return i\n    return None\n",
    "def f(a):\n    while True:\n        if a():\n            continue\n        break\n",
    "def f(a):\n    for i in range(len(a) - 1):\n        print(a[i], a[i + 1])\n",
    "def f() -> int:\n    raise NotImplementedError\n",
    "def f() -> 'None':\n    print(1)\n",
    "from typing import Protocol\nclass A(Protocol):\n    def f(self, a: int) -> int: ...\n",
    "def f() -> object:\n    yield 1\n",
    "D = {1: 'int', '1': 'str', 1.5: 'float'}\n",
    "def f(c, n):\n    c.execute('select ?', (n,))\n    c.execute('a' 'b')\n",
    "def f(name):\n    print('hello {name}'.format(name=name))\n    print(f'{name}')\n",
    "def f(name):\n    print('{other}', '{}', name)\n",
    "try:\n    x = 1\nexcept:\n    raise\n",
    "def f(a):\n    return a is None or a is True\n",
    "from os import *\nprint(getcwd())\n",
    "globals()['x'] = 1\nprint(x)\n",
    "match [1, 2]:\n    case [a, *b]:\n        a, b\n    case {'k': c, **d}:\n        c, d\n",
    "def f(x):\n    return [y for y in x if (z := y)] and z\n",
    "class A:\n    def __init__(self):\n        self.x = 1\n    def f(self):\n"
    "        return self.x, self.f, self.__dict__\n",
    "class Base:\n    def __init__(self):\n        self.x = 1\n    def f(self):\n"
    "        return self.y\nclass Sub(Base):\n    y = 1\n",
    "class A(Exception):\n    def f(self, a: int) -> int:\n        b = 1\n        return b\n",
    "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG])
def test_a_mistake_is_found_where_it_is(text: str, line: int) -> None:
    issues = [issue for issue in audit_text("a.py", text) if issue.severity is not Severity.INFO]
    assert [issue.line for issue in issues] == [line]
    assert issues[0].message
    assert issues[0].suggestion


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert audit_text("a.py", text) == ()


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("a.json", '{"a": 1}\n', []),
        ("a.json", '{"a": 1,\n}\n', [2]),
        ("a.json", "[" * 100_000 + "\n", [1]),
        ("a.toml", "a = 1\n", []),
        ("a.toml", "a = 1\na = 2\n", [2]),
        ("a.md", "# T\n\n```sh\nls\n```\n", []),
        ("a.md", "````md\n```\nx\n```\n````\n", []),
        ("a.md", "# T\n```sh\nls\n", [2]),
        ("a.md", "see [here]() and\n```\n[x]()\n```\nuse `[x]()`\n[a](b)\n", [1]),
        ("a.go", "func broken( {\n", []),
        ("Makefile", "all:\n", []),
        ("a.txt", "x\n<<<<<<< HEAD\ny\n", [2]),
    ],
)
def test_other_formats(path: str, text: str, lines: list[int]) -> None:
    found = [issue.line for issue in audit_text(path, text)]
    assert [line for line in found if line is not None] == lines


def test_a_missing_last_newline_is_only_a_remark() -> None:
    assert [issue.severity for issue in audit_text("a.txt", "x")] == [Severity.INFO]


def test_there_is_an_end_to_it() -> None:
    assert len(audit_text("a.py", "".join(f"name_{n}\n" for n in range(500)))) == MAX_ISSUES


@given(st.sampled_from(["a.py", "a.json", "a.toml", "a.md", "a.txt"]), st.text())
def test_any_text_can_be_audited(path: str, text: str) -> None:
    for issue in audit_text(path, text):
        assert issue.line is None or issue.line >= 0


@pytest.mark.parametrize("piece", ["(", "[", "-", "x.", "lambda: ", "not "])
def test_deep_nesting_is_survived(piece: str) -> None:
    for depth in (50, 90, 5_000):
        audit_text("a.py", f"def f() -> int:\n    return {piece * depth}x\n")


def test_good_code_of_others_is_rarely_doubted() -> None:
    """A false finding costs a round, so the rules are held to the standard library."""
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [path for name in ("json", "email", "asyncio") for path in (folder / name).glob("*.py")]
    serious = [
        (path.name, issue.line, issue.message)
        for path in paths
        for issue in audit_text(path.name, path.read_text("utf-8"))
        if issue.severity.rank >= Severity.ERROR.rank
    ]
    assert len(paths) > 40
    assert len(serious) <= len(paths) // 20, serious
