"""Model calls: a question goes to the chain of its role, or is answered from an earlier run.

The rule a reader must not break: only a whole, fresh answer of a real model is kept, and one that
could not be used is forgotten again.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from time import monotonic

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.calls import FinishReason, ProviderKind
from orchestra_tui.domain.ids import CallKey, blob_hash
from orchestra_tui.domain.ports import BlobStore, KeptResult, ResultCache
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.adapters.base import Completion
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.fallback import Clock, FallbackAdapter, Link, Sleep, Try
from orchestra_tui.engine.adapters.fallback_course import ChainLimits
from orchestra_tui.engine.orchestrator.call_journal import (
    Journal,
    JournaledTries,
    Question,
    as_json,
)
from orchestra_tui.engine.orchestrator.chains import Chains
from orchestra_tui.engine.orchestrator.ledger import Ledger
from orchestra_tui.engine.orchestrator.open_chains import OpenChains

__all__ = ["Answer", "Caller", "Journal", "Question"]


@dataclass(frozen=True)
class Answer:
    """A finished call's reply, fresh, from the journal or from the cache."""

    call: CallKey
    text: str
    finish: FinishReason


@dataclass
class Caller:
    """Asks the chain of a role and journals every try. `cache` None keeps nothing."""

    journal: Journal
    blobs: BlobStore
    open_chains: OpenChains
    ledger: Ledger
    lanes: Lanes = field(default_factory=Lanes)
    cache: ResultCache | None = None
    clock: Clock = monotonic
    sleep: Sleep = asyncio.sleep
    max_output_tokens: int | None = None
    _kept: dict[CallKey, str] = field(default_factory=dict)

    @property
    def chains(self) -> Chains:
        """Who is asked now."""
        return self.open_chains.now

    async def ask(self, activity: Activity, question: Question) -> Answer:
        """The reply to `question`. Raises AdapterError when no adapter of the chain answered,
        UsageError when the chain that a step asks for cannot be used, BudgetStopped."""
        with self.open_chains.held() as chains:
            links = chains.links(question.role, question.chain)
            return await self._ask(activity, question, links)

    async def _ask(self, activity: Activity, question: Question, links: tuple[Link, ...]) -> Answer:
        tries = JournaledTries(
            self.journal,
            self.blobs,
            activity,
            question,
            self.ledger,
            max_output_tokens=self.max_output_tokens,
        )
        run = self._run(activity)
        completion = await self._from_cache(run, question, tries, links)
        if completion is None:
            chain = FallbackAdapter(
                links, self.lanes, _limits(run, links), clock=self.clock, sleep=self.sleep
            )
            completion = await chain.answer(tries)
            await self._keep(tries, question, completion)
        return Answer(tries.key, completion.text, completion.finish)

    async def forget(self, call: CallKey) -> None:
        """The answer of this call was of no use: it is not given again."""
        key = self._kept.pop(call, None)
        if key is not None and self.cache is not None:
            await self.cache.forget(key)

    def _run(self, activity: Activity) -> RunState:
        for run in self.journal.state.runs:
            if run.id == activity.run:
                return run
        raise KeyError(activity.run)

    async def _from_cache(
        self,
        run: RunState,
        question: Question,
        tries: JournaledTries,
        links: tuple[Link, ...],
    ) -> Completion | None:
        """A kept answer of the first adapter that could be asked now, or of one before it.

        Not for what this run asked before: who tries again wants another answer.
        """
        if self.cache is None or tries.key in run.calls:
            return None
        asked = {call.request for call in run.calls.values()}
        for link in links:
            request = as_json(tries.request(Try(link)))
            if blob_hash(request.encode()) in asked:
                return None
            if _may_be_kept(link):
                key = _key(link, question, tries)
                kept = await self.cache.get(key)
                if kept is not None:
                    completion = await tries.take_kept(link, kept)
                    self._kept[tries.key] = key
                    return completion
            if not self.lanes.lane(link.adapter.info(), link.at_once).readiness(self.clock()).kind:
                return None
        return None

    async def _keep(
        self, tries: JournaledTries, question: Question, completion: Completion
    ) -> None:
        link = tries.link
        is_whole = completion.finish is FinishReason.STOP and completion.text
        if self.cache is None or link is None or not is_whole or not _may_be_kept(link):
            return
        key = _key(link, question, tries)
        self._kept[tries.key] = key
        usage, model = completion.usage, completion.model
        await self.cache.put(key, KeptResult(text=completion.text, usage=usage, model=model))


def _limits(run: RunState, links: tuple[Link, ...]) -> ChainLimits:
    settings = run.settings
    return ChainLimits(
        max_retries=settings.max_call_retries,
        patience=settings.patience,
        alone=settings.max_retry_wait,
        # Behind a model that answers one after the other, all of ours may stand in the line.
        turn=max(
            link.timeouts.total * (settings.max_concurrency if link.at_once == 1 else 1)
            for link in links
        ),
    )


def _may_be_kept(link: Link) -> bool:
    return bool(link.cache_tag) and link.adapter.info().kind is ProviderKind.REAL


def _key(link: Link, question: Question, tries: JournaledTries) -> str:
    """A hash of all that the answer depends on: adapter, model, role, prompt, files in it."""
    parts = [
        link.adapter.info().model_dump(mode="json"),
        link.cache_tag,
        question.role.value,
        question.path,
        as_json(tries.request(Try(link))),
        sorted((question.files or {}).items()),
    ]
    text = json.dumps(parts, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
