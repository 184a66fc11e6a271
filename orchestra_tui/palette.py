"""The command palette: the keys that work here, the screens and the themes, by name.

The rule a reader must not break: what approves something is left out (`ids` that end in
`.approve`, `.commit`, ...); approvals are keys or buttons, never found by typing a name.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.types import IgnoreReturnCallbackType

_APPROVALS = (".approve", ".commit", ".confirm", ".accept_anyway")


class Entry(NamedTuple):
    """One line of the palette."""

    title: str
    help: str
    run: IgnoreReturnCallbackType


class OrchestraCommands(Provider):
    """Commands from the active bindings (screens included) and the themes."""

    async def discover(self) -> Hits:
        """Everything that can be done here, before a letter is typed."""
        for entry in self._entries():
            yield DiscoveryHit(Content(entry.title), entry.run, text=entry.title, help=entry.help)

    async def search(self, query: str) -> Hits:
        """What fits the letters typed so far."""
        matcher = self.matcher(query)
        for entry in self._entries():
            text = f"{entry.title} {entry.help}"
            if (score := matcher.match(text)) > 0:
                yield Hit(score, Content(entry.title), entry.run, text=entry.title, help=entry.help)

    def _entries(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            is_approval = (binding.id or "").endswith(_APPROVALS)
            if not binding.tooltip or not active.enabled or is_approval:
                continue
            if binding.action in seen:
                continue
            seen.add(binding.action)
            key = self.app.get_key_display(binding)
            title = f"{binding.description or binding.tooltip}  [{key}]"
            yield Entry(title, binding.tooltip, partial(self.app.simulate_key, binding.key))
        for name in sorted(self.app.available_themes):
            if name.startswith("orchestra-"):
                yield Entry(f"theme {name}", "change the colours", partial(self._use_theme, name))

    def _use_theme(self, name: str) -> None:
        self.app.theme = name
