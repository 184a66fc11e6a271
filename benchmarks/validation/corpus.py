"""Real files and real commits, chosen by a seed: what the benchmark damages.

The rule a reader must not break: whether a sample is held out depends only on its own text (a
file of a folder) or its own path (a file of a repository, in any revision), so that a larger
corpus never moves one to the other side.
"""

import hashlib
import json
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import pygit2

FOLDER_LIMIT = 3
REPOSITORY_LIMIT = 30
MIN_BYTES, MAX_BYTES = 200, 100_000
HELD_OUT_SHARE = 3
SKIPPED = frozenset({".git", "__pycache__", "tokenizedata", "badsyntax", "invalid"})
BAD_ON_PURPOSE = re.compile(
    r"/tests?/(?:ui|fixtures?|invalid)/|[-_/]bad[-_]|\binvalid\b|syntax_error"
)

BUCKETS: Mapping[str, str] = {
    suffix: bucket
    for bucket, suffixes in {
        "bash": ".sh .bash .bats",
        "c": ".c",
        "c-header": ".h",
        "cmake": ".cmake",
        "cpp": ".cpp .cc .cxx .hpp",
        "csharp": ".cs",
        "css": ".css",
        "dart": ".dart",
        "elixir": ".ex .exs",
        "go": ".go",
        "graphql": ".graphql .gql",
        "haskell": ".hs",
        "hcl": ".tf .hcl",
        "html": ".html .htm",
        "java": ".java",
        "javascript": ".js .mjs .cjs",
        "json": ".json",
        "julia": ".jl",
        "kotlin": ".kt .kts",
        "lua": ".lua",
        "markdown": ".md",
        "objc": ".m .mm",
        "ocaml": ".ml",
        "perl": ".pl .pm",
        "php": ".php",
        "powershell": ".ps1 .psm1",
        "proto": ".proto",
        "python": ".py .pyi",
        "r": ".r",
        "ruby": ".rb",
        "rust": ".rs",
        "scala": ".scala",
        "scss": ".scss",
        "sql": ".sql",
        "svelte": ".svelte",
        "swift": ".swift",
        "toml": ".toml",
        "tsx": ".tsx .jsx",
        "typescript": ".ts .mts",
        "vue": ".vue",
        "xml": ".xml .svg",
        "yaml": ".yaml .yml",
        "zig": ".zig",
    }.items()
    for suffix in suffixes.split()
}


@dataclass(frozen=True)
class Sample:
    """One good text; `old` is the text of the commit before, None for a file of a tree."""

    bucket: str
    path: str
    new: str
    old: str | None = None
    is_held_out: bool = False


def load(folder: Path) -> list[Sample]:
    """The samples that `collect` stored below `folder`."""
    with (folder / "samples.jsonl").open(encoding="utf-8") as lines:
        return [Sample(**json.loads(line)) for line in lines]


def collect(
    sources: Sequence[Path], folder: Path, *, seed: int, files: int, pairs: int
) -> Counter[str]:
    """Choose up to `files` files and `pairs` commit pairs per language and store them.

    A source is a folder of files, or holds git repositories (bare or not) whose newest files and
    whose histories are used. Gives the number of samples per language.
    """
    chance = random.Random(seed)
    roots, repositories = _split(sources)
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in [*_tree_files(roots, chance), *_head_files(repositories, chance)]:
        found[sample.bucket].append(sample)
    samples = [
        sample for _, entries in sorted(found.items()) for sample in _chosen(entries, files, chance)
    ]
    samples += _pairs(repositories, chance, limit=pairs)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.jsonl").open("w", encoding="utf-8") as out:
        for sample in samples:
            out.write(json.dumps(asdict(sample)) + "\n")
    return Counter(sample.bucket for sample in samples)


def _split(sources: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    roots: list[Path] = []
    repositories: list[Path] = []
    for source in sources:
        children = [source, *source.iterdir(), *source.glob("*/repo")]
        bare = [
            child for child in children if pygit2.discover_repository(str(child)) and _is_git(child)
        ]
        repositories += bare
        if not bare:
            roots.append(source)
    return roots, sorted(set(repositories))


def _is_git(path: Path) -> bool:
    return (path / ".git").exists() or (path / "objects").is_dir()


def _tree_files(roots: Sequence[Path], chance: random.Random) -> Iterator[Sample]:
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(set(folders) - SKIPPED)
            wanted = [name for name in sorted(names) if _bucket(name)]
            chance.shuffle(wanted)
            taken: Counter[str] = Counter()
            for name in wanted:
                path = Path(folder, name)
                bucket = _bucket(name)
                if taken[bucket] >= FOLDER_LIMIT or path.is_symlink() or not path.is_file():
                    continue
                if BAD_ON_PURPOSE.search(str(path)):
                    continue
                if not MIN_BYTES <= path.stat().st_size <= MAX_BYTES:
                    continue
                text = _decoded(path.read_bytes())
                if text is not None:
                    taken[bucket] += 1
                    yield Sample(bucket, _short(path), text, is_held_out=_is_held_out(text))


def _head_files(repositories: Sequence[Path], chance: random.Random) -> Iterator[Sample]:
    for path in repositories:
        repository = pygit2.Repository(str(path))
        index = pygit2.Index()
        index.read_tree(repository.revparse_single("HEAD").peel(pygit2.Tree))
        entries = [
            entry
            for entry in index
            if _bucket(entry.path) and not BAD_ON_PURPOSE.search(f"/{entry.path}")
        ]
        chance.shuffle(entries)
        taken: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            bucket = _bucket(entry.path)
            place, all_of_it = (bucket, str(PurePosixPath(entry.path).parent)), (bucket, "")
            if taken[place] >= FOLDER_LIMIT or taken[all_of_it] >= REPOSITORY_LIMIT:
                continue
            if (text := _blob(repository, entry.id)) is not None:
                taken[place] += 1
                taken[all_of_it] += 1
                name = f"{path.parent.name}/{entry.path}"
                yield Sample(bucket, name, text, is_held_out=_is_held_out(name))


def _pairs(repositories: Sequence[Path], chance: random.Random, *, limit: int) -> list[Sample]:
    """Modified files of commits: (the blob before, the blob after)."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for path in repositories:
        repository = pygit2.Repository(str(path))
        seen: Counter[str] = Counter()
        here: Counter[str] = Counter()
        commits = list(repository.walk(repository.head.target))[:6000]
        chance.shuffle(commits)
        for commit in commits[:600]:
            if len(commit.parents) == 1:
                for sample in _changed(repository, commit, path.parent.name):
                    seen[sample.path] += 1
                    here[sample.bucket] += 1
                    if seen[sample.path] <= 2 and here[sample.bucket] <= max(limit // 2, 20):
                        found[sample.bucket].append(sample)
    return [
        sample
        for bucket in sorted(found)
        for sample in chance.sample(found[bucket], min(limit, len(found[bucket])))
    ]


def _changed(repository: pygit2.Repository, commit: pygit2.Commit, name: str) -> Iterator[Sample]:
    diff = repository.diff(commit.parents[0], commit)
    for delta in list(diff.deltas)[:40]:
        bucket = _bucket(delta.new_file.path)
        if delta.status != pygit2.enums.DeltaStatus.MODIFIED or not bucket:
            continue
        old = _blob(repository, delta.old_file.id)
        new = _blob(repository, delta.new_file.id)
        if old is not None and new is not None and old != new:
            path = f"{name}/{delta.new_file.path}"
            yield Sample(bucket, path, new, old, is_held_out=_is_held_out(path))


def _chosen(entries: list[Sample], limit: int, chance: random.Random) -> Iterator[Sample]:
    chance.shuffle(entries)
    texts: set[str] = set()
    for sample in entries:
        if len(texts) >= limit:
            return
        if sample.new not in texts:
            texts.add(sample.new)
            yield sample


def _blob(repository: pygit2.Repository, oid: pygit2.Oid) -> str | None:
    try:
        blob = repository[oid]
    except KeyError:
        return None
    if not isinstance(blob, pygit2.Blob) or not MIN_BYTES <= blob.size <= MAX_BYTES:
        return None
    return _decoded(blob.data)


def _decoded(data: bytes) -> str | None:
    """The text with exactly one line end at its end, or None for what is no text to edit."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    lines = text.split("\n")
    is_minified = max(map(len, lines)) > 2_000
    if "\0" in text or "\r" in text or is_minified or len(lines) < 8:
        return None
    return text.rstrip() + "\n"


def _bucket(name: str) -> str:
    return BUCKETS.get(PurePosixPath(name).suffix.lower(), "")


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _is_held_out(key: str) -> bool:
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % HELD_OUT_SHARE == 0
