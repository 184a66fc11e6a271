"""The end of a file is gone, and the rest still needs what it defined."""

import pytest

from orchestra_tui.engine.validation import ReportState, validate

PYTHON_HEAD = "def run(a):\n    return total(a)\n"
PYTHON = PYTHON_HEAD + "\n\ndef total(a):\n    b = sum(a)\n    c = b + 1\n    return c\n"
SCRIPT_HEAD = "export function run(a) {\n  return total(a);\n}\n"
SCRIPT = SCRIPT_HEAD + "\nfunction total(a) {\n  let b = a;\n  b += 1;\n  return b;\n}\n"
GO_HEAD = "package a\n\nfunc Run() int {\n\treturn total()\n}\n"
GO = GO_HEAD + "\nfunc total() int {\n\treturn 1\n}\n"


@pytest.mark.parametrize(
    ("path", "old", "kept"), [("a.py", PYTHON, PYTHON_HEAD), ("a.js", SCRIPT, SCRIPT_HEAD)]
)
def test_an_end_that_is_still_needed_is_no_deletion(path: str, old: str, kept: str) -> None:
    assert validate(path, kept, old).state is ReportState.INCOMPLETE
    assert not validate(path, kept.replace("total(a)", "a"), old).is_hard


def test_an_end_that_moved_to_another_file_is_a_deletion() -> None:
    kept = "from sums import total\n\n\n" + PYTHON_HEAD
    assert not validate("a.py", kept, PYTHON).is_hard
    kept = 'import { total } from "./sums.js";\n\n' + SCRIPT_HEAD
    assert not validate("a.js", kept, SCRIPT).is_hard


def test_a_name_of_the_same_package_needs_no_import_in_go() -> None:
    assert not validate("a.go", GO_HEAD, GO).is_hard
