"""Who uses a name that a file defines: the line of another file that would break without it.

The rule a reader must not break: only what can be shown is said. An import that resolves to the
file (see `related`) proves the use; in other languages a name that only this file defines is a
hint and no proof.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestra_tui.engine.agents.related import imports_of

_PYTHON = (".py", ".pyi")
_SCRIPT = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_OTHERS = (
    (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh"),
    (".go",),
    (".rs",),
    (".java", ".kt", ".scala"),
    (".cs",),
    (".rb",),
    (".php",),
    (".swift",),
    (".lua",),
    (".dart",),
)
# Every repetition that can fail afterwards is bounded: a hostile file must not hold the process.
_PYTHON_IMPORT = re.compile(
    r"^[ \t]{0,80}(?:from[ \t]{1,20}[.\w]{1,400}[ \t]{1,20}import[ \t]{0,20}"
    r"(?:\([^)]{0,4000}\)|[^(\n][^\n]*)"
    r"|import[ \t]{1,20}[^\n]*)",
    re.MULTILINE,
)
_SCRIPT_IMPORT = re.compile(
    r"^[ \t]{0,80}(?:import|export|const|let|var)\b[^;'\"]{0,4000}?"
    r"(?:from|require[ \t]{0,8}\()[ \t]{0,8}['\"][^'\"\n]{1,400}['\"]",
    re.MULTILINE,
)
_ALIAS = re.compile(r"(?:\bas|^[ \t]*(?:const|let|var))[ \t]+([A-Za-z_$][\w$]*)", re.MULTILINE)
_MIN_LENGTH = 5


@dataclass(frozen=True)
class Use:
    """A place that needs a name; `line` counts from 1. `is_proven`: an import leads to the file."""

    name: str
    path: str
    line: int
    text: str
    is_proven: bool


def family(path: str) -> tuple[str, ...]:
    """The suffixes of the files that may use a name of this one; empty if nobody knows."""
    for suffixes in (_PYTHON, _SCRIPT, *_OTHERS):
        if path.lower().endswith(suffixes):
            return suffixes
    return ()


def uses_in(path: str, text: str, *, names: Sequence[str], target: str) -> tuple[Use, ...]:
    """The first use in `path` of each of the names that `target` defined."""
    wanted = [name for name in names if name in text]
    if not wanted:
        return ()
    if target.lower().endswith(_PYTHON):
        statements = [one for one in _PYTHON_IMPORT.finditer(text) if _leads(path, one[0], target)]
    elif target.lower().endswith(_SCRIPT):
        statements = [one for one in _SCRIPT_IMPORT.finditer(text) if _leads(path, one[0], target)]
    else:
        return tuple(use for name in wanted if (use := _hint(path, text, name)))
    return tuple(use for name in wanted if (use := _proven((path, text), name, statements, target)))


def _leads(path: str, statement: str, target: str) -> bool:
    return target in imports_of(path, statement.strip(), (target,))


def _proven(
    file: tuple[str, str], name: str, statements: Sequence[re.Match[str]], target: str
) -> Use | None:
    path, text = file
    word = _word(name)
    modules: dict[str, None] = {}
    for statement in statements:
        # What follows `from module import`, or stands before `from "module"`.
        said = statement[0]
        what = said.partition(" import")[2] if said.lstrip().startswith("from") else said
        if found := word.search(what):
            at = statement.start() + said.rindex(what) + found.start()
            return _use(name, path, text, at, is_proven=True)
        modules |= dict.fromkeys(_modules(said, target))
    for module in modules:
        if found := re.search(rf"(?<![\w$.]){re.escape(module)}\.{word.pattern}", text):
            return _use(name, path, text, found.start(), is_proven=True)
    return None


def _modules(statement: str, target: str) -> list[str]:
    """The names by which a statement makes the module `target` known as a whole."""
    if not target.lower().endswith(_PYTHON):
        return _ALIAS.findall(statement)
    folder, _, name = target.rpartition("/")
    stem = name.partition(".")[0]
    own = folder.rpartition("/")[2] if stem == "__init__" else stem
    parts = [
        part.split() for part in re.split(r"\bimport\b", statement)[-1].strip("() ").split(",")
    ]
    return [words[-1] for words in parts if words and words[0].rpartition(".")[2] == own]


def _hint(path: str, text: str, name: str) -> Use | None:
    is_telling = "_" in name.strip("_") or (name != name.lower() and name != name.capitalize())
    if len(name) < _MIN_LENGTH or not is_telling or defines(text, name):
        return None
    found = _word(name).search(text)
    return _use(name, path, text, found.start(), is_proven=False) if found else None


def defines(text: str, name: str) -> bool:
    """True if the text seems to define the name itself."""
    begins = (
        r"\b(?:def|class|func|function|fn|interface|struct|enum|trait|type|module|const|object)"
    )
    return re.search(rf"{begins}\s{{1,8}}{re.escape(name)}(?![\w$])", text) is not None


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")


def _use(name: str, path: str, text: str, at: int, *, is_proven: bool) -> Use:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)].strip()
    return Use(name, path, text.count("\n", 0, at) + 1, line[:200], is_proven)
