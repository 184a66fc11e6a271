"""The first gate: what it refuses, what it lets pass, and whom it blames."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.engine.validation import Report, ReportState, validate

PYTHON = '''"""Slugs."""

import re


def slugify(text: str) -> str:
    """Return a slug."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)


class Shelf:
    """Books."""

    def __init__(self) -> None:
        self.books = ["a", "b"]

    def add(self, name: str) -> None:
        self.books.append(name)
'''

JAVASCRIPT = """// Adds things.
export function add(a, b) {
  const total = a + b;
  return total;
}

export function sub(a, b) {
  if (a > b) {
    return a - b;
  }
  return b - a;
}
"""

C = """#include <stdio.h>
#ifdef FAST
int run(int x) {
#else
int run(int x, int y) {
#endif
  printf("%d {", x);
  return x;
}
"""

SAMPLES = {
    "a.py": PYTHON,
    "a.js": JAVASCRIPT,
    "a.ts": "interface A { x: number }\nexport const a: A = { x: 1 };\n",
    "a.tsx": "export const A = () => (\n  <div className='x'>\n    <b>{1}</b>\n  </div>\n);\n",
    "a.go": "package a\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n",
    "a.rs": "pub fn add(a: i32, b: i32) -> i32 {\n    let c = [a, b];\n    c[0] + c[1]\n}\n",
    "A.java": "class A {\n  int add(int a, int b) {\n    return a + b;\n  }\n}\n",
    "a.kt": "fun add(a: Int, b: Int): Int {\n    return a + b\n}\n",
    "a.swift": "func add(a: Int, b: Int) -> Int {\n    return a + b\n}\n",
    "a.c": C,
    "a.cpp": "namespace a {\ntemplate <class T> T id(T x) {\n  return x;\n}\n}\n",
    "a.cs": "class A {\n  int Add(int a, int b) {\n    return a + b;\n  }\n}\n",
    "a.rb": "def add(a, b)\n  [a, b].sum { |x| x }\nend\n",
    "a.php": "<?php\nfunction add($a, $b) {\n  return $a + $b;\n}\n",
    "a.lua": "local function add(a, b)\n  local t = {a, b}\n  return t[1] + t[2]\nend\n",
    "a.sh": "#!/bin/sh\nadd() {\n  echo $(($1 + $2))\n}\nadd 1 2\n",
    "a.css": "a {\n  color: red;\n}\n@media print {\n  b {\n    margin: 0;\n  }\n}\n",
    "a.scss": "$x: 1px;\na {\n  b {\n    margin: $x;\n  }\n}\n",
    "a.sql": "CREATE TABLE a (\n  id INTEGER,\n  name TEXT DEFAULT '('\n);\n",
    "a.json": '{\n  "a": [1, 2],\n  "b": {"c": null}\n}\n',
    "a.toml": '[a]\nb = [1, 2]\nc = { d = "x" }\n',
    "a.yaml": "a:\n  - b: [1, 2]\n  - {c: d}\n",
    "a.html": "<!doctype html>\n<html>\n<body>\n<p>Hello</p>\n</body>\n</html>\n",
    "a.md": "# Title\n\n```python\nx = 1\n```\n\nText.\n",
    "a.dart": "int add(int a, int b) {\n  return a + b;\n}\n",
    "a.tf": 'resource "a" "b" {\n  c = [1, 2]\n}\n',
}
CLOSERS = {
    name: text for name, text in SAMPLES.items() if name not in {"a.html", "a.md", "a.rb", "a.lua"}
}


def kinds(report: Report) -> set[str]:
    return {diagnostic.kind for diagnostic in report.diagnostics}


@pytest.mark.parametrize("path", SAMPLES)
def test_good_text_is_fine_with_and_without_its_old_self(path: str) -> None:
    text = SAMPLES[path]
    assert validate(path, text).state is ReportState.FINE
    assert validate(path, text, text).state is ReportState.FINE
    assert validate(path, text.replace("\n", "\r\n"), text).state is ReportState.FINE
    assert validate(path, "\ufeff" + text).state is ReportState.FINE


@pytest.mark.parametrize("path", CLOSERS)
def test_missing_last_closer_is_hard_and_says_where(path: str) -> None:
    text = CLOSERS[path]
    at = max(text.rfind(closer) for closer in ")]}")
    damaged = text[:at] + text[at + 1 :]
    for old in (None, text):
        report = validate(path, damaged, old)
        assert report.is_hard, report
        assert report.diagnostics[0].line is not None
        assert report.diagnostics[0].message


@pytest.mark.parametrize("path", SAMPLES)
def test_fenced_file_is_unwrapped(path: str) -> None:
    inner = "# Title\n\nText.\n" if path == "a.md" else SAMPLES[path]
    info = "markdown" if path == "a.md" else "text"
    for around in (
        f"```{info}\n{inner}```\n",
        f"Here is the updated file:\n\n```{info}\n{inner}```\n",
    ):
        report = validate(path, around, inner)
        assert report.state is ReportState.WRAPPED, (around, report)
        assert report.unwrapped == inner


@pytest.mark.parametrize("path", [path for path in SAMPLES if path != "a.md"])
def test_unclosed_fence_is_incomplete(path: str) -> None:
    assert validate(path, f"```\n{SAMPLES[path]}").state is ReportState.INCOMPLETE


@pytest.mark.parametrize("path", ["a.py", "a.js", "a.go", "a.rs", "A.java", "a.ts"])
def test_chat_around_the_file_is_wrapped(path: str) -> None:
    text = SAMPLES[path]
    before = validate(path, f"Here is the complete updated file:\n\n{text}", text)
    assert before.state is ReportState.WRAPPED
    assert before.unwrapped == text
    after = validate(path, f"{text}\nI added the new function and kept the others.\n", text)
    assert after.state is ReportState.WRAPPED
    assert after.unwrapped == text


ELIDED = {
    "a.py": PYTHON.replace(
        '    words = re.findall(r"[a-z0-9]+", text.lower())\n    return "-".join(words)\n',
        "    # ... rest of the code unchanged\n    return text\n",
    ),
    "a.js": JAVASCRIPT.replace(
        "  const total = a + b;\n  return total;\n", "  // ... existing code ...\n"
    ),
    "a.go": "package a\n\nfunc Add(a, b int) int {\n\t// ... existing code stays the same\n}\n",
    "a.css": "a {\n  /* ... rest of the styles unchanged */\n}\n",
    "a.html": "<!doctype html>\n<html>\n<!-- ... existing content ... -->\n</html>\n",
    "a.tsx": "export const A = () => (\n  <div>\n    {/* ... existing JSX ... */}\n  </div>\n);\n",
    "a.sql": "CREATE TABLE a (\n  -- ... existing columns ...\n  id INTEGER);\n",
    "a.yaml": "a:\n  # ... rest of the file unchanged\n",
    "a.c": "int a;\n/* remaining code omitted for brevity */\n",
    "a.md": "# Title\n\n[... rest of the document unchanged ...]\n",
}


@pytest.mark.parametrize("path", ELIDED)
def test_placeholder_over_code_is_elided_with_the_lost_lines_as_evidence(path: str) -> None:
    report = validate(path, ELIDED[path], SAMPLES[path])
    assert report.state is ReportState.ELIDED, report
    found = next(item for item in report.diagnostics if item.kind == "placeholder")
    assert found.evidence
    assert all(line in SAMPLES[path] for line in found.evidence.split("\n"))


@pytest.mark.parametrize("path", ELIDED)
def test_placeholder_in_a_new_file_is_elided(path: str) -> None:
    assert validate(path, ELIDED[path]).state is ReportState.ELIDED


def test_placeholder_that_was_already_there_is_not_blamed() -> None:
    old = "# ... existing code ...\nx = 1\ny = 2\n"
    assert validate("a.py", old.replace("y = 2", "y = 3"), old).state is ReportState.FINE


def test_comment_like_a_placeholder_above_present_code_is_fine() -> None:
    new = PYTHON.replace("    def add(", "    # (unchanged)\n    def add(")
    assert validate("a.py", new, PYTHON).state is ReportState.FINE


@pytest.mark.parametrize(
    "code",
    [
        "from typing import Protocol\n\n\nclass P(Protocol):\n    def f(self) -> int: ...\n",
        "class P:\n    def f(self) -> int:\n        ...\n",
        "x = a[..., 0]\n",
        'def f() -> None:\n    """For subclasses."""\n    raise NotImplementedError\n',
        '"""Docs.\n\n```python\nx = 1\n```\n"""\n',
    ],
)
def test_ellipsis_and_fences_that_are_code_are_fine(code: str) -> None:
    assert validate("a.py", code).state is ReportState.FINE


@pytest.mark.parametrize(
    ("path", "text", "state"),
    [
        ("a.py", "def f(x):\n", ReportState.INCOMPLETE),
        ("a.py", 'x = """abc\n', ReportState.INCOMPLETE),
        ("a.py", "x = (1,\n", ReportState.INCOMPLETE),
        ("a.py", "try:\n    pass\n", ReportState.INCOMPLETE),
        ("a.py", "x = 1 +* 2\n", ReportState.BROKEN),
        ("a.py", "x = 1\0\n", ReportState.BROKEN),
        ("a.json", '{"a": ', ReportState.INCOMPLETE),
        ("a.json", '{"a": "b', ReportState.INCOMPLETE),
        ("a.json", '{"a" 1}', ReportState.BROKEN),
        ("package.json", '{"a": 1,}', ReportState.BROKEN),
        ("a.toml", 'a = "x\n', ReportState.BROKEN),
        ("a.toml", 'a = """x\n', ReportState.INCOMPLETE),
        ("a.md", "# T\n\n```sh\nls\n", ReportState.INCOMPLETE),
        ("a.js", "const a = 'x\n", ReportState.INCOMPLETE),
        ("a.unknown", "anything { goes\n", ReportState.FINE),
        ("tsconfig.json", '{\n  // why\n  "a": [1, 2,],\n}\n', ReportState.FINE),
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n', ReportState.FINE),
        ("a.jsonl", '{"a": 1}\n{"a": \n', ReportState.INCOMPLETE),
        ("__init__.py", "", ReportState.FINE),
    ],
)
def test_states(path: str, text: str, state: ReportState) -> None:
    assert validate(path, text).state is state


def test_newer_python_than_this_one_is_no_damage() -> None:
    for code in ("type X = int\n", "def f[T](x: T) -> T:\n    return x\n"):
        assert validate("a.py", code).state is ReportState.FINE


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.py", "x = = 'a'\nx = 1\n", "x = = 'a'\nx = 2\n"),
        ("a.py", "x = (\ny = 1\n", "x = (\ny = 2\n"),
        ("a.js", "function f( {\nlet y = 1;\n", "function f( {\nlet y = 2;\n"),
        ("a.json", '{"a": 1,, "b": 2}\n', '{"a": 1,, "b": 2}\n\n'),
        ("a.toml", "a =\nb = 1\n", "a =\nb = 2\n"),
    ],
)
def test_what_the_user_had_broken_is_not_blamed_on_the_agent(path: str, old: str, new: str) -> None:
    assert validate(path, old).is_hard
    assert not validate(path, new, old).is_hard


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.py", "print 'a'\nx = [1]\n", "print 'a'\nx = [1\n"),
        (
            "a.js",
            "let x = = 1;\nfunction f() { return 1; }\n",
            "let x = = 1;\nfunction f() { return 1;\n",
        ),
        ("a.json", '{"a": 1,, "b": {}}\n', '{"a": 1,, "b": {\n'),
        (
            "a.c",
            "BEGIN(x)\nint f(void) { return g((int) 1, , 2); }\n",
            "BEGIN(x)\nint f(void) { return g((int) 1, , 2);\n",
        ),
        # A block ends with a word, and all lines were there before.
        (
            "a.lua",
            "x = = 1\nfunction f()\n  if y then\n    g()\n  end\nend\n",
            "x = = 1\nfunction f()\n  if y then\n    g()\n  end\n",
        ),
    ],
)
def test_new_damage_in_a_file_that_was_broken_before_is_found(
    path: str, old: str, new: str
) -> None:
    assert validate(path, new, old).is_hard


def test_line_cut_in_its_middle_is_incomplete_and_a_lost_tail_is_only_suspect() -> None:
    lines = PYTHON.splitlines(keepends=True)
    cut = "".join(lines[:-2]) + "    def add(self, name"
    assert validate("a.py", cut, PYTHON).state is ReportState.INCOMPLETE
    shell = "echo one\necho two three\necho four\n"
    report = validate("a.sh", "echo one\necho two th", shell)
    assert (report.state, "cut-line" in kinds(report)) == (ReportState.INCOMPLETE, True)
    report = validate("a.sh", "echo one\n", shell)
    assert (report.state, kinds(report)) == (ReportState.SUSPECT, {"lost-tail"})


def test_an_emptied_file_is_incomplete() -> None:
    assert validate("a.py", "\n", PYTHON).state is ReportState.INCOMPLETE
    assert validate("__init__.py", "", "x = 1\n").state is ReportState.SUSPECT


def test_a_text_over_the_cap_says_that_it_was_not_checked() -> None:
    report = validate("a.js", "let x = 1;\n" * 100_000)
    assert (report.state, kinds(report)) == (ReportState.SUSPECT, {"not-checked"})


@pytest.mark.parametrize("path", [path for path in SAMPLES if path not in {"a.md", "a.html"}])
def test_byte_cuts_of_known_files_are_found(path: str) -> None:
    """Every cut that loses something is at least suspect when the old text is known."""
    text = SAMPLES[path]
    cuts = range(1, len(text.rstrip()) - 1)
    missed = [cut for cut in cuts if validate(path, text[:cut], text).state is ReportState.FINE]
    assert len(missed) <= len(cuts) * 0.05, [text[:cut][-30:] for cut in missed]


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from([*SAMPLES, "a.txt", "Makefile", "x"]),
    new=st.text(max_size=200) | st.sampled_from(list(SAMPLES.values())),
    old=st.none() | st.text(max_size=200) | st.sampled_from(list(SAMPLES.values())),
)
def test_no_text_makes_it_raise_and_the_same_text_is_never_blamed(
    path: str, new: str, old: str | None
) -> None:
    report = validate(path, new, old)
    assert report == validate(path, new, old)
    assert (report.state is ReportState.FINE) == (not report.diagnostics)
    assert not validate(path, new, new).is_hard


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", 'export type A = import("./b").B<number>;\n'),
        ("a.ts", "const a = vi.mock<typeof import('x')>();\nexport type * from './b';\n"),
        ("a.rs", "fn f() -> R {\n    let x = try!(g());\n    Ok(x)\n}\n"),
    ],
)
def test_good_code_that_the_grammar_does_not_know_is_fine(path: str, text: str) -> None:
    assert validate(path, text).state is ReportState.FINE


def test_an_opening_sentence_is_found_where_it_is_good_syntax() -> None:
    text = SAMPLES["a.yaml"]
    report = validate("a.yaml", f"Here is the updated file:\n\n{text}", text)
    assert (report.state, report.unwrapped) == (ReportState.WRAPPED, text)


def test_a_placeholder_inside_a_string_that_lost_lines_is_found() -> None:
    old = 'X = """\none\ntwo\nthree\nfour\n"""\n'
    new = 'X = """\none\n# ... rest of the file unchanged\n"""\n'
    assert validate("a.py", new, old).state is ReportState.ELIDED
    assert validate("a.py", new, new).state is ReportState.FINE


@pytest.mark.parametrize(
    ("path", "old", "stub"),
    [
        ("a.py", "    x = 1\n    y = 2\n    return x + y\n", "    raise NotImplementedError\n"),
        ("a.py", "    x = 1\n    y = 2\n    return x + y\n", '    """Sum."""\n    pass\n'),
        ("a.js", "  let x = 1;\n  x += 1;\n  return x;\n", "  // TODO: implement\n"),
        ("a.rs", "    let x = 1;\n    let y = 2;\n    x + y\n", "    todo!()\n"),
        ("a.go", "\tx := 1\n\tx += 1\n\treturn x\n", '\tpanic("not implemented")\n'),
        (
            "A.java",
            "    int x = 1;\n    x += 1;\n    return x;\n",
            '    throw new UnsupportedOperationException("Not implemented yet");\n',
        ),
    ],
)
def test_a_body_that_became_a_stub_is_elided(path: str, old: str, stub: str) -> None:
    frames = {
        "a.py": "def f():\n{}\n\ndef g():\n    return f()\n",
        "a.js": "class A {{\n  f() {{\n{}  }}\n}}\n",
        "a.rs": "fn f() -> i32 {{\n{}}}\n",
        "a.go": "package a\n\nfunc f() int {{\n{}}}\n",
        "A.java": "class A {{\n  Object f() {{\n{}  }}\n}}\n",
    }
    before, after = frames[path].format(old), frames[path].format(stub)
    report = validate(path, after, before)
    assert report.state is ReportState.ELIDED, report
    assert "emptied-body" in kinds(report)
    # The other way round is good work, and a stub in a new file may be what was asked for.
    assert validate(path, before, after).state is ReportState.FINE
    assert not validate(path, after).is_hard
