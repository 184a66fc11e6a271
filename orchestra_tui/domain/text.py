"""Foreign text made safe to show and to log: `clean` for the eye, `redact` for secrets.

The rule a reader must not break: only what is *shown* is cleaned. Bytes for files, hashes, blobs
and prompts pass untouched. Everything a terminal could take for a command becomes a visible
stand-in: C0 controls except newline and tab, DEL, C1, bidirectional and zero-width characters,
tag characters and lone surrogates (measured: Textual lets OSC 52 through nearly every widget).
"""

from collections.abc import Iterable

_CONTROL_PICTURES = 0x2400
_STAND_IN = "\N{REPLACEMENT CHARACTER}"
_VISIBLE_GAP = "\N{MIDDLE DOT}"


def _table() -> dict[int, str]:
    table = {code: chr(_CONTROL_PICTURES + code) for code in range(0x20)}
    del table[ord("\n")], table[ord("\t")]
    table[0x7F] = "\N{SYMBOL FOR DELETE}"
    table |= dict.fromkeys(range(0x80, 0xA0), _STAND_IN)
    table |= dict.fromkeys(range(0xD800, 0xE000), _STAND_IN)
    table |= dict.fromkeys(range(0x202A, 0x202F), _STAND_IN)
    table |= dict.fromkeys(range(0x2066, 0x206A), _STAND_IN)
    table |= dict.fromkeys((0x061C, 0x200E, 0x200F), _STAND_IN)
    table |= dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x2060, 0xFEFF, 0x180E), _VISIBLE_GAP)
    table |= dict.fromkeys((0x2028, 0x2029), _STAND_IN)
    table |= dict.fromkeys(range(0xE0000, 0xE0080), _STAND_IN)
    # A zero-width joiner holds emoji together; on its own it can hide, so it is shown too.
    table[0x200D] = _VISIBLE_GAP
    return table


_TABLE = _table()


def clean(text: str) -> str:
    """`text` with everything a terminal might obey replaced by a visible character.

    Newlines and tabs stay; `\\r\\n` becomes `\\n`. The result is idempotent under `clean`.
    """
    return text.replace("\r\n", "\n").translate(_TABLE)


def clean_line(text: str) -> str:
    """`clean` for one line: newlines and tabs become single spaces."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret of 4 characters or more replaced by `[secret]`."""
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text
