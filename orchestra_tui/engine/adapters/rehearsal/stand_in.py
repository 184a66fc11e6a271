"""Honest stand-ins: what is written when no recipe fits the task, or no recipe knows the file.

The rule a reader must not break: a stand-in says that it is one, and never replaces what a user
wrote; it only adds a comment where the format has comments.
"""

from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.rehearsal.recipe import LABEL, Recipe, RecipeFile

STAND_IN = "stand-in"
MAX_TASK = 400

_TASK_LITERAL = "'@TASK@'"
_TASK_WORDS = "@TASK@"
_PLAIN = str.maketrans("<>[]`", "()()'")
"""Quoted in Markdown, a task must not become a tag, a link or code."""
_NOTE = f"{LABEL}: a stand-in. Connect a model and it does the work that stood here in the plan."
_CHANGE = f"{LABEL}: a model would change this file here; the script leaves it as it was."

_HASH = (
    "bash cfg conf dockerfile ex exs ini jl makefile mk nix pl pm py pyi r rb sh toml yaml yml zsh"
)
_SLASHES = (
    "c cc cjs cpp cs cxx dart go h hpp java js jsx kt kts m mjs proto rs scala scss swift ts tsx "
    "zig"
)
_COMMENTS = {
    **dict.fromkeys(_HASH.split(), ("# ", "")),
    **dict.fromkeys(_SLASHES.split(), ("// ", "")),
    **dict.fromkeys(("sql", "lua", "hs", "elm"), ("-- ", "")),
    **dict.fromkeys(("md", "markdown", "html", "htm", "xml", "svg", "vue"), ("<!-- ", " -->")),
    "css": ("/* ", " */"),
}


def stand_in_recipe(template: Recipe, task: str) -> Recipe:
    """The recipe for a task that no recipe fits; the task is quoted in it, whatever it holds."""
    task = task.strip()[:MAX_TASK] or "(an empty task)"
    # As ASCII escapes in code, so that quotes, emoji and invisible characters do no harm there.
    words = clean_line(task).translate(_PLAIN)
    fitted = tuple(
        file.model_copy(update={"source": _with_task(file, ascii(task), words)})
        for file in template.files
    )
    short = words if len(words) <= 60 else f"{words[:59]}…"
    summary = f"{template.summary} Asked was: {short}"
    return template.model_copy(update={"files": fitted, "summary": summary})


def _with_task(file: RecipeFile, literal: str, words: str) -> str:
    """One replacement only: the task may itself hold what is replaced."""
    if _suffix(file.path) == "py":
        return file.source.replace(_TASK_LITERAL, literal)
    return file.source.replace(_TASK_WORDS, words)


def stand_in_file(path: str, shown: str | None) -> str:
    """The text for a file that no recipe knows: the shown text with a note, or only a note."""
    comment = _COMMENTS.get(_suffix(path))
    if shown is not None:
        if comment is None or _CHANGE in shown:
            return shown
        newline = "" if shown.endswith("\n") or not shown else "\n"
        return f"{shown}{newline}{comment[0]}{_CHANGE}{comment[1]}\n"
    if _suffix(path) == "json":
        return f'{{\n  "note": "{_NOTE}"\n}}\n'
    if _suffix(path) in {"xml", "svg"}:
        return f"<!-- {_NOTE} -->\n<stand-in/>\n"
    before, after = comment or ("", "")
    return f"{before}{_NOTE}{after}\n"


def _suffix(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()
