"""Who is asked, looked at and changed while the project is open.

The rule a reader must not break: chains are built before anything is written, written before they
are taken, and taken as a whole. Calls that are at work keep the adapters they began with, until the
last of them has ended (`open_chains`); the next call of a role, also of a run that runs, goes to
its new chain.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestra_tui.domain import ports
from orchestra_tui.domain.doctor import Configuration, DoctorLine, LinkTrial, Offer
from orchestra_tui.domain.errors import CommandRefused, UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterSettings, Settings
from orchestra_tui.engine.adapters.detection import KEYS, Probes
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.adapters.transport import Transport
from orchestra_tui.engine.adapters.trial import try_link
from orchestra_tui.engine.orchestrator.about import Project
from orchestra_tui.engine.orchestrator.calls import Caller
from orchestra_tui.engine.orchestrator.chains import build_chains

SetupQuery = (
    ports.ListProbes
    | ports.Probe
    | ports.GetConfiguration
    | ports.TryLink
    | ports.GetKeys
    | ports.StoreKey
)


@dataclass
class AgentSetup:
    """The configuration of agents of one open project. Without `store` nothing can be saved."""

    project: Project
    caller: Caller
    copies: PrivateTree
    store: ports.SettingsStore | None = None
    transport: Transport | None = None
    models: LocalModels | None = None
    """The model files that are loaded already."""
    _keys: asyncio.Task[Mapping[str, str]] | None = None
    _seen: Settings | None = None
    """The settings that the round of probes looks at."""

    async def answer(self, query: SetupQuery) -> object:
        """The answer to a question about agents. Raises UsageError."""
        match query:
            case ports.ListProbes():
                return await self.lines()
            case ports.Probe():
                return await self.look(query.key)
            case ports.GetConfiguration():
                return await self.configuration()
            case ports.TryLink():
                return await self.try_link(query)
            case ports.GetKeys():
                names = (*self.project.settings.key_names, *KEYS)
                return (await self.project.keys.find(names)).known
            case ports.StoreKey():
                self.project.hide(query.value.get_secret_value().strip())
                return await self.project.keys.store(query.name, query.value)
        assert_never(query)

    async def lines(self) -> tuple[DoctorLine, ...]:
        """What will be looked for; file and keys are looked at anew from here on."""
        self._keys = None
        self._seen = await self._as_saved()
        return self._probes().lines

    async def look(self, key: str) -> DoctorLine:
        """The line of one probe. Raises UsageError for a key that is none."""
        return await self._probes().look(key)

    async def configuration(self) -> Configuration:
        """What is configured. Raises UsageError if the file cannot be read any more."""
        if self.store is None:
            settings = self.project.settings
            return Configuration(place="", adapters=settings.adapters, chains=settings.chains)
        read = await asyncio.to_thread(self.store.read)
        saved = await self._as_saved()
        mine = self.project.settings
        is_same = (saved.adapters, saved.chains) == (mine.adapters, mine.chains)
        return read.model_copy(update={"is_in_use": is_same})

    async def configure(
        self, offers: Sequence[Offer], chains: Mapping[Role, Sequence[str]]
    ) -> None:
        """Save the change and work with it. Raises UsageError, and then nothing has changed."""
        if self.store is None:
            raise CommandRefused("this session has no configuration file to write to")
        wanted = await asyncio.to_thread(self.store.preview, offers, chains)
        built = await asyncio.to_thread(
            build_chains,
            wanted,
            self.project.environment,
            self.transport,
            self.copies,
            keys=await self._found(wanted),
            models=self.models,
            # Looking again for keys must not stop at the first that is still missing.
            may_lack=not offers and not chains,
        )
        opened = self.caller.open_chains
        try:
            await asyncio.to_thread(self.store.save, offers, chains)
        except BaseException:
            opened.drop(built)
            raise
        self.project.settings = wanted
        if opened.now.is_rehearsal:
            opened.drop(built)
        else:
            opened.replace(built)
        # A key that was refused may be another one now.
        self.caller.lanes.renewed()

    def chain_names(self) -> dict[str, tuple[str, ...]]:
        """Role -> the names of the adapters that are asked now, first choice first."""
        return {
            role.value: tuple(link.adapter.info().name for link in links)
            for role, links in self.caller.chains.by_role.items()
        }

    async def try_link(self, query: ports.TryLink) -> LinkTrial:
        """Send one tiny prompt. Raises UsageError for an adapter that cannot be asked."""
        chosen = query.offer.settings() if query.offer else await self._named(query.name)
        keys = await self._found(Settings(adapters=(chosen,)))
        environment = self.project.environment
        trial = await try_link(
            chosen,
            environment,
            keys=keys,
            transport=self.transport,
            models=self.models,
            prices=self.caller.ledger.prices,
        )
        if not trial.error:
            self.caller.lanes.renewed()
        return trial

    def _probes(self) -> Probes:
        return Probes(
            self._seen or self.project.settings,
            self.project.environment,
            keys=self._shared_keys,
            tree=self.copies,
        )

    async def _shared_keys(self) -> Mapping[str, str]:
        """One look for all probes of a round: the keyring is a child process each time."""
        if self._keys is None:
            settings = self._seen or self.project.settings
            self._keys = asyncio.create_task(self._found(settings, KEYS))
        return await asyncio.shield(self._keys)

    async def _found(self, settings: Settings, more: Iterable[str] = ()) -> Mapping[str, str]:
        """The keys of these adapters, kept out of the log from now on."""
        found = await self.project.keys.find((*settings.key_names, *more))
        for value in found.values.values():
            self.project.hide(value)
        return found.values

    async def _as_saved(self) -> Settings:
        """The settings of the file as it is now, which the user may have edited meanwhile."""
        if self.store is None:
            return self.project.settings
        return await asyncio.to_thread(self.store.preview, (), {})

    async def _named(self, name: str) -> AdapterSettings:
        for adapter in (await self._as_saved()).adapters:
            if adapter.name == name:
                return adapter
        raise UsageError(f"there is no adapter {name!r} in the configuration")
