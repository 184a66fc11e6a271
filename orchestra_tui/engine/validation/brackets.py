"""Brackets counted by a plain lexer: the second sign where a grammar is weak.

The rule a reader must not break: what is in strings, comments and the other branches of `#if`
does not count, and a language without a lexer here gives None: no sign, not a good sign.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from orchestra_tui.engine.validation.tree import OPENERS, PAIRS, Brackets, Mark

_DOUBLE = r'"(?:\\.|[^"\\\n])*"'
_SINGLE = r"'(?:\\.|[^'\\\n])*'"
_BLOCK = r"/\*.*?(?:\*/|\Z)"
_SLASHES = r"//[^\n]*"
_HASH = r"#[^\n]*"
_BRACKET = r"[(){}\[\]]"
_RAW_CPP = r'R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"'
_DIGITS = r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])"
_TRIPLE = r'#*""".*?"""#*'
_URL = r"url\([^()\n]*\)"
_C = (_RAW_CPP, _DIGITS, _BLOCK, _SLASHES, _DOUBLE, _SINGLE, _BRACKET)
_SQL = (
    r"--[^\n]*",
    _BLOCK,
    r"'(?:''|\\.|[^'\\])*'",
    r'"[^"\n]*"',
    r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    r"\\[a-z][^\n]*",
    r"[()]",
)

_TOKENS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile("|".join(parts), re.DOTALL)
        for name, parts in {
            "c": _C,
            "cpp": _C,
            "objc": _C,
            "css": (_BLOCK, _DOUBLE, _SINGLE, _URL, _BRACKET),
            "scss": (_BLOCK, _DOUBLE, _SINGLE, _URL, _SLASHES, _BRACKET),
            "swift": (_TRIPLE, _BLOCK, _SLASHES, r'#+".*?"#+', _DOUBLE, _BRACKET),
            "sql": _SQL,
            "dart": (_TRIPLE, _BLOCK, _SLASHES, _DOUBLE, _SINGLE, _BRACKET),
            "scala": (_TRIPLE, _BLOCK, _SLASHES, _DOUBLE, r"'\\?.'", _BRACKET),
            "zig": (_SLASHES, r"\\\\[^\n]*", _DOUBLE, r"'\\?[^'\n]+'", _BRACKET),
            "powershell": (
                r"<#.*?(?:#>|\Z)",
                r"@'\n.*?\n'@",
                r'@"\n.*?\n"@',
                r"`.",
                _HASH,
                r"'[^']*'",
                r'"(?:`.|\"\"|[^"`])*"',
                _BRACKET,
            ),
            "csharp": (
                r'\$*""".*?"""',
                r'(?:@\$?|\$@)"(?:""|[^"])*"',
                _BLOCK,
                _SLASHES,
                _DOUBLE,
                _SINGLE,
                _BRACKET,
            ),
            "proto": (_BLOCK, _SLASHES, _DOUBLE, _SINGLE, _BRACKET),
            "graphql": (_TRIPLE, _HASH, _DOUBLE, _BRACKET),
        }.items()
    }
)
_PREPROCESSED = frozenset({"c", "cpp", "objc"})
_BRANCHED = frozenset({*_PREPROCESSED, "csharp"})
_BRANCH = re.compile(r"^[ \t]*#[ \t]*if\b", re.MULTILINE)
_NAME = re.compile(r"[ \t]+(\w+)")
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)


def lexical_brackets(language: str, text: str) -> Brackets | None:
    """Count the brackets of `text`; None where this room has no lexer for the language."""
    tokens = _TOKENS.get(language)
    if tokens is None:
        return None
    if language in _BRANCHED:
        text = _one_branch(text)
    stack: list[tuple[str, int]] = []
    lost: list[tuple[str, int]] = []
    strays = 0
    for match in tokens.finditer(text):
        token = match.group(0)
        if token in OPENERS:
            stack.append((token, match.start()))
        elif token in PAIRS:
            if not any(char == PAIRS[token] for char, _ in stack):
                strays += 1
                continue
            while stack[-1][0] != PAIRS[token]:
                lost.append(stack.pop())
            stack.pop()
        elif token.startswith("/*") and not token.endswith("*/"):
            lost.append(("/*", match.start()))
    return Brackets(tuple(_mark(text, char, at) for char, at in lost + stack), strays)


def has_branches(language: str, text: str) -> bool:
    """True if the text has `#if`: half a statement may stand in one, which no grammar knows."""
    return language in _BRANCHED and _BRANCH.search(text) is not None


def macros_opened(language: str, new: str, old: str) -> tuple[Mark, ...]:
    """The macros whose brackets were balanced in `old` and are not in `new`.

    A macro may open what another one closes, so only what `old` says of the same name counts.
    """
    if language not in _PREPROCESSED:
        return ()
    before = dict(_macros(language, old))
    return tuple(
        Mark(mark.line, mark.column, f"#define {name}")
        for name, (mark, is_balanced) in _macros(language, new)
        if not is_balanced and name in before and before[name][1]
    )


def _macros(language: str, text: str) -> Iterator[tuple[str, tuple[Mark, bool]]]:
    """Each macro's name with its place and whether its brackets are balanced."""
    for match in _DIRECTIVE.finditer(text):
        name = _NAME.match(match.group(2)) if match.group(1) == "define" else None
        if name is not None:
            tokens = [token[0] for token in _TOKENS[language].finditer(match.group(2))]
            counts = Counter(PAIRS.get(token, token) for token in tokens if token in PAIRS)
            counts.subtract(token for token in tokens if token in OPENERS)
            mark = _mark(text, "#", match.start())
            yield name.group(1), (mark, not any(counts.values()))


def _one_branch(text: str) -> str:
    """The text with directives and all but the first branch of each `#if` blanked out."""
    pieces: list[str] = []
    depth: list[bool] = []
    position = 0
    for match in _DIRECTIVE.finditer(text):
        between = text[position : match.start()]
        pieces.append(_blank(between) if any(depth) else between)
        pieces.append(_blank(match.group(0)))
        position = match.end()
        match match.group(1):
            case "if" | "ifdef" | "ifndef":
                depth.append(False)
            case "else" | "elif" | "elifdef" | "elifndef" if depth:
                depth[-1] = True
            case "endif" if depth:
                depth.pop()
            case _:
                pass
    rest = text[position:]
    pieces.append(_blank(rest) if any(depth) else rest)
    return "".join(pieces)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _mark(text: str, char: str, at: int) -> Mark:
    start = text.rfind("\n", 0, at) + 1
    return Mark(text.count("\n", 0, at) + 1, at - start + 1, char)
