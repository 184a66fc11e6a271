"""What git would store for a working file: line endings normalised as attributes and config say.

The rule a reader must not break: this must agree with git's own convert.c, or a commit would show
up as changed right after it was made; the tests hold it against `git hash-object --path`.
"""

from enum import StrEnum

from orchestra_tui.engine.git.plumbing import Attributes

_PRINTABLE_CONTROLS = b"\b\t\x1b\f"
_NONPRINTABLE = bytes(
    code for code in (*range(32), 127) if code not in (*_PRINTABLE_CONTROLS, 10, 13)
)


class EolRule(StrEnum):
    """What happens to `\\r\\n` on the way into the repository."""

    KEEP = "keep"
    NORMALIZE = "normalize"
    AUTO = "auto"


def conversion_problem(attributes: Attributes) -> str | None:
    """Why a file with these attributes cannot be committed here; None if it can."""
    if driver := attributes.get("filter"):
        return (
            f"it goes through the git filter {driver!r}, which is a program of your "
            "configuration and is not run here: commit this file with git itself"
        )
    if encoding := attributes.get("working-tree-encoding"):
        return f"it is stored in another encoding ({encoding}): commit this file with git itself"
    if attributes.get("ident"):
        return "git rewrites $Id$ in it (attribute ident): commit this file with git itself"
    return None


def eol_rule(attributes: Attributes, autocrlf: str | None) -> EolRule:
    """The rule for a path from its attributes and the value of core.autocrlf."""
    text = attributes.get("text")
    if text is None:
        text = attributes.get("crlf")
    if text is False:
        return EolRule.KEEP
    if text == "auto":
        return EolRule.AUTO
    if text is True or text == "input" or attributes.get("eol") in {"lf", "crlf"}:
        return EolRule.NORMALIZE
    converts = (autocrlf or "").lower() in {"true", "input", "yes", "on", "1"}
    return EolRule.AUTO if converts else EolRule.KEEP


def to_repository(data: bytes, rule: EolRule, staged: bytes | None) -> bytes:
    """The bytes git would store; `staged` is what the index holds for the path now."""
    if rule is EolRule.KEEP or b"\r\n" not in data:
        return data
    if rule is EolRule.AUTO and (looks_binary(data) or _has_crlf(staged)):
        return data
    return data.replace(b"\r\n", b"\n")


def looks_binary(data: bytes) -> bool:
    """Git's own guess for automatic conversion: NUL, a lone CR, or many control characters."""
    if b"\0" in data or data.count(b"\r") != data.count(b"\r\n"):
        return True
    body = data.removesuffix(b"\x1a")
    controls = len(body) - len(body.translate(None, _NONPRINTABLE))
    line_ends = body.count(b"\n") + body.count(b"\r")
    return (len(body) - controls - line_ends) >> 7 < controls


def _has_crlf(staged: bytes | None) -> bool:
    return staged is not None and b"\r\n" in staged and not looks_binary(staged)
