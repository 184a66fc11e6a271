"""Overlays for real, where bubblewrap makes them; the choice between them and copies anywhere."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from orchestra_tui.domain.settings import AdapterKind, Settings
from orchestra_tui.engine.adapters.detection import probe
from orchestra_tui.engine.adapters.process.private_tree import PrivateCopy
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.overlay import OverlayView
from orchestra_tui.engine.workspace.overlay_probe import (
    ADVICE,
    Found,
    look_for_overlay,
    programs,
)
from orchestra_tui.engine.workspace.private_tree import FolderCopy
from orchestra_tui.engine.workspace.private_view import PrivateViews, Probe, told
from orchestra_tui.engine.workspace.tree import open_tree
from tests.engine.process_sandbox import ClientBench
from tests.stubs.scripted_client import recorded, report

ENVIRON = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in {
        "src/a.py": "a = 1\n",
        "src/b.py": "b = 1\n",
        "docs/x.md": "x\n",
        "README.md": "# demo\n",
        ".gitignore": "built/\n*.log\n",
        ".env": "KEY=secret\n",
        "deploy/id_rsa": "secret\n",
        "deploy/run.sh": "#!/bin/sh\n",
        ".git/HEAD": "ref: refs/heads/main\n",
        ".claude/settings.json": "{}\n",
        "src/.mcp.json": "{}\n",
        "built/x.o": "x\n",
        "src/y.log": "y\n",
        ".orchestra/orchestra.db": "db\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "link").symlink_to("/etc")
    return root


SHOWN = (".gitignore", "README.md", "deploy/run.sh", "docs/x.md", "src/a.py", "src/b.py")


@pytest.fixture
def works(tmp_path: Path, project: Path) -> Found:
    found = look_for_overlay(project, ENVIRON, tmp_path)
    if isinstance(found, str):
        pytest.skip(f"no overlay here: {found}")
    return found


def views(project: Path, parent: Path, probe: Probe = look_for_overlay) -> PrivateViews:
    tree = open_tree(project)
    (parent / "views").mkdir(exist_ok=True)
    return PrivateViews(tree, ProjectFiles(tree), ENVIRON, parent=parent / "views", probe=probe)


def run(view: PrivateCopy, script: str) -> str:
    """What a shell says that runs in the view."""
    argv = view.wrapped(("/bin/sh", "-ec", script))
    done = subprocess.run(argv, cwd=view.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bytes_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "/etc" not in str(path.resolve())
    }


@pytest.mark.usefixtures("works")
async def test_an_agent_sees_what_a_copy_would_hold(tmp_path: Path, project: Path) -> None:
    async with views(project, tmp_path).copied() as view:
        assert isinstance(view, OverlayView)
        seen = run(
            view, "find . -mindepth 1 ! -type d; echo; pwd; ls -A link deploy/id_rsa 2>&1 || :"
        )
        files, _, rest = seen.partition("\n\n")
        assert tuple(sorted(line.removeprefix("./") for line in files.splitlines())) == SHOWN
        assert rest.startswith(str(view.root))
    assert list((tmp_path / "views").iterdir()) == []


@pytest.mark.usefixtures("works")
async def test_what_changed_is_told_and_the_tree_stays(tmp_path: Path, project: Path) -> None:
    before = bytes_of(project)
    async with views(project, tmp_path).copied("src/a.py") as view:
        run(
            view,
            "echo 'a = 2' > src/a.py; echo new > new.txt; rm README.md; rm -r docs; touch -r . src;"
            "rm -r deploy; mkdir deploy; echo z > deploy/z; echo mine > .env; chmod 700 src/b.py",
        )
        assert view.changed("src/a.py") == b"a = 2\n"
        assert view.changed("new.txt") == b"new\n"
        assert view.changed("README.md") is None
        assert view.changed("src/b.py") is None
        assert view.changed("nowhere/at/all.txt") is None
        assert view.others_changed("src/a.py") == (
            *(".env", "README.md", "deploy/run.sh", "deploy/z", "docs/x.md", "new.txt"),
        )
    assert bytes_of(project) == before
    assert stat.S_IMODE((project / "src" / "b.py").stat().st_mode) != 0o700


@pytest.mark.usefixtures("works")
async def test_the_tree_is_out_of_reach_by_its_own_name(tmp_path: Path, project: Path) -> None:
    async with views(project, tmp_path).copied() as view:
        said = run(
            view,
            f"cat {project}/.env 2>/dev/null || echo unread;"
            f"echo x 2>/dev/null > {project}/src/a.py || echo unwritten;"
            f"echo x 2>/dev/null > {project}/x || echo unwritten;"
            f"cat /proc/{os.getpid()}/environ >/dev/null 2>&1 || echo alone;"
            f"ls {view.root.parent.parent}",
        )
        assert said.split() == ["unread", "unwritten", "unwritten", "alone", "view"]
    assert (project / "src" / "a.py").read_text() == "a = 1\n"


@pytest.mark.usefixtures("works")
async def test_a_program_in_the_project_can_still_be_started(tmp_path: Path, project: Path) -> None:
    program = project / "built" / "tool"
    program.write_text("#!/bin/sh\ncat README.md; echo x > ../x.o 2>/dev/null; echo y > $0\n")
    program.chmod(0o755)
    async with views(project, tmp_path).copied() as view:
        done = subprocess.run(
            view.wrapped((str(program),)),
            cwd=view.root,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == "# demo\n"
    assert "Read-only" in done.stderr
    assert program.read_text().startswith("#!/bin/sh")


@pytest.mark.usefixtures("works")
async def test_it_can_be_read_while_it_is_used(tmp_path: Path, project: Path) -> None:
    async with views(project, tmp_path).copied() as view:
        run(view, "echo 'a = 2' > src/a.py; rm README.md")
        assert view.read("src/a.py") == b"a = 2\n"
        assert view.read("src/b.py") == b"b = 1\n"
        assert [view.read(path) for path in ("README.md", ".env", "nowhere")] == [None] * 3
        with pytest.raises(OSError, match="by its program alone"):
            view.write("src/a.py", b"")


@pytest.mark.usefixtures("works")
async def test_a_folder_in_which_we_write_too_is_a_copy(tmp_path: Path, project: Path) -> None:
    async with views(project, tmp_path).copied("src/a.py", is_shared=True) as view:
        assert isinstance(view, FolderCopy)
        view.write("src/a.py", b"a = 3\n")
        assert view.changed("src/a.py") == b"a = 3\n"


async def test_the_doctor_says_which(tmp_path: Path, project: Path, works: Found) -> None:
    lines = await probe(Settings(), {"PATH": ""}, servers=(), tree=views(project, tmp_path))
    told_lines = [line.detail for line in lines if line.name == "agents work in"]
    assert told_lines == [f"an overlay (bubblewrap {works.version})"]
    without = views(project, tmp_path, lambda *_: "nobody wants one")
    lines = await probe(Settings(), {"PATH": ""}, servers=(), tree=without)
    assert [line.detail for line in lines if line.name == "agents work in"] == [
        "a copy: nobody wants one"
    ]


@pytest.mark.usefixtures("works")
async def test_no_link_is_followed_out_of_the_upper_layer(tmp_path: Path, project: Path) -> None:
    async with views(project, tmp_path).copied() as view:
        run(view, "rm src/a.py; ln -s /etc/hostname src/a.py; rm -r docs; ln -s /etc docs")
        for path in ("src/a.py", "docs/hostname"):
            with pytest.raises(OSError, match=r"link|not a folder of the project"):
                view.changed(path)


@pytest.mark.usefixtures("works")
async def test_a_client_writes_into_the_overlay_and_leaves_nothing(
    tmp_path: Path, project: Path
) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CODEX, views=views(project, tmp_path))
    play = recorded("codex", "edit")
    play.writes.update({"hello.txt": "hello\n"})
    answer = await bench.ask(play)
    assert answer.text == "=== FILE hello.txt\nhello\n=== END FILE\n=== END REPLY\n"
    seen = report(tmp_path)
    assert tuple(path for path in seen.files if path not in {"deploy", "docs", "src"}) == SHOWN
    assert not (project / "hello.txt").exists()


def fake_bubblewrap(folder: Path, version: str, ending: str) -> Path:
    """A bubblewrap that is a script, which says this version and ends like this."""
    folder.mkdir(exist_ok=True)
    program = folder / "bwrap"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "bubblewrap {version}" && exit\n{ending}\n'
    )
    program.chmod(0o755)
    return program


LIAR = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
CRASH = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="overlays are Linux's")


@LINUX
@pytest.mark.parametrize(
    ("version", "ending", "why"),
    [
        ("0.8.0", "exit 0", "bubblewrap 0.8.0 is older than 0.11; pip install"),
        ("of ours", "exit 0", "does not say its version"),
        ("0.11.1", CRASH, "a trial failed: bwrap: setting up uid map: Permission denied"),
        ("0.11.1", "exit 3", "a trial failed: exit code 3"),
        ("0.11.1", "exit 0", "a trial failed: what was written did not stay in the overlay"),
        ("1.2.3", LIAR, "a trial failed: "),
    ],
)
async def test_without_overlays_it_is_a_copy_and_the_reason_is_told(
    tmp_path: Path, project: Path, version: str, ending: str, why: str
) -> None:
    program = fake_bubblewrap(tmp_path / "bin", version, ending)
    before = bytes_of(project)
    only_this = partial(look_for_overlay, find=lambda _environ: [str(program)])
    assert why in told(only_this(project, ENVIRON, tmp_path))
    assert bytes_of(project) == before
    async with views(project, tmp_path, only_this).copied() as view:
        assert isinstance(view, FolderCopy)
        assert run(view, "cat README.md") == "# demo\n"


@LINUX
def test_none_is_installed(tmp_path: Path, project: Path) -> None:
    found = look_for_overlay(project, ENVIRON, tmp_path, find=lambda _environ: [])
    assert found == f"bubblewrap (bwrap) is not installed; {ADVICE}"


def test_a_bubblewrap_that_a_repository_brings_is_not_taken(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_bubblewrap(project / "built", "0.11.0", "exit 0")
    monkeypatch.chdir(project)
    assert str(program) not in programs({"PATH": "built:."})
    assert next(programs({"PATH": f"built:{program.parent}"})) == str(program)


@LINUX
def test_an_old_one_is_passed_over(tmp_path: Path, project: Path) -> None:
    old = fake_bubblewrap(tmp_path / "old", "0.8.0", "exit 0")
    crash = fake_bubblewrap(tmp_path / "new", "0.11.0", CRASH)
    both = [str(old), str(crash)]
    found = look_for_overlay(project, ENVIRON, tmp_path, find=lambda _environ: both)
    assert "a trial failed" in told(found)


@LINUX
def test_a_project_around_the_home_is_copied(tmp_path: Path, project: Path) -> None:
    only_this = [str(fake_bubblewrap(tmp_path / "bin", "0.11.0", "exit 0"))]
    look = partial(look_for_overlay, project, find=lambda _environ: only_this)
    inside = look({**ENVIRON, "HOME": str(project / "docs")}, tmp_path)
    assert inside == "the folder for HOME is inside of the project"
    inside = look(ENVIRON, project / "built")
    assert inside == "the folder for temporary files is inside of the project"


async def test_the_choice_is_made_once(tmp_path: Path, project: Path) -> None:
    asked = []

    def probe(root: Path, _environ: Mapping[str, str], _parent: Path | None) -> Found | str:
        asked.append(root)
        return "of a test"

    tree = open_tree(project)
    chosen = PrivateViews(tree, ProjectFiles(tree), {}, parent=tmp_path, probe=probe)

    async def use() -> None:
        async with chosen.copied() as view:
            assert isinstance(view, FolderCopy)

    await asyncio.gather(use(), use())
    assert asked == [project]
