"""An end that is gone: a cut falls inside a block, who deletes keeps to its borders."""

import pytest

from orchestra_tui.engine.validation import PlanHint, ReportState, validate

PYTHON = """\
import a


def first(b):
    c = a.one(b)
    if c:
        c = a.two(c)
    return c


def second(d):
    e = a.three(d)
    return e


def third(f):
    return a.four(f)
"""
YAML = """\
services:
  web:
    image: web:1
    ports:
      - "80:80"
    environment:
      MODE: live
volumes:
  data: {}
  logs: {}
"""
MARKDOWN = """\
# Title

One sentence of a paragraph that goes on
in a second line and ends in a third one,
which is this.

## More

Another paragraph.

## The end

It was a pleasure.
"""


def upto(text: str, line: str) -> str:
    """The text up to and with the line that begins so."""
    return text[: text.index("\n", text.index(line)) + 1]


@pytest.mark.parametrize(
    ("path", "text", "last"),
    [
        ("a.py", PYTHON, "    c = a.one(b)"),
        ("a.py", PYTHON, "        c = a.two(c)"),
        ("a.py", PYTHON, "    e = a.three(d)"),
        ("a.yaml", YAML, "    image"),
        ("a.yaml", YAML, '      - "80:80"'),
        ("a.md", MARKDOWN, "in a second line"),
    ],
)
def test_half_a_block_gone_with_all_that_followed_is_incomplete(
    path: str, text: str, last: str
) -> None:
    report = validate(path, upto(text, last), text)
    assert report.state is ReportState.INCOMPLETE
    assert validate(path, upto(text, last), text, plan_hint=PlanHint(words="Remove it")).is_hard


@pytest.mark.parametrize(
    ("path", "text", "last"),
    [
        ("a.py", PYTHON, "    return c"),
        ("a.py", PYTHON, "    return e"),
        ("a.yaml", YAML, "      MODE"),
        ("a.yaml", YAML, "  data"),
        ("a.md", MARKDOWN, "which is this."),
        ("a.md", MARKDOWN, "Another paragraph."),
    ],
)
def test_whole_blocks_gone_from_the_end_are_only_suspect(path: str, text: str, last: str) -> None:
    report = validate(path, upto(text, last), text)
    assert report.state is ReportState.SUSPECT
    assert {item.kind for item in report.diagnostics} == {"lost-tail"}


def test_an_end_that_is_replaced_is_no_loss() -> None:
    new = upto(PYTHON, "    c = a.one(b)") + "    return c or a.last(b)\n"
    assert validate("a.py", new, PYTHON).state is ReportState.FINE


def test_an_end_that_moved_up_is_no_loss() -> None:
    """A file was sorted: what stood below stands above now, a little different."""
    head, services, rest = (
        YAML[:10],
        YAML[10 : YAML.index("volumes")],
        YAML[YAML.index("volumes") :],
    )
    new = rest.replace("{}", "null") + head + services.replace("      MODE: live\n", "")
    assert not validate("a.yaml", new, head + services + rest).is_hard
