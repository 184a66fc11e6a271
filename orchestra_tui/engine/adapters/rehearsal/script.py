"""The script: what each role answers, from the request alone.

The rule a reader must not break: the answer is a pure function of the question. The same request
gives the same bytes, today and after a crash.
"""

import json

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.rehearsal.audit import audit_text
from orchestra_tui.engine.adapters.rehearsal.context import Ask
from orchestra_tui.engine.adapters.rehearsal.recipe import (
    LABEL,
    FileKind,
    Recipe,
    RecipeFile,
    best_recipe,
)
from orchestra_tui.engine.adapters.rehearsal.stand_in import (
    STAND_IN,
    stand_in_file,
    stand_in_recipe,
)

ESCAPE = "../outside.py"
DEAF = " The feedback was not followed: a script has one plan per task; edit the steps instead."
GARBAGE = (
    f"{LABEL}. Sure! I had a look around and I am happy to help. Everything seems to be more or "
    "less in order, so I would just go ahead with it."
)


class Script:
    """Knows the recipes and the scenario, and nothing that was asked before.

    `recipes` must hold the template of the stand-in.
    """

    def __init__(self, scenario: Scenario, recipes: tuple[Recipe, ...]) -> None:
        self._scenario = scenario
        self._template = next(recipe for recipe in recipes if recipe.name == STAND_IN)
        self._recipes = tuple(recipe for recipe in recipes if recipe.name != STAND_IN)

    def kind_of(self, ask: Ask) -> FileKind | None:
        """The part that the file asked about plays in the task; None if no recipe knows it."""
        file = self._recipe(ask.task).file_at(ask.path)
        return file.kind if file else None

    def answer(self, ask: Ask, *, is_escaping: bool = False) -> str:
        """The whole reply in the format of its role; `is_escaping` makes the plan a bad one."""
        recipe = self._recipe(ask.task)
        file = recipe.file_at(ask.path)
        match ask.role:
            case Role.ARCHITECT:
                return _plan(recipe, ask, first_path=ESCAPE if is_escaping else None)
            case Role.EXECUTOR:
                return _whole(ask.path or "", self._first_version(file, ask))
            case Role.AUDITOR:
                return _verdict(ask)
            case Role.CONSULTANT:
                return self._fix(file, ask)

    def _recipe(self, task: str) -> Recipe:
        return best_recipe(task, self._recipes) or stand_in_recipe(self._template, task)

    def _first_version(self, file: RecipeFile | None, ask: Ask) -> str:
        shown = ask.shown_file()
        is_ours = shown is None or not shown.strip() or LABEL in shown
        if file is None or not is_ours:
            return stand_in_file(ask.path or "", shown)
        return file.flawed if self._is_flawed(file) else file.source

    def _is_flawed(self, file: RecipeFile) -> bool:
        """The implementation is always flawed once; the leaf only where nothing helps it."""
        is_hopeless_leaf = file.kind is FileKind.LEAF and self._scenario is Scenario.HOPELESS
        return file.kind is FileKind.IMPLEMENTATION or is_hopeless_leaf

    def _fix(self, file: RecipeFile | None, ask: Ask) -> str:
        """Repair the planted flaw where it stands in the shown text, and nothing else.

        As an edit the first time, as a whole file after that. Text that holds no flaw we know
        how to mend goes back as it was shown: a script that cannot help does not pretend to.
        """
        path, shown = ask.path or "", ask.shown_file()
        if file is None:
            return _whole(path, stand_in_file(path, None) if shown is None else shown)
        flaw = file.flaw
        if shown is None:
            return _whole(path, file.source)
        if flaw is None or shown.count(flaw.bad) != 1:
            return _whole(path, shown)
        if ask.is_first:
            return _edit(path, flaw.bad, flaw.good)
        return _whole(path, shown.replace(flaw.bad, flaw.good))


def _plan(recipe: Recipe, ask: Ask, *, first_path: str | None) -> str:
    steps = [
        {
            "id": file.id,
            "path": file.path,
            "change": "modify" if ask.lists(file.path) else "create",
            "purpose": file.purpose,
            "notes": file.notes,
            "depends_on": list(file.depends_on),
        }
        for file in recipe.files
    ]
    if first_path:
        steps[0]["path"] = first_path
    plan = {
        "summary": f"{LABEL}: {recipe.summary}{DEAF if ask.has_feedback else ''}",
        "steps": steps,
        "checks": [],
        "commit_message": f"{recipe.commit_message}\n\n{LABEL}: scripted example code.",
        "end": True,
    }
    return json.dumps(plan, indent=2, ensure_ascii=False) + "\n"


def _verdict(ask: Ask) -> str:
    shown = ask.shown_file()
    issues = _not_shown(ask) if shown is None else audit_text(ask.path or "", shown)
    verdict = {
        "verdict": "issues" if any(i.severity is not Severity.INFO for i in issues) else "pass",
        "issues": [issue.model_dump(mode="json") for issue in issues],
        "end": True,
    }
    return json.dumps(verdict, indent=2, ensure_ascii=False) + "\n"


def _not_shown(ask: Ask) -> tuple[Issue, ...]:
    message = f"{LABEL}: {ask.path} was not shown, so nothing of it was checked"
    return (Issue(severity=Severity.INFO, message=message),)


def _whole(path: str, text: str) -> str:
    newline = "" if not text or text.endswith("\n") else "\n"
    return f"=== FILE {path}\n{text}{newline}=== END FILE\n=== END REPLY\n"


def _edit(path: str, old: str, new: str) -> str:
    return (
        f"=== EDIT {path}\n<<<<<<< SEARCH\n{_line(old)}=======\n{_line(new)}>>>>>>> REPLACE\n"
        "=== END EDIT\n=== END REPLY\n"
    )


def _line(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
