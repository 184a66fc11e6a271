"""The user's key file: `NAME=value` lines beside the configuration, readable for the user alone.

The rule a reader must not break: a file that others can read, or that lies in a project where it
could be committed, is neither read nor written; the sentence says what to do.
"""

import io
import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.engine.store.atomic import write_atomic

MAX_SIZE = 1024 * 1024
_PROJECT_SIGNS = (".git/HEAD", ".orchestra/orchestra.db")
_HEAD = "# Keys of Orchestra, one NAME=value a line. Readable for you alone; keep it that way.\n"


class KeyFile:
    """One file in the syntax of dotenv, values taken as they are (nothing is interpolated).

    `project` is the folder that is worked on: a file in it is refused. Every method blocks, and
    raises UsageError for a file that may not be used and OSError never.
    """

    def __init__(self, path: Path, project: Path | None = None) -> None:
        self.path = path
        self._project = project

    def read(self) -> Mapping[str, str]:
        """The keys by name; none if there is no file. Later lines go before earlier ones."""
        return {line.key: line.value or "" for line in self._lines() if line.key}

    def store(self, name: str, value: str) -> None:
        """Set one key and keep every other line as it stands."""
        quoted = re.sub(r"([\\'])", r"\\\1", value)
        kept = self._without(name)
        if kept and not kept.endswith("\n"):
            kept += "\n"
        self._write(f"{kept or _HEAD}{name}='{quoted}'\n")

    def remove(self, name: str) -> bool:
        """Take one key out; False if it was not in the file."""
        if name not in self.read():
            return False
        self._write(self._without(name))
        return True

    def _without(self, name: str) -> str:
        return "".join(line.original.string for line in self._lines() if line.key != name)

    def _lines(self) -> list[Binding]:
        lines = list(parse_stream(io.StringIO(self._text())))
        for line in lines:
            if line.error or (line.key and line.value is None):
                raise UsageError(
                    f"{self.path}: line {line.original.line} cannot be read: write NAME=value"
                )
        return lines

    def _text(self) -> str:
        try:
            self._refuse_unsafe()
            if self.path.stat().st_size > MAX_SIZE:
                raise UsageError(f"{self.path} is too large for a file of keys")
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is no UTF-8 text") from None
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}") from None

    def _write(self, text: str) -> None:
        try:
            self._refuse_inside_a_project()
            place = self.path.resolve()
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made by mkstemp: nobody else can open it at any moment.
            write_atomic(place, text.encode("utf-8"))
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from None

    def _refuse_unsafe(self) -> None:
        # First: where there is no file, its place is nobody's concern.
        found = self.path.stat()
        self._refuse_inside_a_project()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{self.path} is no file: keys cannot be read from it")
        if sys.platform != "win32" and found.st_mode & 0o077:
            raise UsageError(
                f"{self.path} can be read by others (mode {stat.S_IMODE(found.st_mode):o}), so no "
                f"key is taken from it: chmod 600 {self.path}"
            )

    def _refuse_inside_a_project(self) -> None:
        place = self.path.resolve()
        project = self._project.resolve() if self._project else None
        if project is None or not place.is_relative_to(project):
            project = _project_around(place)
        if project is not None:
            raise UsageError(
                f"{self.path} lies in the project {project}, where it could be committed: keys "
                "are not kept there; move it out, or name another configuration file"
            )


def _project_around(path: Path) -> Path | None:
    """The project a file lies in; a home folder under git is none."""
    home = Path(os.path.expanduser("~")).resolve()
    for folder in path.parents:
        if folder == home:
            return None
        # A `.git` that is a file belongs to a work tree or a submodule; an empty folder is nothing.
        if (folder / ".git").is_file() or any((folder / sign).exists() for sign in _PROJECT_SIGNS):
            return folder
    return None
