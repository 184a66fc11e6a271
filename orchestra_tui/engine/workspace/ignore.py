"""What git ignores, worked out without git: `.gitignore` files, `info/exclude`, and a few defaults.

The rule a reader must not break: the last pattern that matches decides, a deeper `.gitignore`
after a higher one, and nothing inside an ignored folder is asked about again (gitignore(5)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILE = ".gitignore"
_DEFAULTS = ("node_modules/", "__pycache__/", "*.pyc", ".venv/", ".DS_Store")
"""Lowest in rank: a project's own `!node_modules/` brings them back."""


@dataclass(frozen=True)
class Patterns:
    """The patterns of one ignore file, each with its line, in their order."""

    lines: tuple[str, ...]
    specs: tuple[GitIgnoreSpec, ...]
    whole: GitIgnoreSpec
    """All of them at once: most paths match none, and one question tells."""

    def verdict(self, path: str) -> bool | None:
        """True: ignored; False: brought back; None: no pattern matches `path` itself.

        `path` ends in `/` for a folder. The library also matches what lies inside a folder that
        a pattern names; git decides folder by folder, so such a match does not count here.
        """
        if self.whole.check_file(path).include is None:
            return None
        for line, spec in zip(reversed(self.lines), reversed(self.specs), strict=True):
            include = spec.check_file(path).include
            if include is not None and _names_it(line, path):
                return include
        return None


@dataclass(frozen=True)
class _Rules:
    """Patterns relative to `base`, a folder with `/` at its end or empty for the root."""

    base: str
    patterns: Patterns


@dataclass(frozen=True)
class IgnoreRules:
    """All patterns that apply inside one folder of the project, weakest first.

    `above` is where the project root lies in its repository, with `/` at its end, or empty.
    """

    above: str = ""
    layers: tuple[_Rules, ...] = ()

    def inside(self, folder: str, patterns: bytes | None) -> "IgnoreRules":
        """The rules inside `folder` (`""` or `a/b/`), whose `.gitignore` holds `patterns`."""
        if not patterns:
            return self
        return IgnoreRules(self.above, (*self.layers, _Rules(self.above + folder, parse(patterns))))

    def ignores(self, path: str) -> bool:
        """True if `path`, ending in `/` for a folder, is ignored."""
        full = self.above + path
        for rules in reversed(self.layers):
            verdict = rules.patterns.verdict(full[len(rules.base) :])
            if verdict is not None:
                return verdict
        return False


def rules_of(root: Path) -> IgnoreRules:
    """The rules that come from outside the project root: defaults, exclude file, folders above.

    The root's own `.gitignore` is not among them: that comes with `inside("", ...)`.
    """
    repository = next((p for p in (root, *root.parents) if (p / ".git").exists()), None)
    if repository is None:
        return IgnoreRules(layers=(_Rules("", _patterns(_DEFAULTS)),))
    above = root.relative_to(repository).as_posix() + "/" if root != repository else ""
    rules = IgnoreRules(above, (_Rules("", _patterns(_DEFAULTS)),))
    layers = list(rules.layers)
    if exclude := _read(_git_folder(repository / ".git") / "info" / "exclude"):
        layers.append(_Rules("", parse(exclude)))
    folder, base = repository, ""
    for part in above.split("/")[:-1]:
        if patterns := _read(folder / IGNORE_FILE):
            layers.append(_Rules(base, parse(patterns)))
        folder, base = folder / part, f"{base}{part}/"
    return IgnoreRules(above, tuple(layers))


def parse(patterns: bytes) -> Patterns:
    """The patterns of an ignore file; a line that is no pattern is passed over, as git does."""
    text = patterns.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        return _patterns(lines)
    except ValueError:
        return _patterns(_valid(lines))


def _patterns(lines: Iterable[str]) -> Patterns:
    pairs = [(line, GitIgnoreSpec.from_lines([line])) for line in lines]
    pairs = [(line, spec) for line, spec in pairs if len(spec) and line.strip()]
    kept = tuple(line for line, _ in pairs)
    return Patterns(kept, tuple(spec for _, spec in pairs), GitIgnoreSpec.from_lines(kept))


def _names_it(line: str, path: str) -> bool:
    """A pattern that matches `path` names it itself, not a folder that it lies in."""
    bare = line.removeprefix("!")
    core = bare.strip().rstrip("/")
    if "**" in core:
        return True
    if "/" in core:
        return core.strip("/").count("/") == path.rstrip("/").count("/")
    name = path.rstrip("/").rsplit("/", 1)[-1]
    alone = name + "/" if path.endswith("/") else name
    return GitIgnoreSpec.from_lines([bare]).match_file(alone)


def _valid(lines: Iterable[str]) -> list[str]:
    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return good


def _git_folder(git: Path) -> Path:
    """Where info/exclude is: behind a `.git` file, the main repository's (gitrepository-layout(5)).

    `git` need not be valid; the folder returned need not exist.
    """
    if git.is_dir():
        return git
    link = (_read(git) or b"").decode(errors="surrogateescape").removeprefix("gitdir:").strip()
    folder = git.parent / link
    common = (_read(folder / "commondir") or b"").decode(errors="surrogateescape").strip()
    return folder / common if common else folder


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None
