"""A project and a scripted client in a folder, and the adapter that drives it."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters.base import Completion, CompletionRequest, Message
from orchestra_tui.engine.adapters.process.adapter import ProcessAdapter
from orchestra_tui.engine.adapters.process.build import CLIENTS
from orchestra_tui.engine.adapters.process.client import ClientSettings
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.stubs.scripted_client import Play, install, report

FOREIGN = {
    "OPENAI_API_KEY": "key-of-openai-0001",
    "ANTHROPIC_API_KEY": "key-of-anthropic-0002",
    "GEMINI_API_KEY": "key-of-gemini-0003",
    "MISTRAL_API_KEY": "key-of-mistral-0004",
    "ZAI_API_KEY": "key-of-zai-0005",
    "AWS_SECRET_ACCESS_KEY": "key-of-aws-0006",
    "GITHUB_TOKEN": "key-of-github-0007",
}


@dataclass
class ClientBench:
    """One project and one client that plays."""

    folder: Path
    kind: AdapterKind
    deltas: list[str] = field(default_factory=list)
    views: PrivateTree | None = None
    """What it works in; None makes copies."""
    keep: tuple[str, ...] = ("EXTRA",)
    """Further variables that it may see."""

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def adapter(self, play: Play, environ: Mapping[str, str] = FOREIGN) -> ProcessAdapter:
        self.project.mkdir(exist_ok=True)
        (self.project / "README.md").write_text("# demo\n")
        tree = open_tree(self.project)
        views = self.views or PrivateCopies(tree, ProjectFiles(tree))
        settings = ClientSettings(
            name="mine", command=str(install(self.folder, play)), model="m-1", keep=self.keep
        )
        path = {"PATH": os.defpath, "HOME": str(self.folder)}
        return ProcessAdapter(
            CLIENTS[self.kind](), settings, {**path, **environ}, views, own_pace=False
        )

    async def ask(
        self,
        play: Play,
        *,
        role: Role = Role.EXECUTOR,
        path: str | None = "hello.txt",
        seconds: float = 20.0,
        first: float | None = None,
    ) -> Completion:
        request = CompletionRequest(
            key=CallKey("r1/s1/execute/1/call/1"),
            role=role,
            path=path,
            task="greet",
            messages=(Message("system", "You write files."), Message("user", "Say hello.")),
            first_byte_timeout=first or seconds,
            idle_timeout=seconds,
            total_timeout=60.0,
        )
        return await self.adapter(play).execute(request, self.deltas.append)

    async def has_begun(self) -> None:
        """Until the client has read its prompt."""
        await until((self.folder / "report.json").exists)

    def left_running(self) -> list[int]:
        """Processes of the client that still live."""
        return [pid for pid in report(self.folder).pids if is_alive(pid)]


async def until(is_so: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for something another process does. Raises TimeoutError."""

    def look() -> None:
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.01)

    await asyncio.to_thread(look)


def is_alive(pid: int) -> bool:
    """True if there is such a process; one that nobody reaped yet counts as gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat[stat.rindex(b")") + 2 :].split()[0] != b"Z"
