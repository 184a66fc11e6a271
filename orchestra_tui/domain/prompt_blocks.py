r"""How a text stands in a prompt: a block of marker lines that its content cannot imitate.

    === FILE src/app.py                 === TASK
    ...the bytes of the file...         ...what the user typed...
    === END FILE                        === END TASK

The rule a reader must not break: a block is byte-faithful. `read_file_block` gives back exactly
the text that `block` was given, so a scripted Auditor checks the bytes it is shown.

- A text without a final newline ends in `=== END FILE (no final newline)`; the empty text has
  no line at all between the two markers.
- A text that holds a line starting with `===` gets a tag that is nowhere in it, on both
  markers: `=== FILE src/app.py #3f2a91bc` ... `=== END FILE #3f2a91bc`.
"""

import hashlib
import re
from collections.abc import Iterator

NO_NEWLINE = " (no final newline)"
_TAG = re.compile(r" #[0-9a-f]{8}$")
_HEADER = re.compile(r"=== (?!END )(?P<kind>[A-Z]+)(?P<name> [^\n]*?)?(?P<tag> #[0-9a-f]{8})?")


def block(kind: str, name: str, text: str) -> str:
    """`text` between its markers, ending in a newline.

    `kind` is in capital letters (`FILE`, `TASK`), `name` a path or empty. Raises ValueError if
    `name` holds a newline, because it could then close the block by itself.
    """
    if "\n" in name or "\r" in name:
        raise ValueError("the name of a block is one line")
    tag = _tag(text) if _needs_tag(name, text) else ""
    header = f"=== {kind} {name}" if name else f"=== {kind}"
    is_open = text != "" and not text.endswith("\n")
    end = f"\n=== END {kind}{tag}{NO_NEWLINE}\n" if is_open else f"=== END {kind}{tag}\n"
    return f"{header}{tag}\n{text}{end}"


def read_file_block(prompt: str, path: str) -> str | None:
    """The exact text of the first `FILE` block of `path` in a prompt; None if there is none."""
    return next(
        (text for kind, name, text in blocks(prompt) if (kind, name) == ("FILE", path)), None
    )


def blocks(prompt: str) -> Iterator[tuple[str, str, str]]:
    """Kind, name and text of every whole block in order; a block inside a block is its text."""
    lines = prompt.split("\n")
    at = 0
    while at < len(lines):
        found = _HEADER.fullmatch(lines[at])
        end = _end(lines, at + 1, found) if found else None
        if found is None or end is None:
            at += 1
            continue
        text = "\n".join(lines[at + 1 : end])
        is_whole = end > at + 1 and not lines[end].endswith(NO_NEWLINE)
        yield found["kind"], (found["name"] or "").removeprefix(" "), text + "\n" * is_whole
        at = end + 1


def _end(lines: list[str], start: int, header: re.Match[str]) -> int | None:
    closing = f"=== END {header['kind']}{header['tag'] or ''}"
    for at in range(start, len(lines)):
        if lines[at] in (closing, closing + NO_NEWLINE):
            return at
    return None


def _needs_tag(name: str, text: str) -> bool:
    return bool(_TAG.search(f" {name}")) or text.startswith("===") or "\n===" in text


def _tag(text: str) -> str:
    """A tag made from the text, so that a prompt is the same each time, and absent from it."""
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    while f"#{digest[:8]}" in text:
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return f" #{digest[:8]}"
