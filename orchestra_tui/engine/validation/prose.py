"""Whether one line is human language, and whether it speaks to the person who asked.

The rule a reader must not break: a comment is not prose here, and neither is a line with the
signs of code: who asks has already decided that the line stands where code should begin or end.
"""

import re

LONGEST = 600
"""Characters of a line that may still be a sentence."""

_INTRO = re.compile(
    r"^(?:sure|certainly|of course|absolutely|okay|ok|great|alright|got it|no problem|done|"
    r"understood|perfect|yes)\b\s*[,!.:]"
    r"|^here(?:'s|\u2019s| is| are|by)?\b(?: \S+){1,14}[:.!]$"
    r"|^(?:i have|i've|i\u2019ve|i'll|i\u2019ll|i will|i am|i'm|"
    r"let me|let's|below is|below are|this is|"
    r"we|you)\b.*[:.!]$"
    r"|^(?:the )?(?:\w+[ -]){0,3}(?:file|files|code|version|contents?|implementation|source|script|"
    r"solution|result|output|changes|edits?)\b(?: \S+){0,9}[:.]$",
    re.IGNORECASE,
)
_TO_READER = re.compile(
    r"\b(?:let me know|i hope|hope this|feel free|happy to|would you like|do you want|please|"
    r"you (?:can|may|should|will|need|might|asked|requested|described|provided)|your request|"
    r"as requested|as you|i(?:'ve|\u2019ve| have)? (?:added|updated|made|changed|fixed|implemented|"
    r"kept|removed|modified|created|rewrote|rewritten|refactored|replaced|applied)|"
    r"i will|i'll|i\u2019ll|"
    r"(?:updated|modified|complete|full|new|corrected|revised|final|entire|whole) "
    r"(?:file|code|version|content|contents|implementation|source|script)|"
    r"(?:this|the) (?:code|file|version|change|implementation|update|script|solution)s?\b|"
    r"the changes? (?:above|below|made)|(?:key|main|summary of) changes|changes made|note that|"
    r"with (?:this|these) changes?|the rest of the file|in the file|"
    r"here you go|here is|here are)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"^[(\"'\u201c]*[A-Za-zÀ-ÿ][a-zA-ZÀ-ÿ'\u2019-]*[)\"'\u201d]*[,.:;!?]*$")
_CODE_SIGNS = re.compile(r"[=;{}<>\\|@$#]|\w\(|::|->|^\W|\*/")
_NAMED = re.compile(r"`[^`]{1,80}`|\*\*[^*]{1,80}\*\*")
_OTHER_SCRIPT = re.compile(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_END = re.compile(r"[.:!?…)\u3002\uff1a\uff01\uff1f]$")


def is_sentence(line: str) -> bool:
    """True for a line of human language: a capital, several plain words, an end mark."""
    if len(line) > LONGEST:
        return False
    text = _NAMED.sub("It", line.strip())
    if _is_other_script(text):
        return True
    words = text.split()
    if len(words) < 4 or not text[0].isupper() or not _END.search(text):
        return False
    if _CODE_SIGNS.search(text):
        return False
    plain = sum(1 for word in words if _WORD.match(word))
    return plain >= 0.75 * len(words)


def is_chat(line: str) -> bool:
    """True for a sentence, or for the short lines with which replies begin ("Updated code:")."""
    if len(line) > LONGEST:
        return False
    text = _NAMED.sub("It", line.strip())
    return is_sentence(line) or (
        _INTRO.match(text) is not None and _CODE_SIGNS.search(text) is None
    )


def is_to_the_reader(line: str) -> bool:
    """True for chat that speaks of the reply itself; other sentences may be content."""
    return is_chat(line) and _TO_READER.search(_NAMED.sub("It", line)) is not None


def _is_other_script(text: str) -> bool:
    """True for a sentence in a script without capitals or blanks between words."""
    letters = sum(1 for char in text if char.isalpha())
    foreign = len(_OTHER_SCRIPT.findall(text))
    return foreign >= 6 and foreign > 0.6 * letters and _END.search(text) is not None
