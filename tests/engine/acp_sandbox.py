"""A project and a scripted ACP agent in a folder, and the adapter that drives it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter, Completion, CompletionRequest, Message
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.engine.process_sandbox import FOREIGN, is_alive, until
from tests.stubs.scripted_acp import AcpPlay, heard, install
from tests.stubs.scripted_client import report

WRITTEN = "written by the fake model\n"
REPLY = f"=== FILE hello.txt\n{WRITTEN}=== END FILE\n=== END REPLY\n"


@dataclass
class AcpBench:
    """One project and one agent that plays; `settings` are those of its adapter."""

    folder: Path
    deltas: list[str] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def shown(self) -> str:
        """What the pane showed."""
        return "".join(self.deltas)

    def adapter(
        self, play: AcpPlay, environ: Mapping[str, str] = FOREIGN, **settings: object
    ) -> Adapter:
        self.project.mkdir(exist_ok=True)
        (self.project / "README.md").write_text("# demo\n")
        tree = open_tree(self.project)
        wanted = AdapterSettings.model_validate(
            {
                "name": "mine",
                "kind": "acp",
                "command": str(install(self.folder, play)),
                "first_byte_timeout": 20.0,
                **settings,
            }
        )
        path = {"PATH": os.defpath, "HOME": str(self.folder)}
        copies = PrivateCopies(tree, ProjectFiles(tree))
        return build_adapter(wanted, {**path, **environ}, tree=copies)

    async def ask(
        self,
        play: AcpPlay,
        *,
        role: Role = Role.EXECUTOR,
        path: str | None = "hello.txt",
        first: float = 20.0,
        idle: float = 20.0,
        **settings: object,
    ) -> Completion:
        request = CompletionRequest(
            key=CallKey("r1/s1/execute/1/call/1"),
            role=role,
            path=path,
            task="greet",
            messages=(Message("system", "You write files."), Message("user", "Say hello.")),
            first_byte_timeout=first,
            idle_timeout=idle,
            total_timeout=60.0,
        )
        return await self.adapter(play, **settings).execute(request, self.deltas.append)

    async def has_asked(self, method: str = "session/prompt") -> None:
        """Until the agent was asked this."""
        log = self.folder / "heard.jsonl"
        await until(lambda: log.exists() and f'"{method}"' in log.read_text())

    def answer_to(self, number: object) -> Mapping[str, object]:
        """What the adapter answered to the agent's request of this id."""
        return next(m for m in heard(self.folder) if m.get("id") == number and "method" not in m)

    def left_running(self) -> list[int]:
        """Processes of the agent that still live."""
        return [pid for pid in report(self.folder).pids if is_alive(pid)]
