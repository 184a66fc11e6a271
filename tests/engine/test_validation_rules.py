"""Each rule of the validator by a table: what it finds, what it leaves alone, what excuses it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.engine.validation import PlanHint, Report, ReportState, validate
from orchestra_tui.engine.validation.markup import read_tags
from orchestra_tui.engine.validation.phrases import Strength, strength
from orchestra_tui.engine.validation.prose import is_chat, is_sentence, is_to_the_reader

BODY = "    total = 0\n    for item in items:\n        total += item\n    return total\n"
SENTENCES = (
    "These are words.\n\nHere is a second sentence of them.\n\nAnd one more of these too.\n\n"
)
FUNCTION = f"def count(items):\n{BODY}\n\ndef twice(items):\n    return 2 * count(items)\n"


def kinds(report: Report) -> set[str]:
    return {diagnostic.kind for diagnostic in report.diagnostics}


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("// ... existing code ...", Strength.PLAIN),
        ("# rest of the file remains the same", Strength.PLAIN),
        ("/* [120 more lines] */", Strength.PLAIN),
        ("<!-- everything else stays the same -->", Strength.PLAIN),
        ("-- der Rest der Datei bleibt unverändert", Strength.PLAIN),
        ("// 其余代码保持不变", Strength.PLAIN),
        ("// остальной код без изменений", Strength.PLAIN),
        ("# 残りのコードは変更なし", Strength.PLAIN),
        ("// (unchanged)", Strength.HINT),
        ("// ...", Strength.DOTS),
        ("# TODO: implement", Strength.STUB),
        ("// keep the original order", Strength.VAGUE),
        ("// this is one of the slowest routines in this code...", Strength.NONE),
        ("/* skip eventual `#!...' */", Strength.NONE),
        ("// see https://example.com/existing", Strength.NONE),
        ("// adds two numbers", Strength.NONE),
    ],
)
def test_how_plainly_a_comment_says_that_code_is_missing(comment: str, expected: Strength) -> None:
    level = strength(comment)
    if expected in {Strength.NONE, Strength.VAGUE}:
        assert level <= Strength.VAGUE
    else:
        assert level is expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.tsx", "const A = ({ a, ...rest }) => (\n  <B\n    {...rest}\n    a={a}\n  />\n);\n"),
        ("a.js", "const b = {\n  a: 1,\n  ...rest,\n};\n"),
        (
            "a.py",
            'def f():\n    """\n    >>> for x in y:\n    ...     continue\n    """\n    return 1\n',
        ),
        ("a.pl", "sub f {\n    ...\n}\n1;\n"),
        ("a.js", "/**\n * Adds.\n * ... and other things\n */\nlet a = 1;\n"),
        ("a.css", "a { color: red; }\n\n/* Other styles */\n\nb { color: red; }\n"),
    ],
)
def test_dots_and_headings_of_finished_files_are_fine(path: str, text: str) -> None:
    assert validate(path, text).state is ReportState.FINE


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ("\n\n# ... existing code ...\n", ReportState.ELIDED),
        ("\n\n# ... existing code ...\ndef third():\n    return 3\n", ReportState.SUSPECT),
        ("\n\n# the existing code is kept for now\ndef third():\n    return 3\n", ReportState.FINE),
    ],
)
def test_what_is_new_can_be_left_out_as_well(after: str, state: ReportState) -> None:
    assert validate("a.py", FUNCTION + after, FUNCTION).state is state


def test_a_gap_that_the_comparison_sees_elsewhere_is_evidence() -> None:
    block = "  it('a', () => {\n    open();\n    check(1);\n    check(2);\n  });\n"
    old = f"describe('b', () => {{\n{block * 4}}});\n"
    rest = "  it('a', () => {\n    // ... etc ...\n    check(2);\n  });\n"
    new = f"describe('b', () => {{\n{block}{rest}}});\n"
    assert validate("a.test.js", new, old).state is ReportState.ELIDED


def test_a_vague_comment_counts_only_over_lines_that_went() -> None:
    beside = FUNCTION.replace("    total = 0", "    # the same here\n    total = 0")
    assert validate("a.py", beside, FUNCTION).state is ReportState.FINE
    instead = FUNCTION.replace(BODY, "    # the same here\n    return 0\n")
    old = FUNCTION.replace(BODY, BODY * 2)
    assert validate("a.py", instead, old).state is ReportState.ELIDED
    assert validate("a.py", instead).state is ReportState.FINE


@pytest.mark.parametrize(
    ("path", "good", "line"),
    [
        ("a.html", "<div>\n  <span>a</span>\n</div>\n", "</div>"),
        ("a.html", "<!doctype html>\n<html>\n<p>a\n</html>\n", "</html>"),
        ("a.vue", "<template>\n  <div :a='b > c'>\n    <B />\n  </div>\n</template>\n", "  </div>"),
        ("a.svelte", "<main on:click={() => a > b}>\n  <p>a</p>\n</main>\n", "</main>"),
        ("a.xml", "<a>\n  <b>c</b>\n</a>\n", "</a>"),
    ],
)
def test_a_tag_that_is_never_closed_is_hard(path: str, good: str, line: str) -> None:
    assert validate(path, good).state is ReportState.FINE
    damaged = good.replace(line + "\n", "")
    assert validate(path, damaged).is_hard
    assert validate(path, damaged, good).is_hard


def test_half_a_page_is_normal_for_a_template_unless_it_was_whole_before() -> None:
    header = "{% include 'head' %}\n<div class='page'>\n<main>\n"
    assert validate("header.html", header).state is ReportState.FINE
    whole = header + "<p>a</p>\n</main>\n</div>\n"
    assert validate("page.html", header + "<p>a</p>\n</main>\n", whole).is_hard


def test_optional_tags_scripts_and_comments_are_passed_over() -> None:
    text = "<ul><li>a<li>b</ul><script>if (a < b) { '<div>' }</script><!-- <p><b> --><br>"
    tags = read_tags(text, "html")
    assert not tags.unclosed
    assert not tags.strays


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def f(x):\n    y = x + 1\n    total = y\n"),
        ("a.py", "def f(x) -> int:\n    print(x)\n"),
        ("a.py", '__all__ = ["f", "g"]\n\n\ndef f():\n    return 1\n'),
        ("a.py", "import os\n\nos.path\n"),
        ("a.sql", "CREATE TABLE a (b int);\nINSERT INTO a VALUES (1);\nSELECT b FROM a\n"),
        ("a.md", "# A\n\nSome text here.\n\n## Usage\n"),
        (
            "a.md",
            f"# A\n\n{SENTENCES}This is a long paragraph that stops in the middle of its last\n",
        ),
        ("a.md", "# A\n\nSee [the documentation](https://exam\n"),
        ("a.sh", "echo a\necho b &&\n"),
        ("a.ts", "let a = 1;\n\n/** What follows is gone. */\n"),
        ("a.html", "<p>a</p>\n<a hre\n"),
    ],
)
def test_an_end_that_is_begun_and_not_finished_is_incomplete(path: str, text: str) -> None:
    report = validate(path, text)
    assert report.state is ReportState.INCOMPLETE, report
    # The user's own text may end so.
    assert not validate(path, text.replace("a", "a", 1), text).is_hard


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = 1\n\n\ndef f():\n    global x\n    x = 2\n"),
        (
            "a.py",
            "def f(xs):\n    a = 0\n    for x in xs:\n        if x != a:\n            a = x\n",
        ),
        ("a.py", "class A:\n    def f(self) -> int: ...\n"),
        ("a.md", "# A\n\nText.\n\n- one item that has several words and no end mark\n"),
        ("a.yaml", "services:\n  a:\n    image: b\nvolumes:\n  data:\n"),
        ("a.sql", "CREATE TABLE a (b int);\nINSERT INTO a VALUES (1);\n-- done\n"),
        ("a.md", f"# A\n\n{SENTENCES}Copyright (c) 2013-2026 Somebody Else\n"),
        ("a.md", "# A\n\nWords without a mark are here\n\nAnd these have none of them either\n"),
        ("a.md", f"# A\n\n{SENTENCES}## First release 0.1\n"),
    ],
)
def test_unusual_ends_of_finished_files_are_fine(path: str, text: str) -> None:
    assert validate(path, text).state is ReportState.FINE


@pytest.mark.parametrize(
    ("line", "chat", "to_reader"),
    [
        ("Here is the updated file:", True, True),
        ("Updated code:", True, True),
        ("I've kept the other functions as they were.", True, True),
        ("The parser now accepts `null` values too.", True, False),
        ("以下是更新后的完整代码\uff1a", True, False),
        ("import os", False, False),
        ("name: value", False, False),
        ("# Here is the helper.", False, False),
        ("SELECT a FROM b;", False, False),
    ],
)
def test_what_is_chat(line: str, chat: bool, to_reader: bool) -> None:
    assert (is_chat(line), is_to_the_reader(line)) == (chat, to_reader)


def test_code_and_short_words_are_no_sentence() -> None:
    assert is_sentence("This should fix the problem.")
    assert not any(map(is_sentence, ("Done.", "foo(bar).", "export default A;", "Title of a page")))


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("a.yaml", "a: 1\nb: 2\n"),
        ("a.sh", "echo a\necho b\n"),
        ("a.c", "int a;\nint b;\n"),
        ("a.sql", "SELECT 1;\nSELECT 2;\n"),
        ("a.css", "a {\n  color: red;\n}\n"),
        ("Dockerfile", "FROM a\nRUN b\n"),
        ("a.html", "<p>a</p>\n<p>b</p>\n"),
        ("a.cmake", "set(A 1)\nset(B 2)\n"),
    ],
)
def test_chat_is_found_also_where_the_grammar_takes_prose(path: str, good: str) -> None:
    before = validate(path, f"Here is the complete updated file:\n\n{good}", good)
    assert (before.state, before.unwrapped) == (ReportState.WRAPPED, good)
    after = validate(path, f"{good}\nLet me know if you need anything else!\n", good)
    assert (after.state, after.unwrapped) == (ReportState.WRAPPED, good)


def test_php_without_its_opening_tag_is_broken() -> None:
    old = "<?php\n\nfunction f() {\n    return 1;\n}\n"
    assert validate("a.php", old.removeprefix("<?php\n\n"), old).is_hard


def test_a_macro_that_lost_its_bracket_is_hard_if_it_had_it() -> None:
    old = "#define A(x) do { \\\n  f(x); \\\n} while (0)\n#define B {\n\nint g(void);\n"
    report = validate("a.c", old.replace("} while", "while"), old)
    assert (report.state, report.diagnostics[0].line) == (ReportState.INCOMPLETE, 1)
    assert validate("a.c", old.replace("f(x)", "h(x)"), old).state is ReportState.FINE


def test_a_sentence_below_a_closed_manual_is_wrapped() -> None:
    text = "x = 1\n=begin\nWords of a manual are here.\n=end\ny = 2\n"
    talk = "\nWould you like me to add tests as well?\n"
    assert validate("a.rb", text + talk, text).state is ReportState.WRAPPED


def test_a_sentence_below_a_page_is_wrapped() -> None:
    page = "<html>\n<body>\n<p>a</p>\n</body>\n</html>\n"
    talk = "\nThat should do it. Tell me if the tests still fail.\n"
    assert validate("a.html", page + talk).unwrapped == page


@pytest.mark.parametrize("half", ["${{ github.ref }", "${ github.ref }}"])
def test_half_an_expression_of_a_workflow_is_hard(half: str) -> None:
    good = "on: push\nenv:\n  a: ${{ github.ref }}\n  b: c\n"
    assert validate("a.yml", good).state is ReportState.FINE
    assert validate("a.yml", good.replace("${{ github.ref }}", half), good).is_hard


def test_a_plan_that_deletes_explains_a_lost_tail_but_no_cut() -> None:
    old = "echo one\necho two\necho three four\n"
    hint = PlanHint(words="Remove the last command")
    assert validate("a.sh", "echo one\necho two\n", old).state is ReportState.SUSPECT
    assert validate("a.sh", "echo one\necho two\n", old, plan_hint=hint).state is ReportState.FINE
    assert validate("a.sh", "echo one\necho t", old, plan_hint=hint).is_hard


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "a.yaml",
            "{{- if .Values.a }}\napiVersion: v1\nname: {{ .Values.b | quote }}\n{{- end }}\n",
        ),
        ("a.js", "/**\n * @flow strict\n */\ntype A = {\n  show(): void,\n};\n"),
        ("a.h", "#import <A/A.h>\n@interface B : NSObject\n- (void)c:(int)d;\n@end\n"),
        ("a.js", "const a = /b/;\nexport { a as null };\n"),
        ("a.js", "let a = 1;\n\n/** @typedef {import('b').C} C */\n"),
        ("a.py", 'def f():\n    """\n    >>> g()\n    1\n    ...\n    """\n    return 1\n'),
        ("a.py", "def f(e):\n    try:\n        return e()\n    finally:\n        e = None\n"),
        ("a.c", "/*\n  one\n  ...\n  two\n*/\nint a;\n"),
        ("a.scss", "@use 'grid';\n\n@include grid.css-grid();\n"),
        ("a.rs", "fn f(a: A) {\n    match a {\n        A::B(box c) => c,\n    }\n}\n"),
        ("a.d.ts", "export default function (a: B): C;\n"),
        ("a.kt", "class A<in T>(private val b: T) {\n  fun f(): List<T> = listOf(b)\n}\n"),
        ("a.ts", "#!/usr/bin/env npx ts-node\ninterface A {\n  b: string;\n}\n"),
        ("a.js", 'const a = (b) => (\n  <label class="c" for={b}>\n    d\n  </label>\n)\n'),
        ("a.ts", "export interface A<T> {\n  (): T\n  <U>(b: (c: T) => U): U\n  d: T\n}\n"),
        ("a.yml", "on: push\nenv:\n  a: >\n    ${{ b == 'c'\n    && 'd' }}\n  e: f\n"),
        (
            "a.sh",
            'f() {\n  a="${b:-"c -path \'*/\\.*\' -o \\\n    -print"}"\n}\n\nif d; then\n  g() {\n'
            '    a="${a:0:$b}$c${a:$b}"\n  }\nfi\n',
        ),
        ("a.c", "int f(int a) {\n  if (a) {\n#ifdef B\n  }\n#else\n  }\n#endif\n  return a;\n}\n"),
        ("a.swift", "func f() {\n  // ...and then take the rest of the arguments\n  g()\n}\n"),
        ("a.c", "int f(int a) {\n  if (a) {\n    // no change\n  }\n  return a;\n}\n"),
        (
            "a.java",
            "class A {\n  void f() {\n    throw new UnsupportedOperationException();\n  }\n}\n",
        ),
        (
            "a.swift",
            'required init?(coder: C) {\n  fatalError("init(coder:) not implemented")\n}\n',
        ),
    ],
)
def test_good_files_that_were_refused_once_are_fine(path: str, text: str) -> None:
    assert validate(path, text).state is ReportState.FINE


PIECES = st.sampled_from(
    [
        "<div>",
        "</div>",
        "<a b='",
        '"',
        "'",
        "{{",
        "}}",
        "{%",
        "...",
        "# ...",
        "// rest",
        "\n",
        " ",
        "def f():",
        "{",
        "}",
        "```",
        "<!--",
        "-->",
        "Here is it.",
        "TODO",
        "\\",
        "`",
        "[a](",
        "é",
        "\0",
    ]
)


@settings(max_examples=120, deadline=None)
@given(
    path=st.sampled_from(
        [
            "a.html",
            "a.vue",
            "a.svelte",
            "a.py",
            "a.yaml",
            "a.md",
            "a.sql",
            "a.sh",
            "a.rb",
            "a.swift",
            "a.kt",
            "a.xml",
            "a.ps1",
            "a.js",
        ]
    ),
    pieces=st.lists(PIECES, max_size=40),
    others=st.lists(PIECES, max_size=20),
)
def test_no_mixture_makes_it_raise_and_the_same_text_is_never_hard(
    path: str, pieces: list[str], others: list[str]
) -> None:
    text, old = "".join(pieces), "".join(others)
    assert validate(path, text) == validate(path, text)
    validate(path, text, old)
    assert not validate(path, text, text).is_hard
