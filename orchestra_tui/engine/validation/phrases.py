"""How models say that they left code out, in three strengths.

The rule a reader must not break: phrases only nominate. The removed lines decide, because
people write "(unchanged)" and "..." above code that is really there.
"""

import re
from enum import IntEnum


class Strength(IntEnum):
    """How plainly a comment says that code is missing."""

    NONE = 0
    STUB = 1
    DOTS = 2
    HINT = 3
    PLAIN = 4


_THINGS = (
    r"(?:code|file|class(?:es)?|methods?|functions?|implementations?|module|content|contents|"
    r"components?|imports?|logic|lines?|script|document|sections?|styles?|rules?|tests?|props|"
    r"fields?|properties|handlers?|routes?|definitions?|parts?|stuff|body|html|markup|config\w*)"
)
_LEFT = r"(?:rest|remainder|remaining|existing|previous|other|unchanged|same|original|keep|omitted)"
_STAYS = (
    r"(?:unchanged|omitted|elided|as before|as is|as-is|the same|same as|stays?|remains?|"
    r"continues?|goes here|here|not shown|no changes?|untouched|intact)"
)
_DOTS = r"(?:\.{3,}|…)"

_PLAIN = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\W*{_DOTS}.*\b{_LEFT}\b",
        rf"^\W*{_DOTS}.*\b{_STAYS}\W*$",
        rf"^\W*(?:the |your |all |any )*{_LEFT}\b[ \w]{{0,40}}{_DOTS}\W*$",
        rf"\b(?:rest|remainder) of (?:the |this |your |our )?[\w.]*\s?{_THINGS}?\b.*\b{_STAYS}\b",
        r"\b(?:omitted|elided|truncated|shortened|snipped|abbreviated|removed) for "
        r"(?:brevity|clarity|space|length|simplicity|readability)\b",
        r"\bfor brevity\b",
        rf"^\W*lines? \d+ ?(?:-|\u2013|to|through) ?\d+\b.*\b{_STAYS}\b",
        rf"^\W*(?:the |all |your )*(?:existing|previous|remaining|other|original)\s+"
        rf"(?:\w+\s+){{0,2}}{_THINGS}\b.{{0,30}}\b{_STAYS}\b",
        r"(?:остальн|без изменений|код остаётся|resto del |sin cambios|其余|保持不变|省略|残り|"
        r"rest des |unverändert|reste du |inchangé|sem alteraç|restante do |invariato)",
    )
)
_HINT = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\W*(?:the )?(?:rest|remainder) of (?:the |this |your |our )?[\w. ]*{_THINGS}\W*$",
        r"^\W*(?:same|unchanged|identical)\b.*\b(?:before|above|original|previous(?:ly)?)\W*$",
        rf"^\W*(?:existing|remaining|previous|other|original)\s+(?:\w+\s+)?{_THINGS}\W*$",
        r"^\W*(?:keep|leave) (?:the |all |your )*(?:existing|other|rest|remaining|original)\b",
        r"^\W*(?:unchanged|no changes?(?: (?:here|below|needed|required))?|snip|omitted)\W*$",
        r"^\W*(?:and so on|etc)\W*$",
    )
)
_STUB = re.compile(
    r"\b(?:todo:? implement|implement (?:this|me|here|later|the rest)|your code here|"
    r"implementation (?:goes )?here|add (?:your|the) .{1,30} here|not implemented yet|placeholder)"
)
_BARE_DOTS = re.compile(rf"^\W*{_DOTS}\W*$")
_MARKS = re.compile(
    r"^\s*(?:\{?/\*+|//+|#+|<!--|--+|;+|%+|\"|\(\*|\*)?\s*"
    r"|\s*(?:\*/\}?|-->|\*\))?\s*$"
)


def strength(comment: str) -> Strength:
    """How plainly this comment (with its comment marks) says that code was left out."""
    text = " ".join(_MARKS.sub("", comment).lower().split())
    if len(text) > 200:
        return Strength.NONE
    if _BARE_DOTS.match(text):
        return Strength.DOTS
    if any(pattern.search(text) for pattern in _PLAIN):
        return Strength.PLAIN
    if any(pattern.search(text) for pattern in _HINT):
        return Strength.HINT
    return Strength.STUB if _STUB.search(text) else Strength.NONE


def starts_with_dots(comment: str) -> bool:
    """True if the comment's first word is an ellipsis."""
    return re.match(rf"^\W*{_DOTS}", _MARKS.sub("", comment)) is not None
