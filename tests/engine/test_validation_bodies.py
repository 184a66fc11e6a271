"""Bodies that were emptied and functions that never got one: what is hard, soft, and excused."""

import pytest

from orchestra_tui.engine.validation import PlanHint, ReportState, validate

BODY = "    total = 0\n    for item in items:\n        total += item\n    return total\n"
FUNCTION = f"def count(items):\n{BODY}\n\ndef twice(items):\n    return 2 * count(items)\n"


@pytest.mark.parametrize(
    ("path", "stub"),
    [
        ("a.rb", "  def f(a)\n    # TODO: implement\n  end\n"),
        ("a.kt", 'class A {\n  fun f(): Int {\n    TODO("Not yet implemented")\n  }\n}\n'),
        ("a.lua", "function f(a)\n  -- TODO: implement\nend\n"),
        ("a.ex", 'defmodule A do\n  def f(a) do\n    raise "not implemented"\n  end\nend\n'),
        ("a.scala", "object A {\n  def f(a: Int): Int = {\n    ???\n  }\n}\n"),
        ("a.dart", "int f() {\n  throw UnimplementedError();\n}\n"),
        ("a.py", "def f():\n    pass  # TODO: implement\n\n\ndef g():\n    return 1\n"),
    ],
)
def test_a_stub_in_a_new_file_is_suspect_and_a_plan_that_asks_for_it_excuses_it(
    path: str, stub: str
) -> None:
    report = validate(path, stub)
    assert report.state is ReportState.SUSPECT
    assert {one.kind for one in report.diagnostics} == {"stub"}
    asked = PlanHint(words="Leave stubs for the functions")
    assert validate(path, stub, plan_hint=asked).state is ReportState.FINE


@pytest.mark.parametrize(
    ("words", "body", "state"),
    [
        ("", "    pass\n", ReportState.ELIDED),
        ("", "    raise NotImplementedError\n", ReportState.ELIDED),
        ("", "    return None\n", ReportState.ELIDED),
        ("", "    return 0\n", ReportState.SUSPECT),
        (
            "",
            "    return None  # the server counts them since version two\n",
            ReportState.SUSPECT,
        ),
        ("", "    pass  # the server counts them since version two\n", ReportState.SUSPECT),
        ("Add a cache", "    pass\n", ReportState.ELIDED),
        ("Make count a no-op", "    pass\n", ReportState.FINE),
        ("Remove the work of count", "    pass\n", ReportState.FINE),
        ("Remove the work of other", "    pass\n", ReportState.ELIDED),
    ],
)
def test_an_emptied_body(words: str, body: str, state: ReportState) -> None:
    new = FUNCTION.replace(BODY, body)
    hint = PlanHint(words=words) if words else None
    assert validate("a.py", new, FUNCTION, plan_hint=hint).state is state


def test_a_stub_the_tree_does_not_show_is_hard_over_lines_that_went() -> None:
    body = "      val c = 1\n      val d = c + 1\n      val e = d\n      return e\n"
    old = f"class A {{\n  val b: Int\n    get() {{\n{body}    }}\n}}\n"
    new = 'class A {\n  val b: Int\n    get() {\n      TODO("Not yet implemented")\n    }\n}\n'
    assert validate("a.kt", new, old).state is ReportState.ELIDED
    assert validate("a.kt", new).state is ReportState.SUSPECT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A stub in a block that is no function.
        ("a.map(|b| {\n", "todo!()"),
        # A stub in a function of another name.
        ("fn other() {\n", "unimplemented!()"),
    ],
)
def test_a_stub_over_lines_that_went_is_hard_in_any_block(old: str, new: str) -> None:
    body = "".join(f"        let v{n} = w{n}();\n" for n in range(5))
    tail = "    });\n" if "map" in old else "    }\n"
    before = f"fn f() {{\n    {old}{body}{tail}}}\n"
    after = f"fn f() {{\n    {old.replace('other', 'third')}        {new}\n{tail}}}\n"
    assert validate("a.rs", after, before).state is ReportState.ELIDED


def test_a_repeated_line_is_no_sign_that_a_body_moved() -> None:
    twin = FUNCTION + "\n\n" + FUNCTION.replace("count", "size").replace("twice", "double")
    assert validate("a.py", twin.replace(BODY, "    pass\n", 1), twin).is_hard


def test_a_body_that_moved_is_only_suspect() -> None:
    moved = f"def _sum(items):\n{BODY}\n\n" + FUNCTION.replace(BODY, "    pass\n")
    assert validate("a.py", moved, FUNCTION).state is ReportState.SUSPECT


def test_a_stub_of_a_new_class_of_many_is_an_interface() -> None:
    text = "class A:\n" + "".join(
        f"    def f{n}(self):\n        raise NotImplementedError\n\n" for n in range(5)
    )
    assert validate("a.py", text.rstrip() + "\n").state is ReportState.FINE
