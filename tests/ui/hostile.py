"""Foreign text that tries to command a terminal or a toolkit."""

from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.engine.git.diff import diff_bytes

HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07 \x1b]0;title\x07 \x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\ "
    "\x1b[2J \x9b2J \x1bPq\x1b\\ \u202eevil\u202c "
    "[@click=app.quit]x[/] a[/]b [bold Optional[str]\r\n"
    "over\rwritten \u200bzero\u200d width e\u0301 漢字 \ud800 tab\there\n"
)
HOSTILE_PATH = "a/\x1b[31mred\x1b[0m[/][@click=app.quit].py"


def hostile_diff() -> FileDiff:
    """A diff whose path and lines are hostile."""
    text = HOSTILE.replace("\ud800", "").encode()
    return diff_bytes(HOSTILE_PATH, b"old\n" + text, b"new\n" + text + text)
