"""Recipes: tasks that the rehearsal can really do, each a folder of files with a `recipe.toml`.

The rule a reader must not break: a recipe's files are correct as they lie there. The flaw is a
replacement that is applied to them on the first try, so the repaired file is the file itself.
Sources carry `.txt` at the end of their names so that no tool takes them for our own code.
"""

import re
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import BaseModel, ConfigDict

LABEL = "REHEARSAL - no AI"
_RECIPES = "orchestra_tui.engine.adapters.rehearsal"


class FileKind(StrEnum):
    """What part a file plays: faults and flaws are keyed by it."""

    IMPLEMENTATION = "implementation"
    TESTS = "tests"
    LEAF = "leaf"
    """Nothing depends on it and no test looks at it."""
    SUPPORT = "support"


class Flaw(BaseModel):
    """A mistake to plant: `good` stands exactly once in the file and becomes `bad`."""

    model_config = ConfigDict(frozen=True)

    good: str
    bad: str


class RecipeFile(BaseModel):
    """One file of a recipe; `source` is its correct text."""

    model_config = ConfigDict(frozen=True)

    id: str
    path: str
    kind: FileKind
    purpose: str
    notes: str = ""
    depends_on: tuple[str, ...] = ()
    source: str = ""
    flaw: Flaw | None = None

    @property
    def flawed(self) -> str:
        """The text with its flaw planted; the correct text if it has none."""
        return self.source.replace(self.flaw.good, self.flaw.bad) if self.flaw else self.source


class Recipe(BaseModel):
    """A task with everything needed to play it. `keywords` are phrases that ask for it."""

    model_config = ConfigDict(frozen=True)

    name: str
    keywords: tuple[str, ...] = ()
    summary: str
    commit_message: str
    files: tuple[RecipeFile, ...]

    def file_at(self, path: str | None) -> RecipeFile | None:
        """The file meant by `path`: that path, else the only one of that name (it was moved)."""
        if path is None:
            return None
        exact = next((file for file in self.files if file.path == path), None)
        name = path.rpartition("/")[2]
        alike = [file for file in self.files if file.path.rpartition("/")[2] == name]
        return exact or (alike[0] if len(alike) == 1 else None)


def load_recipes() -> tuple[Recipe, ...]:
    """Every recipe that is shipped, by name."""
    root = files(_RECIPES) / "recipes"
    folders = sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda e: e.name)
    return tuple(_load(folder) for folder in folders if folder.joinpath("recipe.toml").is_file())


def best_recipe(task: str, recipes: Iterable[Recipe]) -> Recipe | None:
    """The recipe whose keywords the task names most, by the letters that matched; None if none."""
    text = task.casefold()
    scored = [(_score(text, recipe), recipe) for recipe in recipes]
    score, recipe = max(scored, key=lambda pair: pair[0], default=(0, None))
    return recipe if score else None


def _score(text: str, recipe: Recipe) -> int:
    return sum(
        len(keyword)
        for keyword in recipe.keywords
        if re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text)
    )


def _load(folder: Traversable) -> Recipe:
    data = tomllib.loads(folder.joinpath("recipe.toml").read_text("utf-8"))
    for file in data["files"]:
        source = folder.joinpath(*f"{file['path']}.txt".split("/"))
        file["source"] = source.read_text("utf-8")
    return Recipe.model_validate(data)
