"""Good code that the pinned grammars reject: covered before parsing, at equal length.

The rule a reader must not break: a cover never changes the length or the lines of a text, so
that every place found in the covered text is a place in the real one.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Cover = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def covered(grammar: str, text: str) -> str:
    """`text` with the constructs that the grammar is known not to know replaced."""
    for pattern, cover in _COVERS.get(grammar, ()):
        text = pattern.sub(cover, text)
    return _without_templates(text) if grammar in _TEMPLATED else text


def _without_templates(text: str) -> str:
    """Template tags (Jinja, Go, ERB) as names where they are values, as blanks where they are not.

    A tag that is never closed stays: it may be the cut.
    """
    if _TAG.search(text) is None:
        return text
    return _TAG.sub(_name_of_tag, _TAG_LINE.sub(_blank, text))


def _name_of_tag(match: re.Match[str]) -> str:
    # The indentation of its further lines stays: in YAML it says what they belong to.
    return re.sub(r"\n[ \t]*|.", lambda part: part[0] if part[0][0] == "\n" else "_", match[0])


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group(0))


def _name(match: re.Match[str]) -> str:
    """An identifier of the same length."""
    return "_" * len(match.group(0))


def _ended(match: re.Match[str]) -> str:
    return match.group(1) + ";"


def _blank_type(match: re.Match[str]) -> str:
    return match.group(0).replace("type", "    ")


_TEMPLATED = frozenset({"yaml", "html", "xml", "css", "sql", "toml", "bash", "dockerfile", "make"})
# Each ends at its first closer: a pattern with a choice there takes for ever on long lines.
_ONE_TAG = (
    r"\{\{(?!\{)(?:(?!\}\}).){0,400}\}\}|\{%(?:(?!%\}).){0,400}%\}|"
    r"\{#(?:(?!#\}).){0,400}#\}|<%(?:(?!%>).){0,400}%>"
)
_TAG = re.compile(_ONE_TAG, re.DOTALL)
_TAG_LINE = re.compile(rf"^[ \t]*(?:(?:{_ONE_TAG})[ \t]*)+$", re.MULTILINE | re.DOTALL)
# `export { a as null }`: any name may stand after `as`.
_AS_NAME: Cover = (re.compile(r"(?<=\bas )(?:null|undefined|true|false)(?=\s*[,}])"), _name)
# `<label for="x">`: any name may be an attribute; nowhere else does `=` follow these words.
_JSX_NAME: Cover = (
    re.compile(r"(?<=\s)(?:class|for|in|new|if|default|export|var|with|this)(?==[\"'{])"),
    _name,
)
_TYPESCRIPT: tuple[Cover, ...] = (
    _AS_NAME,
    # A member of a type that begins with its own type parameters: to the grammar they belong to
    # the line above.
    (
        re.compile(
            r"(?<=[\w\])>}/]\n)([ \t\n]*)[ \t]"
            r"(?=<(?:[A-Z](?:[^<>\n]|<[^<>\n]*>)*>\(|\n[ \t]+[A-Z]\w*(?:,| extends\b| =)))"
        ),
        _ended,
    ),
    # A type parameter that is both.
    (re.compile(r"(?<=[<,])in out (?=[A-Z])"), _blank),
    # import("x").T as a type, typeof import("x"); as an expression a name does as well.
    (re.compile(r"""\bimport\((["'])[^"'\n]*\1\)"""), _name),
    (re.compile(r"^[ \t]*export type \*", re.MULTILINE), _blank_type),
    # A default export without a name or a body, as declaration files have them.
    (re.compile(r"\bdefault function (?=\()"), lambda _: "function default_ "),
)
# `Photos & Files` as the text of an element; as an operator the other one does as well.
_AMPERSAND: Cover = (re.compile(r"(?<=\w )&(?= \w)"), lambda _: "|")
_RUST: tuple[Cover, ...] = (
    # A box pattern: nightly only, everywhere in the compiler itself.
    (re.compile(r"\bbox (?=[A-Za-z(&])"), lambda _: "    "),
    # A macro until edition 2018; a reserved word for the grammar.
    (re.compile(r"\btry!"), lambda _: "tri!"),
)
_COVERS: Mapping[str, tuple[Cover, ...]] = MappingProxyType(
    {
        # A name in Python until 3.6.
        "python": ((re.compile(r"(?<=\.)async\b"), _name),),
        "javascript": (_AS_NAME, _JSX_NAME, _AMPERSAND),
        "typescript": _TYPESCRIPT,
        "tsx": (*_TYPESCRIPT, _AMPERSAND),
        "rust": _RUST,
    }
)
