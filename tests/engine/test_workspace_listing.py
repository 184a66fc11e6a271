"""What agents may see of a project: compared with git's own answer, and never a secret."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.sensitive import is_sensitive
from orchestra_tui.engine.workspace.tree import open_tree


@pytest.fixture(params=["handles", "portable"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return root


def view(root: Path, kind: str = "handles") -> ProjectFiles:
    return ProjectFiles(open_tree(root, portable=kind == "portable"))


def git(root: Path, *arguments: str) -> str:
    hardened = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=hardened, capture_output=True, text=True, check=True
    )
    return done.stdout


def listed_by_git(root: Path) -> list[str]:
    out = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return sorted(name for name in out.split("\0") if name and not name.endswith("/"))


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")

PROJECT = {
    ".gitignore": "*.log\nbuild/\n!keep.log\n/only-root.txt\ndocs/*.tmp\n**/cache/\n#no\n\\#yes\n",
    "a.py": "",
    "x.log": "",
    "keep.log": "",
    "only-root.txt": "",
    "#yes": "",
    "#no": "",
    "src/only-root.txt": "",
    "src/build/made.py": "",
    "src/build.py": "",
    "docs/x.tmp": "",
    "docs/deep/x.tmp": "",
    "deep/cache/x": "",
    "deep/cached": "",
    "pkg/.gitignore": "!*.log\nlocal.py\nsub/\n",
    "pkg/y.log": "",
    "pkg/local.py": "",
    "pkg/inner/local.py": "",
    "pkg/sub/x.py": "",
    "odd name \u00e9.txt": "",
    "crlf/.gitignore": "*.gen\r\nout/\r\n",
    "crlf/x.gen": "",
    "crlf/out/x": "",
    "bad/.gitignore": "!\n/\n[\n*.bad\n",
    "bad/x.bad": "",
    "bad/x.good": "",
}


@needs_git
async def test_the_listing_is_gits_own(tmp_path: Path, kind: str) -> None:
    make(tmp_path, PROJECT)
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "info" / "exclude").write_text("deep/cached\n")
    assert list(await view(tmp_path, kind).listing()) == listed_by_git(tmp_path)


@needs_git
async def test_a_project_inside_a_repository_follows_the_rules_above_it(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "inner/skip/\n/a.py\n", "inner/.gitignore": "*.x\n"})
    inner = make(tmp_path / "inner", {"a.py": "", "skip/b.py": "", "c.x": "", "d/a.py": ""})
    git(tmp_path, "init", "-q")
    names = await view(inner).listing()
    assert list(names) == listed_by_git(inner) == [".gitignore", "a.py", "d/a.py"]


@needs_git
async def test_a_worktree_follows_the_exclude_file_of_its_repository(tmp_path: Path) -> None:
    main = make(tmp_path / "main", {"a.py": ""})
    git(main, "init", "-q")
    (main / ".git" / "info" / "exclude").write_text("*.hid\n")
    git(main, "add", "-A")
    git(main, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "m")
    git(main, "worktree", "add", "-q", "../tree")
    make(tmp_path / "tree", {"x.hid": "", "b.py": ""})
    assert await view(tmp_path / "tree").listing() == ("a.py", "b.py")


NAMES = st.sampled_from(["a", "b", "c.x", "d.x", "build"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.lists(
    st.sampled_from(
        ["a", "b/", "*.x", "!c.x", "/a", "a/b", "**/b", "build/**", "!a/", "a/*", "?", "[ab]", "d*"]
    ),
    max_size=4,
)


@needs_git
@settings(max_examples=25, deadline=None)
@given(st.sets(PATHS, max_size=8), PATTERNS, PATTERNS)
@example({"a/b"}, ["b/", "!a/"], [])
def test_random_patterns_are_read_as_git_reads_them(
    tmp_path_factory: pytest.TempPathFactory,
    paths: set[str],
    outer: list[str],
    inner: list[str],
) -> None:
    root = tmp_path_factory.mktemp("p")
    files = {f"{path}/f": "" for path in paths} | {".gitignore": "\n".join(outer)}
    make(root, files | {"a/.gitignore": "\n".join(inner)})
    git(root, "init", "-q")
    assert list(asyncio.run(view(root).listing())) == listed_by_git(root)


async def test_what_is_ignored_secret_linked_or_foreign_is_neither_listed_nor_read(
    tmp_path: Path, kind: str
) -> None:
    root = make(
        tmp_path / "p",
        {
            ".gitignore": "ignored/\n*.log\n",
            "ignored/x.py": "X",
            "x.log": "X",
            ".env": "KEY=X",
            "certs/server.pem": "X",
            "home/.ssh/config": "X",
            ".git/config": "X",
            ".orchestra/plan.md": "X",
            "sub/.orchestra/x": "X",
            "vendored/.git/HEAD": "X",
            "vendored/x.py": "X",
            "bare.git/HEAD": "X",
            "bare.git/objects/x": "X",
            "bare.git/refs/x": "X",
            ".orchestra-0123.swap": "X",
            "node_modules/x/index.js": "X",
            "a.py": "A",
        },
    )
    make(tmp_path, {"outside.py": "X"})
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    (root / "way").symlink_to(tmp_path)
    (root / "bad\nname.py").write_text("X")
    files = view(root, kind)
    survey = await files.survey()
    assert survey.files == (".gitignore", "a.py")
    assert survey.sensitive == 3
    assert survey.ignored == 3
    assert survey.other == 5
    everything = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
    read = {path: await files.read(path) for path in [*everything, "way/outside.py", "../x"]}
    assert {path for path, text in read.items() if text is not None} == {".gitignore", "a.py"}


async def test_text_comes_as_models_speak_it(tmp_path: Path) -> None:
    (tmp_path / "crlf.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "long.txt").write_bytes(b"x" * 5_000_001)
    files = view(tmp_path)
    assert await files.read("crlf.txt") == "a\nb\n"
    assert await files.read("latin.txt") is None
    assert await files.read("long.txt") is None
    assert await files.read("missing/x.txt") is None


async def test_a_second_listing_sees_every_change(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "src/b.py": "", "src/deep/c.py": ""})
    for folder in (tmp_path / "src" / "deep", tmp_path / "src", tmp_path):
        os.utime(folder, (1, 1))
    files = view(tmp_path)
    assert await files.listing() == ("a.py", "src/b.py", "src/deep/c.py")
    make(tmp_path, {"src/deep/d.py": ""})
    assert await files.listing() == ("a.py", "src/b.py", "src/deep/c.py", "src/deep/d.py")
    make(tmp_path, {".gitignore": "c.py\n"})
    assert await files.listing() == (".gitignore", "a.py", "src/b.py", "src/deep/d.py")
    make(tmp_path, {".gitignore": "deep/\n"})
    assert await files.listing() == (".gitignore", "a.py", "src/b.py")
    (tmp_path / ".gitignore").unlink()
    shutil.rmtree(tmp_path / "src" / "deep")
    assert await files.listing() == ("a.py", "src/b.py")


async def test_a_project_that_is_too_large_is_cut_near_the_root_first(tmp_path: Path) -> None:
    make(tmp_path, {f"d{n}/deep/f{n}.py": "" for n in range(20)} | {"a.py": "", "d1/b.py": ""})
    files = ProjectFiles(open_tree(tmp_path), max_files=5)
    survey = await files.survey()
    assert survey.is_cut
    assert len(survey.files) == 5
    assert {"a.py", "d1/b.py"} <= set(survey.files)


SECRET = (
    ".env",
    "a/.env.production",
    "prod.env",
    "server.pem",
    "tls.KEY",
    "id_rsa",
    "keys/id_ed25519",
    "id_ecdsa.bak",
    ".npmrc",
    ".netrc",
    "secrets.yml",
    "config/secret.json",
    "service-account-prod.json",
    ".aws/credentials",
    ".docker/config.json",
    "x.tfvars",
)
OPEN = (
    ".env.example",
    "env.py",
    "environment.yml",
    "id_rsa.pub",
    "identity.py",
    "keys.py",
    "secrets.py",
    "pem.md",
    "monkey.js",
    "credentials.py",
    "service_account.py",
)


@pytest.mark.parametrize("path", SECRET)
def test_names_of_secrets(path: str) -> None:
    assert is_sensitive(path)


@pytest.mark.parametrize("path", OPEN)
def test_names_that_are_no_secrets(path: str) -> None:
    assert not is_sensitive(path)
