"""The chain of each role: adapters built from the settings, in the user's order.

The rule a reader must not break: a rehearsal answers every role or none. No chain that leads to a
model holds it, and in a rehearsal no chain leads to a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings, Settings
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.fallback import Link, refuse_mixed
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.patience import Timeouts
from orchestra_tui.engine.adapters.prices import tariff_of
from orchestra_tui.engine.adapters.process.build import CLIENTS
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.transport import Transport

_PROMPT_ALONE = frozenset({"openai_compatible", "glm", "gemini", "anthropic", "local"})
"""Kinds whose answer depends on the prompt alone. A client that reads the tree by itself may
answer the same prompt differently, so its answers are not kept."""


@dataclass(frozen=True)
class Chains:
    """Who may be asked. `left_out` says why an adapter of the settings cannot be, `lacking` why a
    role has nobody."""

    by_role: Mapping[Role, tuple[Link, ...]]
    by_name: Mapping[str, Link] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[Role, str] = field(default_factory=dict)
    is_rehearsal: bool = False

    def links(self, role: Role, names: Sequence[str] = ()) -> tuple[Link, ...]:
        """The chain of a role, or with `names` the adapters that a step asks for instead.

        A rehearsal answers whatever a step asks for. Raises UsageError for a name that is not
        configured or cannot be used, NotConfigured for a role without a chain.
        """
        if names and not self.is_rehearsal:
            return tuple(self._named(name) for name in dict.fromkeys(names))
        links = self.by_role.get(role, ())
        if not links:
            why = self.lacking.get(role, "name one in [chains]")
            raise NotConfigured(f"the {role.value} has nobody to ask: {why}")
        return links

    def names(self, role: Role) -> tuple[str, ...]:
        """The adapters of a role's chain, first choice first."""
        return tuple(link.name for link in self.by_role.get(role, ()))

    def problem(self, names: tuple[str, ...]) -> str:
        """Why the chain that a step names cannot be used; empty if it can."""
        try:
            self.links(Role.EXECUTOR, names)
        except UsageError as error:
            return str(error)
        return ""

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """Every adapter once, for closing."""
        found = [link.adapter for links in self.by_role.values() for link in links]
        found += [link.adapter for link in self.by_name.values()]
        return tuple({id(adapter): adapter for adapter in found}.values())

    def _named(self, name: str) -> Link:
        if name in self.by_name:
            return self.by_name[name]
        if name in self.left_out:
            raise UsageError(self.left_out[name])
        known = ", ".join(sorted(self.by_name)) or "none"
        raise UsageError(f"there is no adapter {name!r} for this step (configured: {known})")


def rehearsal_chains(adapter: Adapter) -> Chains:
    """The scripted agents for every role."""
    return Chains(by_role={role: (Link(adapter),) for role in Role}, is_rehearsal=True)


def build_chains(
    settings: Settings,
    environment: Mapping[str, str],
    transport: Transport | None = None,
    tree: PrivateTree | None = None,
    *,
    keys: Mapping[str, str] | None = None,
    models: LocalModels | None = None,
    may_lack: bool = False,
) -> Chains:
    """Every configured adapter, and the chains of those that can be used.

    `keys` are the keys that were found; without them the environment has them all. `tree` makes
    the copies of the project that agent programs run in, `models` are the model files in use.

    An adapter whose key is not set is left out of its chains. Raises its NotConfigured if that
    leaves a role with nothing, unless it `may_lack`, because somebody is there who can give the
    key; and UsageError for a base URL or key that cannot be used.
    """
    by_name: dict[str, Link] = {}
    missing: dict[str, NotConfigured] = {}
    for chosen in settings.adapters:
        try:
            adapter = build_adapter(
                chosen, environment, keys=keys, transport=transport, tree=tree, models=models
            )
        except NotConfigured as error:
            missing[chosen.name] = error
            continue
        by_name[chosen.name] = _link(chosen, adapter)
    by_role = {}
    lacking = {}
    for role in Role:
        names = [chosen.name for chosen in settings.chain_for(role)]
        links = tuple(by_name[name] for name in names if name in by_name)
        if names and not links:
            if not may_lack:
                raise missing[names[0]]
            lacking[role] = str(missing[names[0]])
        if links:
            refuse_mixed(links)
            by_role[role] = links
    left_out = {name: str(error) for name, error in missing.items()}
    return Chains(by_role, by_name, left_out, lacking)


def _link(settings: AdapterSettings, adapter: Adapter) -> Link:
    timeouts = Timeouts(settings.first_byte_timeout, settings.idle_timeout, settings.total_timeout)
    tag = settings.model_dump_json() if settings.kind in _PROMPT_ALONE else ""
    return Link(
        adapter,
        timeouts,
        tag,
        tariff=tariff_of(settings),
        max_output_tokens=settings.max_output_tokens,
        runs_program=settings.kind in CLIENTS or settings.kind == AdapterKind.ACP,
        # A model here answers one after the other; its clocks begin when it is its turn.
        at_once=1 if settings.kind == AdapterKind.LOCAL else None,
    )
