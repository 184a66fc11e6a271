"""Which project-relative paths may be written at all, judged from the name alone.

The file system is judged again, by directory handle, where the bytes are written
(`engine.workspace`); this is the first of the two fences and the one that can explain itself.
The names come from the attacks git itself defends against (NTFS short names and streams,
HFS+ ignorable code points, reserved device names).
"""

import unicodedata

PROTECTED = frozenset({".git", ".orchestra"})
RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)}
)
MAX_PATH = 1024
MAX_NAME = 255


def path_problem(path: str) -> str | None:
    """Why `path` may not be written, as a sentence for a person; None if it may.

    Paths are relative to the project root with `/` between the parts.
    """
    if not path.strip():
        return "the path is empty"
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in path):
        return "the path holds a control or invisible character"
    if path.startswith(("/", "\\", "~")) or (len(path) > 1 and path[1] == ":"):
        return f"{path} is not inside the project: use a path relative to its root"
    if "\\" in path:
        return f"{path} holds a backslash: use / between folders"
    if len(path) > MAX_PATH:
        return f"the path is longer than {MAX_PATH} characters"
    return next((why for part in path.split("/") if (why := _part_problem(part, path))), None)


def _part_problem(part: str, path: str) -> str | None:
    if part in {"", "."}:
        return f"{path} holds an empty folder name"
    if part == "..":
        return f"{path} leaves the project (..)"
    if len(part.encode()) > MAX_NAME:
        return f"a name in the path is longer than {MAX_NAME} bytes"
    if part != part.rstrip(" .") or part != part.lstrip(" "):
        return f"{path}: a name begins with a space or ends in a space or a dot"
    name = _folded(part)
    if name in PROTECTED or name.startswith(("git~", "orches~")):
        return f"{path}: {part} belongs to git or to Orchestra"
    if ":" in part:
        return f"{path} holds a colon"
    if name.split(".")[0] in RESERVED:
        return f"{path}: {part} is a device name on Windows"
    return None


def _folded(part: str) -> str:
    """The name as the most forgiving file system would read it."""
    text = unicodedata.normalize("NFKC", part).casefold()
    return text.split(":")[0].rstrip(" .")
