"""What the layout of a shell script says of its blocks: the second sign beside the grammar.

The rule a reader must not break: it only takes back what the grammar says. Quotes inside quotes
are good shell that the grammar rejects, and it then loses the blocks around them.
"""

import re
from collections import Counter
from collections.abc import Sequence

from orchestra_tui.engine.validation.tree import Mark

_ENDS = {"if": "fi", "case": "esac", "do": "done", "{": "}"}
_QUOTED = re.compile(r"\\.|'[^'\n]*'|\"[^\"\n]*\"|\$?\$\{[^{}\n]*\}|(?<![^\s;])#[^\n]*")
_WORD = re.compile(
    r"(?:^|[;&|(){]|\b(?:then|do|else)\s)\s*(if|case|fi|esac|done|\{|\})(?![\w={-])|"
    r"(?:^|[\s;])(do)(?=\s|$)|(?<=\))\s*(\{)",
    re.MULTILINE,
)


def still_open(text: str, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The openers of `marks` that the layout does not close either."""
    lines = text.split("\n")
    return tuple(mark for mark in marks if not _is_closed(lines, mark))


def _is_closed(lines: Sequence[str], mark: Mark) -> bool:
    """`{` at the end of a line and `}` below its beginning; `[[` and `]]` in one line."""
    line = lines[mark.line - 1]
    if mark.text == "[":
        return line.count("[[") == line.count("]]") > 0
    if mark.text != "{" or not line.rstrip().endswith("{") or line.count("(") != line.count(")"):
        return False
    depth = len(line) - len(line.lstrip())
    for below in lines[mark.line :]:
        if below.strip() and len(below) - len(below.lstrip()) <= depth:
            return below.strip()[0] == "}" and len(below) - len(below.lstrip()) == depth
    return False


def has_its_ends(text: str) -> bool:
    """True if every block that begins with a word has the word that ends it, by number."""
    counts: Counter[str] = Counter()
    for match in _WORD.finditer(_QUOTED.sub(" ", text)):
        counts[match.group(1) or match.group(2) or match.group(3)] += 1
    return all(counts[opener] == counts[end] for opener, end in _ENDS.items())
