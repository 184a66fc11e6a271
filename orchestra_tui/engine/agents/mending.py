r"""What can be repaired of a damaged reply or text without asking anybody.

The rule a reader must not break: nothing is guessed. A reply is unwrapped only if its own marker
lines are all there; a closer is added only where one bracket is open, and everything after it
stands inside it by its indentation. The caller confirms the result with the validator.

Texts have `\n` line ends.
"""

from collections.abc import Iterator

from orchestra_tui.engine.agents.file_replies import END_REPLY

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {closer: opener for opener, closer in _PAIRS.items()}
_QUOTES = "\"'`"


def is_broken_off(reply: str) -> bool:
    """The reply begins in its format and has no end mark: there may be more of it."""
    lines = reply.strip().replace("\r\n", "\n").split("\n")
    return lines[0].startswith(("=== FILE ", "=== EDIT ")) and END_REPLY not in map(
        str.rstrip, lines
    )


def unwrapped_reply(reply: str, path: str) -> str | None:
    """The reply without what stands around its marker lines; None if they are not all there once,
    or if nothing stands around them."""
    lines = reply.replace("\r\n", "\n").split("\n")
    stripped = [line.rstrip() for line in lines]
    openings = [
        at for at, line in enumerate(stripped) if line in {f"=== FILE {path}", f"=== EDIT {path}"}
    ]
    endings = [at for at, line in enumerate(stripped) if line == END_REPLY]
    if len(openings) != 1 or len(endings) != 1 or endings[0] < openings[0]:
        return None
    inner = lines[openings[0] : endings[0] + 1]
    around = [line for line in lines[: openings[0]] + lines[endings[0] + 1 :] if line.strip()]
    return "\n".join(inner) + "\n" if around else None


def closed(text: str) -> Iterator[str]:
    """The text with its one missing closer at the end, in the forms it may have; nothing if more
    or none is missing, or if it may be missing in the middle."""
    found = _only_open(text)
    if found is None:
        return
    opener, line = found
    lines = text.rstrip("\n").split("\n")
    indent = _indent(lines[line])
    inside = [other for other in lines[line + 1 :] if other.strip()]
    if not inside or any(len(_indent(other)) <= len(indent) for other in inside):
        return
    closer = _PAIRS[opener]
    for ending in (closer, f"{closer};"):
        yield "\n".join([*lines, indent + ending]) + "\n"


def _only_open(text: str) -> tuple[str, int] | None:
    """The one bracket that is not closed, and its line from 0; None if it is not just one.

    Strings are skipped within a line, comments are not known: a bracket in one makes the count
    wrong, and the validator then refuses what comes of it.
    """
    stack: list[tuple[str, int]] = []
    for number, line in enumerate(text.split("\n")):
        for char in _outside_strings(line):
            if char in _PAIRS:
                stack.append((char, number))
            elif char in _CLOSERS:
                if not stack or stack[-1][0] != _CLOSERS[char]:
                    return None
                stack.pop()
    return stack[0] if len(stack) == 1 else None


def _outside_strings(line: str) -> Iterator[str]:
    quote, is_escaped = "", False
    for char in line:
        if quote:
            if is_escaped:
                is_escaped = False
            elif char == "\\":
                is_escaped = True
            elif char == quote:
                quote = ""
        elif char in _QUOTES:
            quote = char
        else:
            yield char


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
