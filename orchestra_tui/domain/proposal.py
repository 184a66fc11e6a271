"""Who could play which role on this machine: the user's design, extended by what was found.

The rule a reader must not break: this only proposes. A chain that the user wrote is never changed
here, what does not work is never put into one, and a rehearsal is no link.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.doctor import ENVIRONMENT_ADAPTER, Configuration, DoctorLine, Offer
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.settings import AcpAgent, AdapterKind, AdapterSettings

PREFERRED: Mapping[Role, tuple[str, ...]] = {
    Role.ARCHITECT: ("codex", "gemini", "glm"),
    Role.EXECUTOR: ("glm",),
    Role.AUDITOR: ("gemini",),
    Role.CONSULTANT: ("codex",),
}
"""The families that a role wants, first choice first."""

_PROGRAMS = ("codex", "claude", "gemini_cli", "opencode", "vibe")
_SERVICES = ("gemini", "glm", "anthropic", "openai", "mistral", "deepseek", "openrouter")
_EXTENSION: Mapping[Role, tuple[str, ...]] = {
    # Who plans or mends wants to look around in the project; who writes one file or judges it has
    # everything in the prompt, and a service answers sooner than a program starts.
    Role.ARCHITECT: (*_PROGRAMS, *_SERVICES),
    Role.EXECUTOR: (*_SERVICES, *_PROGRAMS),
    Role.AUDITOR: (*_SERVICES, *_PROGRAMS),
    Role.CONSULTANT: (*_PROGRAMS, *_SERVICES),
}
"""In which order the others follow; what is not named comes after, local servers last."""
_LOCAL = "local"


class Proposal(BaseModel):
    """The chain of each role, and the adapters that must be configured for it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    offers: tuple[Offer, ...] = ()
    chains: dict[Role, tuple[str, ...]] = {}
    is_new: bool = False
    """Something would change if it were taken."""


def propose(lines: Iterable[DoctorLine], configured: Configuration) -> Proposal:
    """The chains for what works here. Empty if nothing but the rehearsal does."""
    lines = tuple(lines)
    offers = open_offers(lines, configured)
    usable = {line.adapter for line in lines if line.is_usable}
    own = [
        adapter
        for adapter in configured.adapters
        if adapter.name in usable and adapter.name != ENVIRONMENT_ADAPTER
    ]
    links = [*own, *(offer.settings() for offer in offers)]
    chains = {role: configured.chains.get(role) or _chain(role, links) for role in Role}
    named = {name for chain in chains.values() for name in chain}
    wanted = tuple(offer for offer in offers if offer.name in named)
    found = {role: chain for role, chain in chains.items() if chain}
    return Proposal(offers=wanted, chains=found, is_new=found != configured.chains)


def open_offers(lines: Iterable[DoctorLine], configured: Configuration) -> tuple[Offer, ...]:
    """What could be added to the configuration: each way to a model once, under a free name."""
    ways = {_way(adapter) for adapter in configured.adapters}
    taken = {adapter.name for adapter in configured.adapters}
    found = []
    for offer in (line.offer for line in lines if line.offer is not None):
        way = _way(offer.settings())
        if way in ways:
            continue
        ways.add(way)
        found.append(offer.renamed(_free_name(offer.name, taken)))
        taken.add(found[-1].name)
    return tuple(found)


def is_taken(offer: Offer, configured: Configuration) -> bool:
    """The configuration has this way to a model already, under whatever name."""
    way = _way(offer.settings())
    return any(_way(adapter) == way for adapter in configured.adapters)


def family(adapter: AdapterSettings) -> str:
    """What an adapter counts as in `PREFERRED`: the vendor's program or service, or `local`."""
    match adapter.kind:
        case AdapterKind.GEMINI_CLI | AdapterKind.GEMINI:
            return "gemini"
        case AdapterKind.ACP if adapter.agent:
            return str(adapter.agent)
        case AdapterKind.OPENAI_COMPATIBLE:
            return _service(adapter)
    return str(adapter.kind)


def _service(adapter: AdapterSettings) -> str:
    """The kind of service behind an address that speaks OpenAI's language."""
    for name, preset in PRESETS.items():
        if preset["base_url"] == adapter.base_url:
            if "api_key_env" not in preset:
                return _LOCAL
            return name if preset["kind"] == AdapterKind.OPENAI_COMPATIBLE else preset["kind"]
    return "other" if adapter.api_key_env else _LOCAL


def _chain(role: Role, links: Sequence[AdapterSettings]) -> tuple[str, ...]:
    preferred = PREFERRED[role]
    extension = _EXTENSION[role]

    def rank(adapter: AdapterSettings) -> tuple[int, int]:
        name = family(adapter)
        kind = str(adapter.kind) if adapter.kind is AdapterKind.GEMINI_CLI else name
        wanted = preferred.index(name) if name in preferred else len(preferred)
        later = len(extension) + (name == _LOCAL)
        # Among those of one family the order of the list decides: what was configured is first.
        return wanted, extension.index(kind) if kind in extension else later

    return tuple(adapter.name for adapter in sorted(links, key=rank))


def _way(adapter: AdapterSettings) -> tuple[str, str]:
    """What makes two entries the same way to a model, whatever they are called.

    A vendor's agent over ACP is the same way as its command line: one of them is enough.
    """
    if adapter.kind is AdapterKind.ACP and adapter.agent:
        return ("gemini_cli" if adapter.agent is AcpAgent.GEMINI else str(adapter.agent)), ""
    if adapter.kind is AdapterKind.ACP:
        return str(adapter.kind), str(adapter.command)
    if str(adapter.kind) in _PROGRAMS:
        return str(adapter.kind), ""
    return str(adapter.kind), adapter.api_key_env or adapter.base_url


def _free_name(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}-{number}"
        number += 1
    return free
