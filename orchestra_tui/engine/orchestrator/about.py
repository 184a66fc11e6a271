"""What is open: the project's folders, its settings, and what a person should know of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.settings import Scenario, Settings
from orchestra_tui.engine.keys.key_store import KeyStore
from orchestra_tui.engine.store.folder import StateFolder


@dataclass
class Project:
    """One open project. `git_problem` says why there is no git although there is a repository.

    `settings` are replaced when the user changes who is asked; the rest stays.
    """

    folder: StateFolder
    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    keys: KeyStore
    hide: Callable[[str], None]
    """Keeps one more secret out of the log."""
    scenario: Scenario | None = None
    git_problem: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def provider(self) -> ProviderKind:
        """Rehearsal or real."""
        return ProviderKind.REHEARSAL if self.scenario else ProviderKind.REAL
