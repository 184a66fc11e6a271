"""Talk around a file: names above fences, lists of changes below, words around documents."""

import pytest

from orchestra_tui.engine.validation import ReportState, validate

SCSS = "$a: 1px;\n\n.b {\n  &:hover { width: $a; }\n}\n"
PAGE = "<!doctype html>\n<html>\n<body>\n<p>a</p>\n</body>\n</html>\n"
DOCUMENT = "# Title\n\nThese are words of the document.\n"


@pytest.mark.parametrize(
    ("path", "good", "before", "after"),
    [
        ("a.scss", SCSS, "**src/a.scss**\n```scss\n", "```\n"),
        ("a.scss", SCSS, "### `src/a.scss`\n\n```\n", "```\n"),
        ("a.scss", SCSS, "", "\nKey changes:\n\n1. Added a check\n2. Renamed the variable\n"),
        ("a.html", PAGE, "Let me fix this for you.\n\n", ""),
    ],
)
def test_talk_around_code_is_taken_off(path: str, good: str, before: str, after: str) -> None:
    report = validate(path, before + good + after)
    assert report.state is ReportState.WRAPPED
    assert (report.unwrapped or "").strip() == good.strip()


@pytest.mark.parametrize(
    ("before", "after"),
    [("Here is the updated file:\n\n", ""), ("", "\nLet me know if you need anything else!\n")],
)
def test_talk_around_a_known_document_is_taken_off(before: str, after: str) -> None:
    report = validate("a.md", before + DOCUMENT + after, DOCUMENT)
    assert report.state is ReportState.WRAPPED
    assert (report.unwrapped or "").strip() == DOCUMENT.strip()


def test_a_document_may_speak_to_its_reader() -> None:
    assert validate("a.md", "Please read this first.\n\n" + DOCUMENT).state is ReportState.FINE
    ends = DOCUMENT + "\nLet me know if you find a mistake.\n"
    assert validate("a.md", ends).state is ReportState.FINE
    assert validate("a.md", "Here is the updated file:\n\n" + DOCUMENT).is_hard


def test_a_list_of_a_yaml_file_is_no_talk() -> None:
    text = "name: a\n\nchanges:\n\n- one of them\n- another of them\n"
    assert validate("a.yml", text).state is ReportState.FINE
