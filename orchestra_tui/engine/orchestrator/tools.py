"""What the performers work with: the rooms below, wired once by the runtime."""

from dataclasses import dataclass

from orchestra_tui.domain.ids import BlobHash, RunId
from orchestra_tui.domain.ports import BlobStore
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.agents.architect import Architect
from orchestra_tui.engine.agents.auditor import Auditor
from orchestra_tui.engine.agents.consultant import Consultant
from orchestra_tui.engine.agents.executor import Executor
from orchestra_tui.engine.agents.view import ProjectView
from orchestra_tui.engine.apply import Applier
from orchestra_tui.engine.git.repository import Repository
from orchestra_tui.engine.orchestrator.calls import Caller, Journal
from orchestra_tui.engine.orchestrator.project_checks import ProjectChecks
from orchestra_tui.engine.validation.gate import Gate
from orchestra_tui.engine.workspace.tree import SafeTree


@dataclass(frozen=True)
class Agents:
    """One of each role."""

    architect: Architect
    executor: Executor
    auditor: Auditor
    consultant: Consultant


@dataclass(frozen=True)
class Tools:
    """The rooms a unit of work may use; `repository` is None without git."""

    journal: Journal
    blobs: BlobStore
    tree: SafeTree
    files: ProjectView
    applier: Applier
    caller: Caller
    agents: Agents
    gate: Gate
    checks: ProjectChecks
    repository: Repository | None

    def run(self, run_id: RunId) -> RunState:
        """The run as it is now. Raises KeyError if it is not in the open session."""
        for run in self.journal.state.runs:
            if run.id == run_id:
                return run
        raise KeyError(run_id)

    def blob(self, blob: BlobHash | None) -> bytes | None:
        """The content behind a hash, None for None. Blocks; Raises StorageError."""
        return None if blob is None else self.blobs.get(blob)
