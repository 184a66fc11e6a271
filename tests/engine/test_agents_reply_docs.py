"""The examples of docs/reply-formats.md are what the parsers read."""

import re
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.prompt_blocks import blocks
from orchestra_tui.domain.review import Severity, Verdict
from orchestra_tui.engine.agents.file_replies import (
    FileEdits,
    WholeFile,
    composed,
    parse_file_reply,
)
from orchestra_tui.engine.agents.parsing import ReplyRefused, parse_audit, parse_plan
from orchestra_tui.engine.agents.prompts import PromptLibrary
from orchestra_tui.engine.agents.schemas import AUDIT_SCHEMA, PLAN_SCHEMA

PAGE = (Path(__file__).parents[2] / "docs" / "reply-formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(json|text)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
STOP = FinishReason.STOP


def examples(kind: str, start: str) -> list[str]:
    return [
        text for info, text in EXAMPLES if info == kind and text.lstrip("{ \n").startswith(start)
    ]


def test_every_example_is_one_of_those_below() -> None:
    assert len(EXAMPLES) == 8


def test_the_plan() -> None:
    (text,) = examples("json", '"summary"')
    plan = parse_plan(text, STOP)
    assert [step.change for step in plan.steps] == [
        ChangeKind.CREATE, ChangeKind.CREATE, ChangeKind.RENAME,
    ]  # fmt: skip
    assert plan.steps[2].from_path == "docs/text.md"
    assert plan.checks == ("pytest",)


def test_the_verdicts() -> None:
    found, passed = (parse_audit(text, STOP) for text in examples("json", '"verdict"'))
    assert [issue.severity for issue in found[1]] == [Severity.ERROR, Severity.INFO]
    assert passed == (Verdict.PASS, ())


def test_the_file_and_the_edits_to_it() -> None:
    whole, shown = examples("text", "=== FILE")
    edits, title, nothing = examples("text", "=== EDIT")
    path = "src/slugify.py"
    new = parse_file_reply(whole, STOP, path=path)
    assert isinstance(new, WholeFile)
    scope: dict[str, object] = {}
    exec(new.text, scope)  # noqa: S102 - the example on our own page has to work
    assert scope["slugify"]("Crème  brûlée!") == "creme-brulee"
    edited = composed(parse_file_reply(edits, STOP, path=path), new.text)
    assert "import cache\n" in edited
    assert "@cache\ndef slugify" in edited
    rst = composed(parse_file_reply(title, STOP, path="docs/title.rst"), "Slugs\n=======\n\nx\n")
    assert rst == "Slugs and titles\n================\n\nx\n"
    same = parse_file_reply(nothing, STOP, path="docs/text-tools.md")
    assert isinstance(same, FileEdits)
    assert composed(same, "x\n", is_rename=True) == "x\n"
    assert list(blocks(shown)) == [("FILE", path, "def slugify(text):\n    return text\n")]


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES[:-1]])
def test_each_example_cut_before_its_end_mark_is_refused(text: str) -> None:
    cut = text.rstrip()[:-1]
    path = "src/slugify.py"
    with pytest.raises(ReplyRefused):
        parse_plan(cut, STOP)
    with pytest.raises(ReplyRefused):
        parse_audit(cut, STOP)
    with pytest.raises(ReplyRefused):
        parse_file_reply(cut, STOP, path=path)


def test_the_schemas_know_the_keys_that_the_parsers_read() -> None:
    for schema, start in ((PLAN_SCHEMA, '"summary"'), (AUDIT_SCHEMA, '"verdict"')):
        keys = re.findall(r'^  "(\w+)":', examples("json", start)[0], re.MULTILINE)
        assert list(schema["properties"]) == keys
        assert schema["required"] == keys


# --- the prompts ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_told_its_end_mark(role: Role) -> None:
    text = PromptLibrary().system(role)
    mark = "=== END REPLY" if role in {Role.EXECUTOR, Role.CONSULTANT} else '"end": true'
    assert mark in text.rpartition("The form of your reply")[2]
    assert list(blocks(text)) == []
    assert "rehearsal" not in text.casefold()


def test_the_example_of_the_prompt_is_what_the_parser_reads() -> None:
    told = PromptLibrary().system(Role.EXECUTOR)
    example = re.findall(r"(?:^    .*\n)+", told, re.MULTILINE)
    whole, edits = (re.sub(r"^    ", "", text, flags=re.MULTILINE) for text in example)
    path = "path/of/the/file.py"
    assert isinstance(parse_file_reply(whole, STOP, path=path), WholeFile)
    read = parse_file_reply(edits, STOP, path=path)
    assert composed(read, "lines of the file as it is now\n") == "the lines to put in their place\n"


def test_a_person_may_replace_what_a_role_is_told_but_not_its_format(tmp_path: Path) -> None:
    (tmp_path / "auditor.md").write_text("\ufeffBe kind.\n", encoding="utf-8")
    library = PromptLibrary(tmp_path)
    assert library.system(Role.AUDITOR).startswith("Be kind.\n\nThe form of your reply")
    assert library.system(Role.EXECUTOR) == PromptLibrary().system(Role.EXECUTOR)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\xff\xfe", "not UTF-8"), (b" \n", "is empty"), (b"x" * 200_000, "is larger than")],
)
def test_a_prompt_that_cannot_be_used_is_said_with_its_path(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "architect.md"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=reason) as caught:
        PromptLibrary(tmp_path).system(Role.ARCHITECT)
    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_a_prompt_is_said(tmp_path: Path) -> None:
    (tmp_path / "architect.md").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        PromptLibrary(tmp_path).system(Role.ARCHITECT)
