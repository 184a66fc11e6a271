"""Which tests a project has, read from its own configuration files.

The rule a reader must not break: nothing found is an answer that says what was looked for;
no check is ever invented to have something green.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from orchestra_tui.engine.checks.listing import Listing, section
from orchestra_tui.engine.checks.model import Check, Detection
from orchestra_tui.engine.checks.python import python_checks

Detector = Callable[[Listing], list[Check]]

NOTHING = (
    "no test framework found: looked for pytest, unittest, a test script in package.json, go.mod, "
    "Cargo.toml, pom.xml, build.gradle, a .NET test project, rspec, phpunit and make test"
)
MAX_FOLDERS = 20
_PLACEHOLDER = "no test specified"
_MAKE_TEST = re.compile(r"^test[ \t]*:(?!=)", re.MULTILINE)


async def detect_checks(root: Path, planned: Iterable[str] = ()) -> Detection:
    """Look, in a thread, for the tests of the project at `root`.

    `planned` are project-relative paths that a plan is about to create: tests that do not exist
    yet still decide which framework will run. Where the root has none, its direct folders are
    looked at, and their checks are named `folder/pytest`.
    """
    return await asyncio.to_thread(detect, root, tuple(planned))


def detect(root: Path, planned: Iterable[str] = ()) -> Detection:
    """What `detect_checks` does, in the calling thread."""
    root = root.resolve()
    listing = Listing(root, planned)
    # `make test` mostly runs the same tests again, so it speaks only where nothing else does.
    checks = _checks_at(listing) or _make(listing)
    if not checks:
        for folder in _folders(listing):
            inner = Listing(root / folder, _below(folder, planned))
            checks += [
                check.model_copy(update={"name": f"{folder}/{check.name}"})
                for check in _checks_at(inner)
            ]
    if not checks:
        return Detection(why=NOTHING)
    why = "; ".join(f"{check.name}: {check.why}" for check in checks)
    return Detection(checks=tuple(checks), why=why)


def _checks_at(listing: Listing) -> list[Check]:
    return [check for detector in DETECTORS for check in detector(listing)]


def _folders(listing: Listing) -> list[str]:
    tops = dict.fromkeys(path.split("/", 1)[0] for path in listing.paths if "/" in path)
    return list(tops)[:MAX_FOLDERS]


def _below(folder: str, planned: Iterable[str]) -> list[str]:
    start = f"{folder}/"
    return [path.removeprefix(start) for path in planned if path.startswith(start)]


def _check(listing: Listing, name: str, framework: str, argv: Iterable[str], why: str) -> Check:
    return Check(name=name, framework=framework, argv=tuple(argv), cwd=listing.root, why=why)


def _node(listing: Listing) -> list[Check]:
    package = listing.json("package.json")
    script = section(package, "scripts").get("test")
    if not isinstance(script, str) or not script.strip() or _PLACEHOLDER in script:
        return []
    tool = _node_tool(listing, package.get("packageManager"))
    return [_check(listing, f"{tool}-test", "node", (tool, "test"), f"package.json: {script[:80]}")]


def _node_tool(listing: Listing, declared: object) -> str:
    tools = ("pnpm", "yarn", "bun", "npm")
    if isinstance(declared, str) and (name := declared.split("@", 1)[0]) in tools:
        return name
    if listing.has("pnpm-lock.yaml"):
        return "pnpm"
    return "yarn" if listing.has("yarn.lock") else "npm"


def _go(listing: Listing) -> list[Check]:
    if not listing.has("go.mod"):
        return []
    return [_check(listing, "go-test", "go", ("go", "test", "./..."), "go.mod")]


def _cargo(listing: Listing) -> list[Check]:
    if not listing.has("Cargo.toml"):
        return []
    argv = ("cargo", "test", "--no-fail-fast", "--color", "never")
    check = _check(listing, "cargo-test", "cargo", argv, "Cargo.toml")
    if (listing.root / "target").is_dir() or "target" in listing.text(".gitignore"):
        return [check]
    return [check.model_copy(update={"env": (("CARGO_TARGET_DIR", "$CHECK_TMP/target"),)})]


def _maven(listing: Listing) -> list[Check]:
    if not listing.has("pom.xml"):
        return []
    command = _wrapper(listing, "mvnw", "mvnw.cmd") or "mvn"
    argv = (command, "--batch-mode", "--no-transfer-progress", "test")
    return [_check(listing, "maven", "maven", argv, "pom.xml")]


def _gradle(listing: Listing) -> list[Check]:
    names = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
    if not listing.has(*names):
        return []
    command = _wrapper(listing, "gradlew", "gradlew.bat") or "gradle"
    # Without the daemon: it would outlive the run and hold files open.
    argv = (command, "test", "--console=plain", "--no-daemon")
    return [_check(listing, "gradle", "gradle", argv, "build.gradle")]


def _dotnet(listing: Listing) -> list[Check]:
    projects = listing.matching("*.csproj", "*.fsproj", "*.vbproj")
    tests = [path for path in projects[:50] if "Microsoft.NET.Test.Sdk" in listing.text(path)]
    if not tests:
        return []
    solutions = [path for path in listing.matching("*.sln", "*.slnx") if "/" not in path]
    target = solutions[:1] or tests[:1]
    return [_check(listing, "dotnet-test", "dotnet", ("dotnet", "test", *target), tests[0])]


def _rspec(listing: Listing) -> list[Check]:
    specs = listing.matching("*_spec.rb")
    if not listing.has(".rspec") and not specs:
        return []
    is_bundled = "rspec" in listing.text("Gemfile") and shutil.which("bundle") is not None
    argv = ("bundle", "exec", "rspec") if is_bundled else ("rspec",)
    why = ".rspec" if listing.has(".rspec") else f"{len(specs)} spec files"
    return [_check(listing, "rspec", "rspec", (*argv, "--no-color"), why)]


def _phpunit(listing: Listing) -> list[Check]:
    configured = next(
        (
            name
            for name in ("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml")
            if listing.has(name)
        ),
        None,
    )
    required = "phpunit/phpunit" in section(listing.json("composer.json"), "require-dev")
    if configured is None and not required:
        return []
    local = listing.root / "vendor" / "bin" / "phpunit"
    command = str(local) if local.is_file() else "phpunit"
    argv = (command, "--do-not-cache-result", "--colors=never")
    return [_check(listing, "phpunit", "phpunit", argv, configured or "composer.json")]


def _make(listing: Listing) -> list[Check]:
    # GNU make reads the first of these that exists.
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if listing.has(name):
            found = _MAKE_TEST.search(listing.text(name))
            argv = ("make", "test")
            why = f"the target test in {name}"
            return [_check(listing, "make-test", "make", argv, why)] if found else []
    return []


def _wrapper(listing: Listing, posix: str, windows: str) -> str | None:
    name = windows if os.name == "nt" else posix
    path = listing.root / name
    return str(path) if path.is_file() and os.access(path, os.X_OK) else None


DETECTORS: tuple[Detector, ...] = (
    python_checks,
    _node,
    _go,
    _cargo,
    _maven,
    _gradle,
    _dotnet,
    _rspec,
    _phpunit,
)
