r"""Bytes to the text that models see, and their answer back to bytes that fit the old file.

The rule a reader must not break: models speak `\n` and no BOM; the file keeps its own line ends,
BOM and final newline, line by line where it mixes styles. An unchanged text gives back the very
bytes. Only strict UTF-8 without NUL is text; nothing is ever decoded with replacement characters.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_BOM = b"\xef\xbb\xbf"
_MAX_ALIGNED = 4_000
"""Changed lines of a file with mixed line ends that are still matched one by one."""


@dataclass(frozen=True)
class Text:
    r"""A text file as models see it: `\n` line ends, no BOM."""

    text: str
    has_bom: bool
    endings: tuple[str, ...]
    r"""The line end, `\n` or `\r\n`, of each line that has one; all `\r` in an old Mac file."""

    @property
    def ending(self) -> str:
        r"""The line end that most lines have, `\n` if there is none."""
        counted = Counter(self.endings)
        return counted.most_common(1)[0][0] if counted else "\n"

    @property
    def ends_with_newline(self) -> bool:
        """True if the last line is ended."""
        return self.text.endswith("\n")


@dataclass(frozen=True)
class Binary:
    """Anything else: shown as such, never rewritten by a model."""

    size: int


def decode(data: bytes) -> Text | Binary:
    """What a model may see of a file."""
    has_bom = data.startswith(_BOM)
    body = data[len(_BOM) :] if has_bom else data
    if b"\0" in body:
        return Binary(len(data))
    try:
        raw = body.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return Binary(len(data))
    if "\r" in raw and "\n" not in raw:
        return Text(raw.replace("\r", "\n"), has_bom, ("\r",) * raw.count("\r"))
    if "\r\n" not in raw:
        return Text(raw, has_bom, ("\n",) * raw.count("\n"))
    endings = tuple("\r\n" if line.endswith("\r") else "\n" for line in raw.split("\n")[:-1])
    return Text(raw.replace("\r\n", "\n"), has_bom, endings)


def fit_to_base(new_text: str, base: bytes | None) -> bytes:
    r"""`new_text` as bytes in the style of the file it replaces; plain UTF-8 for a new file.

    A base that is no text gives no style. The final newline is the base's: one is added or one
    taken away. Raises UnicodeEncodeError for text that is not Unicode (a lone surrogate).
    """
    old = decode(base) if base else None
    if base is None or not isinstance(old, Text):
        return new_text.encode()
    if new_text == old.text:
        return base
    text = new_text.removeprefix("\ufeff")
    if "\r\n" not in old.text:
        text = text.replace("\r\n", "\n")
    text = _with_final_newline(text, old)
    body = _with_endings(text, old).encode()
    return _BOM + body if old.has_bom and body else body


def _with_final_newline(text: str, old: Text) -> str:
    if not text or not old.text:
        return text
    if old.ends_with_newline:
        return text if text.endswith("\n") else text + "\n"
    return text.removesuffix("\n")


def _with_endings(text: str, old: Text) -> str:
    styles = set(old.endings)
    if styles <= {"\n"}:
        return text
    if len(styles) == 1:
        return text.replace("\n", old.ending)
    lines = text.split("\n")
    endings = _aligned(old.text.split("\n")[:-1], lines[:-1], old)
    return "".join(line + end for line, end in zip(lines, [*endings, ""], strict=True))


def _aligned(before: Sequence[str], after: Sequence[str], old: Text) -> list[str]:
    """The line end of each new line: its own where the line was there, else the usual one."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    most = min(len(before), len(after)) - head
    while tail < most and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    middle_old, middle_new = before[head : len(before) - tail], after[head : len(after) - tail]
    endings = [old.ending] * len(after)
    endings[:head] = old.endings[:head]
    if tail:
        endings[-tail:] = old.endings[-tail:]
    if len(middle_old) + len(middle_new) <= _MAX_ALIGNED:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        for match in matcher.get_matching_blocks():
            start = head + match.a
            place = head + match.b
            endings[place : place + match.size] = old.endings[start : start + match.size]
    return endings
