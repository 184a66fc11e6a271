"""Damage as models do it to a reply, drawn from a seed: cut, wrapped, elided, unclosed, garbled.

Every function takes the intended text of a file and gives a reply, so that nothing else of the
engine needs to know that something is wrong with it.
"""

import random
import re
from collections.abc import Callable

from orchestra_tui.domain.calls import FinishReason
from tests.engine.recovery_house import Said
from tests.stubs.scripted_agents import whole_file

Damager = Callable[[random.Random, str, str], Said]
_COMMENTS = {"py": "#", "sh": "#", "yaml": "#", "toml": "#", "html": "<!--", "css": "/*"}
_ENDS = {"html": " -->", "css": " */"}


def cut_without_mark(rng: random.Random, path: str, text: str) -> Said:
    """The reply stops anywhere, and the provider says that it is whole."""
    reply = whole_file(path, text)
    end = len(f"=== FILE {path}\n")
    return Said(reply[: rng.randint(end, len(reply) - len("=== END REPLY\n"))])


def cut_at_length(rng: random.Random, path: str, text: str) -> Said:
    """The reply stops at the provider's length limit."""
    return Said(cut_without_mark(rng, path, text).text, FinishReason.LENGTH)


def ended_oddly(rng: random.Random, path: str, text: str) -> Said:
    """The reply looks whole, but the provider did not end it by itself."""
    odd = (FinishReason.UNKNOWN, FinishReason.ERROR, FinishReason.FILTERED)
    return Said(whole_file(path, text), rng.choice(odd))


def without_end_mark(rng: random.Random, path: str, text: str) -> Said:
    """The file is whole and its last marker line is missing."""
    return Said(f"=== FILE {path}\n{text}" + rng.choice(["", "=== END FILE\n"]))


def fenced_inside(rng: random.Random, path: str, text: str) -> Said:
    """A fence around the file, inside the marker lines."""
    tag = rng.choice(["", path.rpartition(".")[2]])
    return Said(whole_file(path, f"```{tag}\n{text}```\n"))


def fenced_outside(rng: random.Random, path: str, text: str) -> Said:
    """A fence or chat around the whole reply."""
    before = rng.choice(["```\n", "Sure! Here is the updated file:\n\n", "Here you go.\n```text\n"])
    after = rng.choice(["```\n", "\nLet me know if you need anything else.\n"])
    return Said(before + whole_file(path, text) + after)


def without_last_closer(rng: random.Random, path: str, text: str) -> Said:
    """The last closing bracket of the file is missing."""
    at = max(text.rfind(closer) for closer in ")]}")
    start = text.rfind("\n", 0, at) + 1
    line = text[start : text.find("\n", at) + 1]
    kept = "" if line.strip() in {")", "]", "}"} else line.replace(text[at], "", 1)
    return Said(whole_file(path, text[:start] + kept + text[start + len(line) :]))


def without_some_closer(rng: random.Random, path: str, text: str) -> Said:
    """Some closing bracket is missing."""
    at = rng.choice([found.start() for found in re.finditer(r"[)\]}]", text)])
    return Said(whole_file(path, text[:at] + text[at + 1 :]))


def elided(rng: random.Random, path: str, text: str) -> Said:
    """A comment stands for the body of a function, or for all after the first few functions."""
    lines = text.split("\n")
    heads = [at for at, line in enumerate(lines) if line.rstrip().endswith(("{", ":")) and line]
    outer = [at for at in heads if _depth(lines[at]) == _depth(lines[heads[-3]])] or heads
    start = rng.choice(outer[: max(1, len(outer) // 2)]) + 1
    end = start + 1
    while end < len(lines) and _depth(lines[end]) > _depth(lines[start - 1]):
        end += 1
    kind = path.rpartition(".")[2]
    mark = _COMMENTS.get(kind, "//")
    words = rng.choice(["... rest of the code unchanged ...", "... existing code ..."])
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    comment = f"{indent}{mark} {words}{_ENDS.get(kind, '')}"
    return Said(whole_file(path, "\n".join([*lines[:start], comment, *lines[end:]])))


def stubbed(rng: random.Random, path: str, text: str) -> Said:
    """The body of one of the first two functions of a Python file became a stub."""
    heads = [found.end() for found in re.finditer(r"^def .*:\n", text, re.MULTILINE)][:2]
    start = rng.choice(heads)
    end = text.index("\n\ndef ", start)
    stub = rng.choice(["pass\n", "raise NotImplementedError\n", "...  # TODO: implement\n"])
    return Said(whole_file(path, f"{text[:start]}    {stub}{text[end:]}"))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else 99


def wrong_edit(rng: random.Random, path: str, text: str) -> Said:
    """An edit whose SEARCH is nowhere in the file."""
    search = "this line stands nowhere\n"
    block = f"<<<<<<< SEARCH\n{search}=======\n{text.splitlines()[0]}\n>>>>>>> REPLACE\n"
    return Said(f"=== EDIT {path}\n{block}=== END EDIT\n=== END REPLY\n")


def chat_alone(rng: random.Random, path: str, text: str) -> Said:
    """Words, and no file."""
    return Said(rng.choice(["I have updated the file for you.", "", "```\n```\n", "{}"]))


def wrong_path(rng: random.Random, path: str, text: str) -> Said:
    """The file of another path."""
    return Said(whole_file(rng.choice(["other.py", f"../{path}", f"/tmp/{path}"]), text))


def two_files(rng: random.Random, path: str, text: str) -> Said:
    """The file twice, or with one of the plan's others behind it."""
    return Said(f"=== FILE {path}\n{text}=== END FILE\n" + whole_file(path, text))


def with_a_nul(rng: random.Random, path: str, text: str) -> Said:
    """A character that no text file holds."""
    at = rng.randrange(len(text))
    return Said(whole_file(path, text[:at] + "\0" + text[at:]))


FORMAT_DAMAGE: tuple[Damager, ...] = (
    cut_without_mark,
    cut_at_length,
    ended_oddly,
    without_end_mark,
    fenced_outside,
    wrong_edit,
    chat_alone,
    wrong_path,
    two_files,
    with_a_nul,
)
TEXT_DAMAGE: tuple[Damager, ...] = (
    fenced_inside,
    without_last_closer,
    without_some_closer,
    elided,
)
ALL_DAMAGE = FORMAT_DAMAGE + TEXT_DAMAGE
