"""Good texts that were once found damaged, each by the construct that misled a rule."""

import pytest

from orchestra_tui.engine.validation import ReportState, validate


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "from kombu.async import Timer\n\n\ndef f():\n    return Timer\n"),
        (
            "a.ts",
            "export interface Hook {\n  <K extends Key>(key: K): R<K>\n  <\n    D = any,\n"
            "    E = any,\n  >(\n    key: D,\n  ): R<D, E>\n}\n",
        ),
        (
            "a.ts",
            "export interface Take<S> {\n  <P extends M<S>>(p: P): O<S, P>\n"
            "  <P extends M<S>>(p: P, t: number): T<S, P>\n}\n",
        ),
        ("a.ts", "export class Item<in out Value> {\n  value?: Value;\n}\n"),
        ("a.tsx", "export const A = () => (\n  <B>\n    Photos & Files\n  </B>\n);\n"),
        (
            "a.cs",
            "class A\n{\n    int F(object v)\n    {\n        if (v is int)\n        {\n"
            "            return 1;\n        }\n#if HAVE_LONG\n        else if (v is long)\n"
            "        {\n            return 2;\n        }\n#endif\n        else\n        {\n"
            '            throw new E(@"\\{");\n        }\n    }\n}\n',
        ),
        ("a.dart", "Object f(P p) {\n  return switch (p) {\n    A() => p,\n    _ => 1,\n  };\n}\n"),
        (
            "w.yml",
            "if: >-\n  ${{ a ||\n"
            + "      step.output.cache-hit != 'true' ||\n" * 20
            + "      b }}\n",
        ),
        ("a.md", "# T\n\n````\n```js\nf({\n// ...\n})\n```\n````\n\nWords of the text.\n"),
        ("a.html", "<pre><code>&lt;a&gt;\n  ...\n&lt;/a&gt;</code></pre>\n"),
        ("a.html", "<!doctype html>\n<html>\n<body>\n<p>a</p>\n</body>\n"),
        (".github/ISSUE_TEMPLATE.md", "## Version\n\n- a\n\n## Expected behavior\n"),
        (
            "a.cpp",
            "void f(int a) {\n  if (a) {\n    g();\n  } else {\n    // No change needed\n  }\n}\n",
        ),
        (
            "test_a.py",
            "def test_it_fails():\n    with raises(Error):\n        store = Store(path)\n",
        ),
    ],
)
def test_it_is_fine_as_a_new_file(path: str, text: str) -> None:
    assert validate(path, text).state is ReportState.FINE


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("w.yml", "if: >-\n  ${{ a ||\n      b\nname: ${{ c }}\n"),
        ("a.cs", "#if A\nclass A\n{\n    void F() {\n    int x = 1;\n}\n#endif\n"),
        ("a.dart", "Object f(P p) {\n  return switch (p) {\n    A() => p,\n    _ => 1,\n  ;\n}\n"),
        ("a.html", "<!doctype html>\n<html>\n<body>\n<p>a</p>\n"),
        ("a.md", "# T\n\nSome words stand here.\n\n## Expected behavior\n"),
        ("a.py", "def load():\n    store = Store(path)\n"),
    ],
)
def test_its_damaged_sibling_is_found(path: str, text: str) -> None:
    assert validate(path, text).is_hard


def test_an_older_python_is_soft_alone_and_hard_where_the_file_was_newer() -> None:
    old, new = "print 'a'\nx = 1\n", "print 'a'\nprint 'b'\n"
    assert validate("a.py", new).state is ReportState.SUSPECT
    assert validate("a.py", new, old).state is ReportState.FINE
    assert validate("a.py", new, "print('a')\nx = 1\n").is_hard
    assert validate("a.py", "print 'a'\nx = [1\n", old).is_hard


def test_a_remark_of_several_lines_is_no_placeholder() -> None:
    gone = "".join(f"  call{number}();\n" for number in range(6))
    remark = "  // Read-only, as it was before this\n  // function existed.\n"
    frame = "function f() {\n  begin();\n%s  end();\n}\n"
    assert validate("a.js", frame % remark, frame % gone).state is ReportState.FINE
    assert validate("a.js", frame % "  // as it was before\n", frame % gone).is_hard


def test_something_to_do_about_the_code_below_is_no_placeholder() -> None:
    gone = "".join(f"  call{number}();\n" for number in range(6))
    frame = "function f() {\n  begin();\n%s}\n"
    note = "  // TODO: rewrite this loop\n"
    new, old = frame % (note + "  end();\n"), frame % (gone + "  end();\n")
    assert validate("a.js", new, old).state is ReportState.FINE
    assert validate("a.js", frame % note, frame % gone).is_hard


def test_a_link_of_a_document_is_no_placeholder() -> None:
    old = "# T\n\nWords.\n\nA line.\n\nAnd one.\n\nAnd more.\n\nThe end.\n"
    new = "# T\n\nWords.\n\n[Learn more](/here)\n\nThe end.\n"
    assert validate("a.md", new, old).state is ReportState.FINE


def test_dots_of_a_body_are_a_placeholder_where_lines_went() -> None:
    old = "for a in b:\n    c = a + 1\n    d(c)\n    e(c)\nprint(b)\n"
    new = "for a in b:\n    ...\nprint(b)\n"
    assert validate("a.py", new).state is ReportState.FINE
    assert validate("a.py", new, old).state is ReportState.ELIDED


def test_a_body_indented_by_tabs_is_a_stub_like_any_other() -> None:
    work = "\t$b = [];\n\tforeach ($a as $c) {\n\t\t$b[] = $c;\n\t}\n\treturn $b;\n"
    old = "function f($a) {\n" + work + "}\n"
    new = "function f($a) {\n\treturn null;\n\t}\n"
    assert validate("a.php", "<?php\n" + new, "<?php\n" + old).state is ReportState.ELIDED
