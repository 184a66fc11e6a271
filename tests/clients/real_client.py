"""One real program with a project and a home of its own, and what it may leave behind: nothing."""

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.process.adapter import ProcessAdapter
from orchestra_tui.engine.adapters.process.build import CLIENTS
from orchestra_tui.engine.adapters.process.client import ClientSettings
from orchestra_tui.engine.adapters.process.warden import descendants
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.private_view import PrivateViews
from orchestra_tui.engine.workspace.tree import open_tree
from tests.clients.programs import installed

NOWHERE = "http://127.0.0.1:9"
_SUFFIX = {"claude": "", "gemini_cli": ""}
_MODEL = {"codex": "gpt-5.5", "claude": "claude-opus-4-8", "gemini_cli": "gemini-2.5-pro"}
_LISTENING_OR_OVER = {"0A", "06", "07"}
"""States in /proc/net/tcp of a socket that leads nowhere: LISTEN, TIME_WAIT, CLOSE."""


@dataclass
class RealClient:
    """The program, in a folder of its own, against the server of a test."""

    kind: str
    folder: Path
    server: str
    deltas: list[str] = field(default_factory=list)
    is_overlaid: bool = False
    """It works in an overlay, else in a copy."""
    took: dict[str, float] = field(default_factory=dict)
    """Seconds by case."""

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def adapter(self, case: str) -> base.Adapter:
        home = self.folder / "home"
        self.project.mkdir()
        home.mkdir()
        (self.project / "README.md").write_text("# demo\n")
        tree = open_tree(self.project)
        server = NOWHERE if case == "down" else self.server
        settings = ClientSettings(
            name=self.kind,
            command=str(installed(self.kind)),
            model=_MODEL.get(self.kind, "fake-model"),
            base_url=f"{server}/s/{case}{_SUFFIX.get(self.kind, '/v1')}",
            key="no-real-key-0001",
        )
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        files = ProjectFiles(tree)
        copies = PrivateCopies(tree, files)
        views = PrivateViews(tree, files, os.environ) if self.is_overlaid else copies
        client = CLIENTS[AdapterKind(self.kind)]()
        return ProcessAdapter(client, settings, environ, views, own_pace=False)

    async def ask(
        self,
        case: str,
        *,
        role: Role = Role.EXECUTOR,
        first: float = 60.0,
        idle: float = 30.0,
        name: str = "",
    ) -> base.Completion:
        """One call; its seconds are kept under `name`, or the case."""
        request = base.CompletionRequest(
            key=CallKey("r1/s1/execute/1/call/1"),
            role=role,
            path="hello.txt",
            task="greet",
            messages=(base.Message("user", "Create hello.txt."),),
            first_byte_timeout=first,
            idle_timeout=idle,
            total_timeout=120.0,
        )
        adapter = self.adapter(case)
        began = time.monotonic()
        try:
            return await adapter.execute(request, self.deltas.append)
        finally:
            self.took[name or case] = time.monotonic() - began

    def assert_nothing_left(self) -> None:
        """No process, no socket to the server, no file, and the project as it was."""
        assert descendants(os.getpid()) == set(), "a process of the client is left"
        assert open_sockets(urlsplit(self.server).port or 0) == [], "a socket is left"
        assert list(Path(tempfile.gettempdir()).iterdir()) == [], "temporary files are left"
        assert [path.name for path in self.project.iterdir()] == ["README.md"]


def open_sockets(port: int) -> list[str]:
    """Connections to `port` of this machine that a process still holds; Linux only."""
    if sys.platform != "linux":
        return []
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, _, peer, state, *_ = line.split()
            inode = line.split()[9]
            if int(peer.rpartition(":")[2], 16) == port and inode != "0":
                found += [line] if state not in _LISTENING_OR_OVER else []
    return found
