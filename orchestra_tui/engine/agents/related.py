"""Which files belong to a file or to a text: named, imported, testing it.

The rule a reader must not break: this only picks among listed paths, by simple and honest means.
Python imports are resolved from the root, `src`, `lib` and the folders above the file; relative
JavaScript and TypeScript imports with the usual endings. Aliases (tsconfig paths, package
exports), dynamic imports and other languages are not resolved.
"""

import asyncio
import posixpath
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

MAX_NAMED = 12
MAX_SAME_NAME = 3
MAX_IMPORTS = 20
MAX_TESTS_READ = 60
MAX_OUTLINE_LINES = 60

_TOKEN = re.compile(r"[\w./@+-]+")
# Every repetition that can fail afterwards is bounded: a hostile file must not hold the process.
_FROM = re.compile(
    r"^[ \t]*from[ \t]{1,20}(\.{0,20}\w[\w.]{0,400}|\.{1,20})[ \t]{1,20}import[ \t]{0,20}"
    r"(\([^)]{0,4000}\)|[^(\n#][^\n#]*)",
    re.MULTILINE,
)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w. ,]+)", re.MULTILINE)
_JS_IMPORT = re.compile(
    r"(?:\bfrom|\bimport|\brequire)[ \t]{0,20}\(?[ \t]{0,20}(['\"])"
    r"(?P<target>\.{1,2}/[^'\"\n]*|\.{1,2})\1"
)
_JS_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json")
_JS_COMPILED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_TEST_FOLDERS = {"test", "tests", "__tests__", "spec", "specs"}
_TEST_NAME = re.compile(
    r"test_.+|.+_test\.\w+|.+_spec\.\w+|.+\.(test|spec)\.\w+|.+Tests?\.(java|kt|cs|php|swift)"
)
_DEFINITION = re.compile(
    r"\s*(?:export\s+|default\s+|pub(?:\([^)]*\))?\s+|public\s+|protected\s+|static\s+|abstract\s+"
    r"|final\s+|async\s+|unsafe\s+|override\s+)*"
    r"(?:def|class|function\*?|func|fn|interface|struct|enum|trait|impl|type|module|namespace"
    r"|const|record|object)\s+[\w$(*<]"
)


def named_in(text: str, listing: Sequence[str]) -> tuple[str, ...]:
    """Listed files that a text names by path, by the end of a path or by a file name.

    A name that more than `MAX_SAME_NAME` files share names none of them.
    """
    found_words = (word.rstrip("./").removeprefix("./") for word in _TOKEN.findall(text))
    words = {form for word in found_words for form in (word, word.strip("./"))}
    names = {word for word in words if "." in word or "/" in word}
    found: dict[str, list[str]] = {}
    for path in listing:
        for name in _endings(path):
            if name in names:
                found.setdefault(name, []).append(path)
        if " " in path and path in text:
            found.setdefault(path, []).append(path)
    picked = dict.fromkeys(
        path
        for name in sorted(found, key=len, reverse=True)
        if name in found[name] or len(found[name]) <= MAX_SAME_NAME
        for path in ([name] if name in found[name] else found[name])
    )
    return tuple(picked)[:MAX_NAMED]


def imports_of(path: str, text: str, listing: Collection[str]) -> tuple[str, ...]:
    """Listed files that the text of `path` imports, in the order of its imports."""
    known = frozenset(listing)
    ending = posixpath.splitext(path)[1]
    if ending in {".py", ".pyi"}:
        candidates = _python_candidates(path, text)
    elif ending in {*_JS_ENDINGS, ".vue", ".svelte"}:
        candidates = _js_candidates(path, text)
    else:
        return ()
    found = dict.fromkeys(one for one in candidates if one in known and one != path)
    return tuple(found)[:MAX_IMPORTS]


async def find_tests(
    path: str,
    listing: Sequence[str],
    read: Callable[[str], Awaitable[str | None]],
    *,
    limit: int,
) -> tuple[str, ...]:
    """Listed tests of a file: by their own name first, then by a mention in their text.

    At most `MAX_TESTS_READ` tests are opened to look for a mention.
    """
    name = _module_name(path)
    if is_test(path) or not name:
        return ()
    by_name, others = await asyncio.to_thread(_tests, path, name, listing)
    found = by_name[:limit]
    mention = re.compile(rf"\b{re.escape(name)}\b")
    for other in others[:MAX_TESTS_READ]:
        if len(found) >= limit:
            break
        if mention.search(await read(other) or ""):
            found.append(other)
    return tuple(found)


def is_test(path: str) -> bool:
    """True if the name or a folder says that the file holds tests."""
    *folders, name = path.split("/")
    return bool(_TEST_NAME.fullmatch(name)) or (
        "." in name and not _TEST_FOLDERS.isdisjoint(folder.lower() for folder in folders)
    )


def outline(text: str) -> str:
    """The lines that begin a definition, in their order; at most `MAX_OUTLINE_LINES`."""
    lines = [line.rstrip() for line in text.split("\n") if _DEFINITION.match(line)]
    return "".join(f"{line}\n" for line in lines[:MAX_OUTLINE_LINES])


def missing_definitions(wanted: str, found: str) -> tuple[str, ...]:
    """The lines that begin a definition in `wanted` and stand nowhere in `found`."""
    known = {line.strip() for line in found.split("\n")}
    lines = [line for line in outline(wanted).split("\n") if line.strip()]
    return tuple(line for line in lines if line.strip() not in known)


def _endings(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _python_candidates(path: str, text: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    above = [folder[: at.start()] for at in re.finditer("/", folder)]
    roots = list(dict.fromkeys(["", "src", "lib", folder, *reversed(above)]))
    for module, names in _python_imports(text):
        dots = len(module) - len(module.lstrip("."))
        inside = module[dots:].replace(".", "/")
        bases = [_up(folder, dots - 1)] if dots else roots
        for base in bases:
            if base is None:
                continue
            for name in names:
                yield from _python_files(base, inside, name)
            yield from _python_files(base, inside)


def _python_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each imported module with the names taken from it, which may be modules themselves."""
    for found in _FROM.finditer(text):
        names = re.sub(r"#[^\n]*", "", found[2]).strip("() \t\n").split(",")
        yield found[1], [name.split()[0] for name in names if name.split()]
    for found in _IMPORT.finditer(text):
        for module in found[1].split(","):
            if module.split():
                yield module.split()[0], []


def _python_files(*parts: str) -> tuple[str, str]:
    stem = "/".join(part for part in parts if part)
    return f"{stem}.py", f"{stem}/__init__.py"


def _up(folder: str, levels: int) -> str | None:
    """The folder `levels` above; None above the root."""
    parts = folder.split("/") if folder else []
    return None if levels > len(parts) else "/".join(parts[: len(parts) - levels])


def _js_candidates(path: str, text: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    for found in _JS_IMPORT.finditer(text):
        target = posixpath.normpath(posixpath.join(folder, found["target"]))
        stem, ending = posixpath.splitext(target)
        yield target
        yield from (target + one for one in (*_JS_ENDINGS, ".vue", ".svelte"))
        yield from (stem + one for one in _JS_COMPILED.get(ending, ()))
        yield from (posixpath.join(target, f"index{one}") for one in _JS_ENDINGS)


def _module_name(path: str) -> str:
    """The name other files know a file by: of a package or index file the folder's."""
    folder, name = posixpath.split(path)
    stem = name.split(".")[0]
    return posixpath.basename(folder) if stem in {"__init__", "index", "mod"} else stem


def _tests(path: str, name: str, listing: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tests of a listing: those named after `name`, and the others."""
    by_name: list[str] = []
    others: list[str] = []
    for test in listing:
        if test != path and is_test(test):
            (by_name if name in _subjects(test) else others).append(test)
    return by_name, others


def _subjects(test: str) -> set[str]:
    """What a test is about, by its name: `slugify` of test_slugify.py and slugify.spec.ts."""
    stem = posixpath.basename(test).split(".")[0]
    return {stem, re.sub(r"^test_|_test$|_spec$|Tests?$", "", stem)}
