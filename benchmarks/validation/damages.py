"""The damages: each makes one bad text of a good one, or None where it has nothing to damage.

The rule a reader must not break: a damage looks at the text only (indentation, tokens of
Pygments), never through the validator's own eyes, and always loses something real.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Literal, Punctuation, Token
from pygments.util import ClassNotFound

from benchmarks.validation.corpus import Sample
from benchmarks.validation.phrases import INTROS, OUTROS, PLACEHOLDERS, part_of

Damage = Callable[[Sample, random.Random], str | None]

MARKUP = frozenset({"html", "xml", "vue", "svelte"})
_DASHES = frozenset({"sql", "lua", "haskell"})
_HASHES = frozenset(
    [
        "bash",
        "cmake",
        "elixir",
        "graphql",
        "hcl",
        "julia",
        "perl",
        "powershell",
        "python",
        "r",
        "ruby",
        "toml",
        "yaml",
    ]
)
_STARS = frozenset({"css"})
_HEADERS = re.compile(
    r"^\s*(?:(?:async |export |default |pub(?:\(\w+\))? |public |private |protected |internal |"
    r"static |final |override |abstract |open |suspend |unsafe |local |virtual |inline |const )*"
    r"(?:def|function|func|fn|fun|defp?)\b.*[^(,]|"
    r"(?:[\w<>\[\],.&*: ]+ )?[~\w:]+\([^;=]*\)[^;=(]*\{)\s*$"
)
_NO_FUNCTION = re.compile(
    r"^\s*(?:if|for|while|switch|catch|else|elif|return|foreach|match|with)\b"
)
_OPTIONAL_TAGS = frozenset(
    [
        "p",
        "li",
        "td",
        "th",
        "tr",
        "option",
        "dt",
        "dd",
        "thead",
        "tbody",
        "tfoot",
        "html",
        "head",
        "body",
    ]
)
_STUBS: Mapping[str, tuple[str, ...]] = {
    "python": (
        "raise NotImplementedError",
        "pass  # TODO: implement",
        "# TODO: implement\n    pass",
    ),
    "ruby": ("raise NotImplementedError", "# TODO: implement"),
    "rust": ("todo!()", "unimplemented!()", 'panic!("not implemented")'),
    "go": ('panic("not implemented")', "// TODO: implement"),
    "java": (
        'throw new UnsupportedOperationException("Not implemented yet");',
        "// TODO: implement this method",
    ),
    "csharp": ("throw new NotImplementedException();", "// TODO: implement"),
    "kotlin": ('TODO("Not yet implemented")', "// TODO: implement"),
    "swift": ('fatalError("not implemented")', "// TODO: implement"),
    "bash": (":  # TODO: implement", "# TODO: implement this\n    return 0"),
    "lua": ('error("not implemented")', "-- TODO: implement"),
    "php": ("throw new \\Exception('Not implemented');", "// TODO: implement"),
    "c": ("/* TODO: implement */", "return 0; /* stub */"),
    "cpp": ("// TODO: implement", 'throw std::runtime_error("not implemented");'),
    "javascript": ("// TODO: implement", "throw new Error('Not implemented');"),
    "elixir": ('raise "not implemented"', "# TODO: implement\n    nil"),
    "dart": ("throw UnimplementedError();", "// TODO: implement"),
    "scala": ("???", "// TODO: implement\n    ???"),
}
_SAME_STUBS = {"typescript": "javascript", "tsx": "javascript"}


def cut_byte(sample: Sample, chance: random.Random) -> str | None:
    """Cut at a random byte."""
    data = sample.new.encode()
    at = chance.randrange(len(data) // 20, len(data) * 19 // 20)
    return _cut(sample.new, data[:at].decode("utf-8", "ignore"))


def cut_token(sample: Sample, chance: random.Random) -> str | None:
    """Cut between two tokens."""
    ends = [match.end() for match in re.finditer(r"\w+|[^\w\s]", sample.new)]
    return _cut(sample.new, sample.new[: chance.choice(ends[len(ends) // 20 : -1])])


def cut_line(sample: Sample, chance: random.Random) -> str | None:
    """Cut between two lines."""
    lines = sample.new.splitlines(keepends=True)
    at = chance.randrange(max(1, len(lines) // 20), len(lines))
    return _cut(sample.new, "".join(lines[:at]))


def drop_last(sample: Sample, chance: random.Random) -> str | None:
    """Lose the last one to eight lines that hold something."""
    lines = sample.new.splitlines(keepends=True)
    wanted = chance.randint(1, 8)
    while lines and wanted:
        wanted -= bool(lines.pop().strip())
    return _cut(sample.new, "".join(lines))


def close_last(sample: Sample, chance: random.Random) -> str | None:
    """Lose the last closer."""
    places = list(_closers(sample))
    return _without(sample.new, places[-1]) if places else None


def close_any(sample: Sample, chance: random.Random) -> str | None:
    """Lose one closer anywhere."""
    places = list(_closers(sample))
    return _without(sample.new, chance.choice(places)) if places else None


def elide_body(sample: Sample, chance: random.Random) -> str | None:
    """An indented block becomes a placeholder comment."""
    blocks = list(_blocks(sample.new.split("\n")))
    return _elided(sample, chance, *chance.choice(blocks)) if blocks else None


def elide_middle(sample: Sample, chance: random.Random) -> str | None:
    """A run of lines in the middle, between two lines of one indentation, becomes a placeholder."""
    lines = sample.new.split("\n")
    starts = [
        (start, stop)
        for start in range(2, len(lines) - 8)
        for stop in (start + 5, start + 12, start + 25)
        if stop < len(lines) - 2 and _may_leave(lines, start, stop)
    ]
    return _elided(sample, chance, *chance.choice(starts)) if starts else None


def elide_head(sample: Sample, chance: random.Random) -> str | None:
    """The first third of the file becomes a placeholder."""
    lines = sample.new.split("\n")
    starts = _top_lines(lines, len(lines) // 5, len(lines) // 2)
    return _elided(sample, chance, 0, chance.choice(starts)) if starts else None


def elide_tail(sample: Sample, chance: random.Random) -> str | None:
    """The file's end becomes a placeholder."""
    lines = sample.new.split("\n")
    starts = _top_lines(lines, len(lines) // 3, len(lines) - 5)
    return _elided(sample, chance, chance.choice(starts), len(lines) - 1) if starts else None


def stub_body(sample: Sample, chance: random.Random) -> str | None:
    """A function's body becomes one that only says it is not written."""
    name = _SAME_STUBS.get(sample.bucket, sample.bucket)
    lines = sample.new.split("\n")
    bodies = [
        block
        for block in _blocks(lines)
        if _HEADERS.match(lines[block[0] - 1]) and not _NO_FUNCTION.match(lines[block[0] - 1])
    ]
    if not bodies or name not in _STUBS:
        return None
    start, stop = chance.choice(bodies)
    indent = _indent(next(line for line in lines[start:stop] if line.strip()))
    stub = [indent + line.strip() for line in chance.choice(_STUBS[name]).split("\n")]
    return "\n".join([*lines[:start], *stub, *lines[stop:]])


def fence_wrapped(sample: Sample, chance: random.Random) -> str | None:
    """The whole file in a code fence, with or without a line of chat."""
    if sample.bucket == "markdown":
        return f"```markdown\n{sample.new}```\n"
    intro = chance.choice(["", f"{_phrase(INTROS, sample, chance)}\n\n"])
    outro = chance.choice(["", f"\n{_phrase(OUTROS, sample, chance)}\n"])
    return f"{intro}```{sample.bucket}\n{sample.new}```\n{outro}"


def fence_unclosed(sample: Sample, chance: random.Random) -> str | None:
    """A fence that is opened and never closed: the reply's own end is missing."""
    return None if sample.bucket == "markdown" else f"```{sample.bucket}\n{sample.new}"


def fence_truncated(sample: Sample, chance: random.Random) -> str | None:
    """An opened fence, and the file inside is cut."""
    cut = cut_line(sample, chance)
    return None if sample.bucket == "markdown" or cut is None else f"```{sample.bucket}\n{cut}"


def prose_before(sample: Sample, chance: random.Random) -> str | None:
    """A line of chat above the bare file."""
    if sample.bucket == "markdown":
        return None
    return f"{_phrase(INTROS, sample, chance)}\n\n{sample.new}"


def prose_after(sample: Sample, chance: random.Random) -> str | None:
    """A line of chat below the bare file."""
    if sample.bucket == "markdown":
        return None
    return f"{sample.new}\n{_phrase(OUTROS, sample, chance)}\n"


def earlier(sample: Sample, chance: random.Random) -> str:
    """An older version of a file that has no history: one name changed, one block absent."""
    lines = sample.new.split("\n")
    blocks = [block for block in _blocks(lines) if _indent(lines[block[0] - 1]) == ""]
    if len(blocks) > 2:
        start, stop = chance.choice(blocks[:-1])
        has_end = (
            stop < len(lines) and not _indent(lines[stop]) and lines[stop].strip()[:1] in "})]e"
        )
        after = stop + bool(has_end and lines[stop].strip())
        gone = "\n".join(lines[start - 1 : after])
        if all(gone.count(pair[0]) == gone.count(pair[1]) for pair in ("()", "[]", "{}")):
            lines = [*lines[: start - 1], *lines[after:]]
    words = re.findall(r"\b[a-z]{4,}\b", "\n".join(lines))
    if words:
        word = chance.choice(words)
        lines = [re.sub(rf"\b{word}\b", f"{word}s", line) for line in lines]
    return "\n".join(lines)


def comment_of(bucket: str, phrase: str) -> str:
    """The phrase as a comment line of the language."""
    if bucket in MARKUP or bucket == "markdown":
        return f"<!-- {phrase} -->"
    if bucket in _HASHES:
        return f"# {phrase}"
    if bucket in _DASHES:
        return f"-- {phrase}"
    if bucket == "ocaml":
        return f"(* {phrase} *)"
    return f"/* {phrase} */" if bucket in _STARS else f"// {phrase}"


def _elided(sample: Sample, chance: random.Random, start: int, stop: int) -> str | None:
    lines = sample.new.split("\n")
    if not _holds_code(sample, lines, start, stop):
        return None
    indent = _indent(next(line for line in lines[start:stop] if line.strip()))
    comment = comment_of(sample.bucket, _phrase(PLACEHOLDERS, sample, chance))
    return "\n".join([*lines[:start], indent + comment, *lines[stop:]]).rstrip() + "\n"


def _holds_code(sample: Sample, lines: Sequence[str], start: int, stop: int) -> bool:
    """True if at least three of the lines are code, and the first is not inside a comment."""
    filled = [number for number in range(start, stop) if lines[number].strip()]
    tokens = [] if sample.bucket in MARKUP | {"markdown"} else _tokens(sample)
    if not tokens:
        return len(filled) >= 3
    code: set[int] = set()
    starts = {filled[0]} if filled else set()
    number = 0
    for _, kind, value in tokens:
        is_words = kind in Comment or kind in Literal.String
        rows = range(number, number + value.count("\n") + 1)
        if is_words and any(row in starts for row in rows[1:]):
            return False
        if not is_words and value.strip():
            code.update(rows)
        number = rows[-1]
    return len(code & set(filled)) >= 3


def _phrase(phrases: Sequence[str], sample: Sample, chance: random.Random) -> str:
    return chance.choice(part_of(phrases, is_held_out=sample.is_held_out))


def _cut(text: str, piece: str) -> str | None:
    piece = piece.rstrip()
    is_real = piece and len(text[len(piece) :].strip()) >= 1 and len(piece) < len(text.rstrip())
    return piece + "\n" if is_real else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of at least three lines that are indented deeper than the line above them."""
    for index in range(len(lines) - 3):
        head, first = lines[index], lines[index + 1]
        if not head.strip() or not first.strip() or len(_indent(first)) <= len(_indent(head)):
            continue
        stop, filled = index + 1, 0
        while stop < len(lines) and (
            not lines[stop].strip() or len(_indent(lines[stop])) > len(_indent(head))
        ):
            filled += bool(lines[stop].strip())
            stop += 1
        while not lines[stop - 1].strip():
            stop -= 1
        if filled >= 3:
            yield index + 1, stop


def _may_leave(lines: Sequence[str], start: int, stop: int) -> bool:
    """True if the run begins and ends at one indentation and nothing inside is shallower."""
    indents = [len(_indent(line)) for line in lines[start:stop] if line.strip()]
    around = len(_indent(lines[start]))
    is_even = lines[start].strip() != "" and lines[stop].strip() != ""
    return bool(is_even and indents and min(indents) == around == len(_indent(lines[stop])))


def _top_lines(lines: Sequence[str], start: int, stop: int) -> list[int]:
    """Lines that begin something: not indented, not a closer, after a blank line."""
    return [
        index
        for index in range(max(start, 1), max(start, stop))
        if lines[index][:1].isalnum() and not lines[index - 1].strip()
    ]


def _without(text: str, place: tuple[int, int]) -> str:
    return (text[: place[0]] + text[place[1] :]).rstrip() + "\n"


def _closers(sample: Sample) -> Iterator[tuple[int, int]]:
    """Where the closers stand that are neither in strings nor in comments.

    Of YAML its own are meant, not those of the texts and scripts that it holds.
    """
    if sample.bucket == "markdown":
        return
    if sample.bucket in MARKUP:
        for match in re.finditer(r"</([a-zA-Z][\w:-]*)\s*>", sample.new):
            if match.group(1).lower() not in _OPTIONAL_TAGS:
                yield match.span()
        return
    for at, kind, value in _tokens(sample):
        is_text = kind in Literal.String and kind not in Literal.String.Interpol
        if kind in Comment or is_text or (sample.bucket == "yaml" and kind not in Punctuation):
            continue
        for offset, char in enumerate(value):
            if char in ")]}":
                yield at + offset, at + offset + 1


_LEXED_AS = {"c-header": "x.h.cpp", "r": "x.R", "perl": "x.pm"}
"""Where a suffix means another language to Pygments: `.r` is Rebol to it and `.pl` Prolog."""


def _tokens(sample: Sample) -> list[tuple[int, object, str]]:
    name = _LEXED_AS.get(sample.bucket, sample.path)
    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return []
    tokens = list(lexer.get_tokens_unprocessed(sample.new))
    return [] if any(kind is Token.Error for _, kind, _ in tokens) else tokens


DAMAGES: Mapping[str, Damage] = {
    "cut at a byte": cut_byte,
    "cut at a token": cut_token,
    "cut at a line": cut_line,
    "last lines lost": drop_last,
    "last closer lost": close_last,
    "one closer lost": close_any,
    "body elided": elide_body,
    "middle elided": elide_middle,
    "head elided": elide_head,
    "tail elided": elide_tail,
    "body stubbed": stub_body,
    "in a fence": fence_wrapped,
    "fence unclosed": fence_unclosed,
    "fence and cut": fence_truncated,
    "chat before": prose_before,
    "chat after": prose_after,
}
