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
    return text


def _name(match: re.Match[str]) -> str:
    """An identifier of the same length."""
    return "_" * len(match.group(0))


def _blank_type(match: re.Match[str]) -> str:
    return match.group(0).replace("type", "    ")


_TYPESCRIPT: tuple[Cover, ...] = (
    # import("x").T as a type, typeof import("x"); as an expression a name does as well.
    (re.compile(r"""\bimport\((["'])[^"'\n]*\1\)"""), _name),
    (re.compile(r"^[ \t]*export type \*", re.MULTILINE), _blank_type),
)
_RUST: tuple[Cover, ...] = (
    # A macro until edition 2018; a reserved word for the grammar.
    (re.compile(r"\btry!"), lambda _: "tri!"),
)
_COVERS: Mapping[str, tuple[Cover, ...]] = MappingProxyType(
    {"typescript": _TYPESCRIPT, "tsx": _TYPESCRIPT, "rust": _RUST}
)
