"""How models say that they left code out, in five strengths.

The rule a reader must not break: phrases only nominate. The removed lines decide, because
people write "(unchanged)" and "..." above code that is really there.
"""

import re
from enum import IntEnum


class Strength(IntEnum):
    """How plainly a comment says that code is missing."""

    NONE = 0
    VAGUE = 1
    STUB = 2
    DOTS = 3
    HINT = 4
    PLAIN = 5


LONGEST = 140
"""A comment of more characters explains something; a placeholder is short."""

_DOTS = r"(?:\.{3,}|…)"
_ONES = r"(?:the |this |that |your |our |my |its |all |any |of )*"
_LEFT = (
    r"(?:rest|remainder|remaining|existing|previous|prior|other|original|old|unchanged|unmodified|"
    r"same|omitted|more|further|additional)"
)
_THING = (
    r"(?:code|file|class(?:es)?|methods?|functions?|implementations?|modules?|contents?|"
    r"components?|imports?|logic|lines?|scripts?|documents?|sections?|styles?|rules?|tests?|"
    r"props|fields?|properties|handlers?|routes?|definitions?|parts?|stuff|bod(?:y|ies)|html|"
    r"markup|jsx|config\w*|settings?|options?|entries|entry|items?|cases?|statements?|queries|"
    r"query|columns?|tables?|tasks?|steps?|types?|constants?|variables?|setup|source|text|"
    r"blocks?|branches|values?|keys?|attributes?|elements?|templates?|helpers?|declarations?)"
)
_CODE = (
    r"(?:code|file|class(?:es)?|methods|functions|implementations?|contents?|components|imports|"
    r"logic|lines|sections|styles|rules|tests|handlers|routes|options|configuration|cases|parts|"
    r"properties|fields|entries|items)"
)
_KEPT = (
    r"(?:unchanged|untouched|unmodified|unaltered|intact|identical|omitted|elided|truncated|"
    r"skipped|as before|as is|as-is|as it was|as they were|(?:exactly )?the same|"
    r"same as (?:before|above)|not shown|no changes?|not changed)"
)
_STAYS = r"(?:stays?|remains?|is|are|continues?|goes|go|left|kept)"

_PLAIN = tuple(
    re.compile(pattern)
    for pattern in (
        # "rest of the code remains unchanged", "rest of your code here", "remainder identical"
        rf"\b(?:rest|remainder) of {_ONES}.{{0,30}}\b(?:{_KEPT}|here|follows|below)\b",
        rf"^{_ONES}(?:rest|remainder)\b.{{0,30}}\b{_KEPT}$",
        rf"^{_ONES}(?:rest|remainder) of {_ONES}(?:[\w.]+ ){{0,2}}{_THING}$",
        # "existing code continues", "the other options are the same as in the original file"
        rf"^{_ONES}(?:existing|previous|prior|remaining|other|original|old) "
        rf"(?:[\w.]+ )?{_CODE}\b.{{0,40}}"
        rf"\b(?:{_STAYS} )?{_KEPT}(?:$| (?:from|to|as|in) (?:the )?(?:original|before|previous)\b)",
        rf"^{_ONES}(?:existing|previous|prior|remaining|original|old) "
        rf"(?:[\w.]+ ){{0,2}}{_THING}\b(?: .{{0,20}})?\b(?:{_STAYS}|here|below|above|continues?)$",
        rf"^(?:everything|anything|all) (?:else|other|above|below|after this|before this)\b"
        rf".{{0,50}}\b{_STAYS} {_KEPT}$",
        rf"^(?:keep|leave|retain|preserve) (?:the |all |your |this )*"
        rf"(?:existing|rest|remaining|original|previous|everything else|other)"
        rf"(?: (?:of )?{_ONES}(?:[\w.]+ )?{_THING})?(?: here| below| {_KEPT})?$",
        r"^(?:insert|paste|put|copy|add|include|place|use) (?:the |your |all )*"
        r"(?:existing|original|previous|old|remaining)\b.{0,40}\b(?:here|below|above)$",
        r"^(?:your |the |my |all )*(?:existing|original|previous|current) "
        r"(?:code|implementation|contents?|logic|file contents?)$",
        # "omitted for brevity", "code omitted", "lines 5-90 unchanged", "40 more lines"
        r"\b(?:omitted|elided|truncated|shortened|snipped|abbreviated|removed|skipped|trimmed|"
        r"not shown|left out|cut|condensed|hidden)\b(?: here)? for "
        r"(?:the sake of )?(?:brevity|clarity|space|length|simplicity|readability|conciseness)\b",
        r"\bfor brevity\b",
        r"^(?:the )?(?:rest|remainder|remaining \w+)\b.{0,30}\b(?:see|as in|from|refer to) "
        r"(?:the )?(?:original|previous|old|existing)\b",
        r"^(?:this |the )?(?:code|file|implementation|body|method|function|class) continues?"
        r"(?: here| below| as before| unchanged)?$",
        rf"^(?:{_ONES}(?:[\w.]+ )?{_THING} (?:{_STAYS} )?)?"
        r"(?:omitted|elided|truncated|snipped|snip|not shown)(?: here| for length| below)?$",
        rf"^lines? \d+ ?(?:-|\u2013|to|through) ?\d+\b.{{0,40}}\b{_KEPT}\b",
        r"^\d+ (?:more |other |further |additional |unchanged )?lines?\b.{0,30}"
        r"\b(?:omitted|unchanged|skipped|truncated|hidden|more|not shown|elided)\b",
        r"^\d+ (?:more|unchanged|other|further|additional|omitted) lines?(?: .{0,20})?$",
        r"\bno changes? (?:to|in|from|below|after) (?:the |this )?"
        r"(?:rest|here|original|line|point)",
        r"\bno (?:further |other )?changes? (?:below|from here|beyond)\b",
        rf"^skip(?:ping|ped)? (?:the )?(?:unchanged|existing) (?:[\w.]+ )?{_THING}$",
        r"^(?:see|refer to|check|copy from) (?:the )?(?:original|previous|old|existing)\b.{0,40}"
        r"\b(?:rest|remaining|remainder|full|complete)\b",
    )
)
_HINT = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^{_ONES}(?:existing|remaining|previous|prior|original|unchanged) (?:[\w.]+ )?{_THING}"
        r"(?: (?:above|below|here|continues|unchanged))?$",
        rf"^other (?:[\w.]+ )?{_THING}$",
        rf"^(?:[\w.]+ )?{_THING} (?:{_STAYS} )?(?:unchanged|untouched|identical|as before|as is|"
        r"the same|not changed)$",
        rf"^{_ONES}(?:[\w.]+ )?{_THING} continues?(?: here| below| as before)?$",
        r"^(?:the )?(?:same|unchanged|identical|similar)\b.{0,40}\b(?:before|above|original|"
        r"previous(?:ly)?|version|file)$",
        r"^(?:the |exactly )?(?:same|identical|unchanged) (?:as|to|from) (?:in )?(?:the )?"
        r"(?:original|before|previous|old)\b.{0,30}$",
        r"^(?:as|same|like) (?:as )?(?:in )?(?:the )?(?:before|above|original|previous)(?: \w+)?$",
        r"^(?:unchanged|untouched|no changes|snip|omitted|"
        r"no changes?(?: (?:needed|required|necessary|made))? here|"
        r"continue[sd]|and so on|so on|etc|cont d|as is|as before)$",
        r"^continues? (?:as before|with the (?:rest|remaining|existing)\b.{0,40}|here|below)$",
        r"^(?:repeat|similar|same|follow|likewise|analogous|and so on)\b.{0,40}"
        r"\bfor (?:the |all |each |every )*(?:other|remaining|rest|others)\b",
        rf"^remaining (?:[\w.]+ )?{_THING} (?:follow|are|work|use)\b.{{0,30}}\b(?:same|similar)\b",
    )
)
# "unchanged" and "the rest of", in the words of other languages: said of code, hardly of data.
_FOREIGN_PLAIN = re.compile(
    r"\bunverändert|\b(?:bleibt|bleiben) (?:gleich|wie)|\brest (?:des|der|vom) |\brestliche[rsn]? "
    r"(?:code|datei|methoden|funktionen|inhalt)|\bwie (?:zuvor|bisher|vorher)$|"
    r"\binchangée?s?\b|\b(?:le )?reste (?:du|de la|des|de l)|\bsans changement|"
    r"\bsin (?:cambios|modificar|modificaciones)\b|\b(?:el )?resto (?:del?|de la|do|della?|dei) |"
    r"\b(?:permanece|sigue|se mantiene|queda) (?:igual|sin)|"
    r"\bsem (?:altera|mudan|modifica)|\brestante (?:do|da) |\b(?:permanece|continua)[mr]? "
    r"(?:igual|o mesmo|inalterad)|\binvariat[oaie]\b|\brimane (?:invariat|uguale|come)|"
    r"\bbez zmian\b|\bpozostał\w* (?:kod|część|metody|funkcje)|\breszta (?:kodu|pliku)|"
    r"\b(?:de )?rest van (?:de|het)\b|\bongewijzigd|\bblijft hetzelfde|\boförändra|\bresten av |"
    r"\bbeze změn|\bzbytek (?:kódu|souboru)|\bgeri kalan|\bayn\u0131 kal|\bdeğişmedi|"
    r"\bphần còn lại|\bgiữ nguyên|\bsisa kode|\btidak berubah|"
    r"остальн\w+ (?:код|част|метод|функц|файл|строк|содерж)|без изменений|не измен(?:ил|ен|яе)|"
    r"остаётся (?:прежн|без|тем)|решта (?:коду|файлу)|без змін|"
    r"其余|其餘|剩余(?:的)?代码|剩下的|保持不[变變]|[无無](?:需)?[变變](?:化|更)|不[变變]$|省略|略$|"
    r"原有(?:的)?(?:代码|程式|逻辑|内容)|同上$|与(?:之前|原来|原文件)(?:相同|一致)|"
    r"残りの|変更(?:なし|無し|ありません)|既存の(?:コード|実装|処理)|以下(?:同様|略|省略)|そのまま|"
    r"나머지|생략|변경 ?(?:없음|사항 없)|기존 (?:코드|구현)|그대로|"
    r"बाकी कोड|باقي الكود|بدون تغيير"
)
_FOREIGN_VAGUE = re.compile(
    r"\b(?:bestehende|vorhandene|existant|existente|esistente|identique|restante?|istniejąc|"
    r"mevcut|bestaande|hetzelfde|ayn\u0131|befintlig)|существующ|прежн|现有|現有|其他|既存|기존|동일|"
    r"\bresto\b|\breste\b|такой же|остальн"
)
_STUB = re.compile(
    r"\b(?:to ?do\b|fixme\b|implement (?:this|me|here|later|the rest|it)|your (?:code|logic) here|"
    r"(?:implementation|code|logic) (?:goes )?here|add (?:your|the) .{1,30} here|"
    r"(?:not|needs?|to be|yet to be)(?: yet)? (?:implemented|written|filled)|"
    r"(?:not|needs?|yet) to be done|"
    r"unimplemented|placeholder|stub(?:bed)?\b|left as an exercise|fill (?:this )?in\b)"
)
_BARE_DOTS = re.compile(rf"^\W*{_DOTS}\W*$")
_LEFT_WORD = re.compile(
    rf"\b(?:{_LEFT}|{_KEPT}|etc|so on|similar(?:ly)?|repeat|continue[sd]?|skip(?:s|ped|ping)?|snip|"
    r"keep|content|contents|others?|everything else|before|above|below|goes here|here|"
    r"full|implementation|code)\b"
)
# "... and then consume the rest of the arguments": the second half of a sentence.
_GOES_ON = re.compile(
    r"(?:and|but|or|so|then|we|i|it|they|because|which|that|if|when|while|until|unless|to|in order)"
    r"\b(?! (?:then |all |the )*(?:rest|remain\w*|others?|so on|similar\w*|more|existing|same)\b)"
)
_OPENING_WORD = re.compile(rf"{_ONES}(?:{_LEFT}|unchanged|code continues)\b(?: \S+){{0,3}}$")
_VAGUE_WORD = re.compile(
    rf"\b(?:{_LEFT}|{_KEPT}|etc|so on|similar(?:ly)?|repeat|continue[sd]?|skip(?:ped|ping)?|snip|"
    r"everything else|as before|as above|brevity|elsewhere|same|here)\b"
)
_MARKS = re.compile(
    r"^\s*(?:\{?/\*+|//+|#+|<!--|--+|;+|%+|\"|\(\*|\*|\{-|=begin|rem\b)?\s*"
    r"|\s*(?:\*/\}?|-->|\*\)|-\})?\s*$",
    re.IGNORECASE,
)
_EDGES = re.compile(r"^[\s\[\](){}<>=*_~\-|:;,.!#/]+|[\s\[\](){}<>=*_~\-|:;,.!#/]+$")


def strength(comment: str) -> Strength:
    """How plainly this comment (with its comment marks) says that code was left out."""
    if len(comment) > 3 * LONGEST:
        return Strength.NONE
    text = " ".join(_MARKS.sub("", comment).lower().replace("'", " ").split())
    if len(text) > LONGEST:
        return Strength.NONE
    if _BARE_DOTS.match(text):
        return Strength.DOTS
    core = _core(text)
    if not core or "://" in text:
        return Strength.NONE
    if len(core) < 90 and _says_with_dots(text, core):
        return Strength.PLAIN
    if any(pattern.search(core) for pattern in _PLAIN):
        return Strength.PLAIN
    if len(core) < 70 and _FOREIGN_PLAIN.search(core):
        return Strength.PLAIN
    if any(pattern.search(core) for pattern in _HINT):
        return Strength.HINT
    if _STUB.search(core):
        return Strength.STUB
    vague = len(core) < 90 and (_VAGUE_WORD.search(core) or _FOREIGN_VAGUE.search(core))
    return Strength.VAGUE if vague else Strength.NONE


def starts_with_dots(comment: str) -> bool:
    """True if the comment's first word is an ellipsis."""
    return re.match(rf"^\W*{_DOTS}", _MARKS.sub("", comment)) is not None


def says_stub(comment: str) -> bool:
    """True if the comment says that something is still to be written."""
    return len(comment) < 20 * LONGEST and _STUB.search(_core(comment.lower())) is not None


def _core(text: str) -> str:
    """The words without brackets, dashes and dots around them."""
    return " ".join(_EDGES.sub("", text.replace("…", "...")).replace("(", "").split())


def has_dots(comment: str) -> bool:
    """True if an ellipsis stands at an end of the comment, inside whatever brackets."""
    text = _MARKS.sub("", comment)
    return re.search(rf"^[^\w.…]*{_DOTS}|{_DOTS}[^\w.…]*$", text) is not None


def needs_dots(comment: str) -> bool:
    """True if only the ellipsis makes a placeholder of it: without one it could be a sentence."""
    if not has_dots(comment):
        return False
    core = _core(" ".join(_MARKS.sub("", comment).lower().split()))
    return re.search(rf"\b{_LEFT} (?:of {_ONES})?(?:[\w.]+ )?{_THING}$|\b{_KEPT}$", core) is None


def _says_with_dots(text: str, core: str) -> bool:
    """True for "... other methods ...", not for a sentence that trails off."""
    if "," in core or not has_dots(text):
        return False
    if starts_with_dots(text):
        if _GOES_ON.match(core):
            return False
        return _LEFT_WORD.search(core) is not None or _is_foreign(core)
    return _OPENING_WORD.match(core) is not None or _FOREIGN_PLAIN.search(core) is not None


def _is_foreign(core: str) -> bool:
    return bool(_FOREIGN_PLAIN.search(core) or _FOREIGN_VAGUE.search(core))
