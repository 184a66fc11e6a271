"""A bounded look at a project: which files are there, and the text of small ones.

The rule a reader must not break: nothing here is unbounded, because a project root may be a
home folder with a million files.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

MAX_FILES = 5_000
MAX_DEPTH = 4
MAX_READ = 512 * 1024
SKIPPED = frozenset(
    {
        "node_modules",
        "vendor",
        "target",
        "build",
        "dist",
        "out",
        "bin",
        "obj",
        "venv",
        "env",
        "site-packages",
        "__pycache__",
    }
)


class Listing:
    """The files under `root`, nearest first; `planned` counts as there but cannot be read."""

    def __init__(self, root: Path, planned: Iterable[str] = ()) -> None:
        self.root = root
        self.paths = tuple(dict.fromkeys([*_walk(root), *planned]))
        self._known = frozenset(self.paths)

    def has(self, *paths: str) -> bool:
        """True if one of these project-relative paths is there."""
        return any(path in self._known or (self.root / path).is_file() for path in paths)

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The paths whose end matches one of the glob patterns (as `PurePath.match` does)."""
        return tuple(
            path
            for path in self.paths
            if any(PurePosixPath(path).match(pattern) for pattern in patterns)
        )

    def text(self, path: str) -> str:
        """The first half megabyte of a file as text; empty if it cannot be read."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(MAX_READ).decode("utf-8", "replace")
        except OSError:
            return ""

    def json(self, path: str) -> Mapping[str, Any]:
        """A JSON object from a file; empty if it is none."""
        try:
            value = json.loads(self.text(path) or "{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def toml(self, path: str) -> Mapping[str, Any]:
        """A TOML table from a file; empty if it is none."""
        try:
            return tomllib.loads(self.text(path))
        except (ValueError, RecursionError):
            return {}


def section(table: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The table nested under these names; empty if there is none."""
    for name in names:
        value = table.get(name)
        if not isinstance(value, dict):
            return {}
        table = value
    return table


def _walk(root: Path) -> list[str]:
    found: list[str] = []
    level = [""]
    for _ in range(MAX_DEPTH):
        below: list[str] = []
        for folder in level:
            for entry in _entries(root / folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED and not entry.name.startswith("."):
                        below.append(path)
                elif len(found) < MAX_FILES:
                    found.append(path)
        level = below[:MAX_FILES]
        if len(found) >= MAX_FILES:
            break
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
