"""What is certain enough to be repaired without a model, and what is not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.engine.agents.file_replies import begun_file
from orchestra_tui.engine.agents.mending import closed, is_broken_off, unwrapped_reply
from orchestra_tui.engine.agents.related import missing_definitions
from orchestra_tui.engine.validation import validate
from tests.engine.damage_samples import sample
from tests.stubs.scripted_agents import whole_file

REPLY = whole_file("a.py", "x = 1\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class A {\n  f() {\n    return 1;\n  }\n", "class A {\n  f() {\n    return 1;\n  }\n}\n"),
        ("const a = [\n  1,\n  2,\n", "const a = [\n  1,\n  2,\n]\n"),
        ("  call(\n    1,\n", "  call(\n    1,\n  )\n"),
        ('{\n  "a": "{",\n  "b": [1]\n', '{\n  "a": "{",\n  "b": [1]\n}\n'),
    ],
)
def test_one_missing_closer_at_the_end(text: str, expected: str) -> None:
    assert next(closed(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "f() {\n  return 1;\n}\n",
        # Two are missing: where the inner one belongs is a guess.
        "class A {\n  f() {\n    return 1;\n",
        # One is missing in the middle: at the end it would swallow what follows.
        "function a() {\n  if (x) {\n    y();\n}\n\nfunction b() {\n  z();\n}\n",
        "class A {\n  f() {\n    if (x) {\n      y();\n  }\n\n  g() {}\n}\n",
        # A closer too many, or of the wrong kind.
        "f(]\n",
        "f())\n(\n  x\n",
        # Nothing stands inside.
        "class A {\n",
        "class A {\nf();\n",
    ],
)
def test_what_is_not_certain_is_left_alone(text: str) -> None:
    assert list(closed(text)) == []


@given(seed=st.integers(0, 10_000))
def test_no_closer_from_the_middle_is_put_at_the_end(seed: int) -> None:
    """What the validator then calls fine is the file as it was, but for white space."""
    rng = random.Random(seed)
    one = sample(rng, rng.randrange(21))
    places = [at for at, char in enumerate(one.new) if char in ")]}"]
    at = rng.choice(places)
    candidates = closed(one.new[:at] + one.new[at + 1 :])
    fine = (text for text in candidates if validate(one.path, text, one.old).state == "fine")
    if (taken := next(fine, None)) is not None:
        assert "".join(taken.split()) == "".join(one.new.split())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Sure!\n\n", ""),
        ("```\n", "```\n"),
        ("", "\nLet me know.\n"),
        ("Here:\n```py\n", "```\nBye\n"),
    ],
)
def test_a_whole_reply_loses_what_stands_around_it(before: str, after: str) -> None:
    assert unwrapped_reply(before + REPLY + after, "a.py") == REPLY


@pytest.mark.parametrize(
    "reply",
    [
        REPLY,
        "Sure!\n" + REPLY.replace("=== END REPLY\n", ""),
        "Sure!\n" + REPLY.replace("a.py", "b.py"),
        "Sure!\n" + REPLY + REPLY,
        "=== END REPLY\nSure!\n=== FILE a.py\n",
        "I have changed the file.",
    ],
)
def test_a_reply_whose_marks_are_not_there_once_is_not_unwrapped(reply: str) -> None:
    assert unwrapped_reply(reply, "a.py") is None


@pytest.mark.parametrize(
    ("reply", "is_cut"),
    [
        ("=== FILE a.py\nx = 1\n", True),
        ("\n=== EDIT a.py\n<<<<<<< SEARCH\n", True),
        (REPLY, False),
        (REPLY + "Let me know.\n", False),
        ("I have changed the file.", False),
        ("", False),
    ],
)
def test_a_reply_that_broke_off(reply: str, is_cut: bool) -> None:
    assert is_broken_off(reply) is is_cut


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("=== FILE a.py\nx = 1\ny = 2\nz =", "x = 1\ny = 2\n"),
        ("=== FILE a.py\nx = 1\n=== END FILE\n", "x = 1\n"),
        ("=== FILE a.py\nx =", None),
        ("=== EDIT a.py\nx = 1\ny = 2\n", None),
        ("=== FILE b.py\nx = 1\ny = 2\n", None),
        ("words", None),
        ("", None),
    ],
)
def test_what_came_of_a_file(reply: str, expected: str | None) -> None:
    assert begun_file(reply, "a.py") == expected


def test_definitions_that_were_lost() -> None:
    wanted = "def f():\n    pass\n\n\nclass A:\n    def g(self):\n        pass\n"
    assert missing_definitions(wanted, "def f():\n    pass\n") == ("class A:", "    def g(self):")
    assert missing_definitions(wanted, wanted) == ()
