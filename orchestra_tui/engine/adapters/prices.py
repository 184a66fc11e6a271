"""What tokens cost: the user's prices, then what is free, then the list of a kept library.

The rule a reader must not break: a price that is not known is None, never zero. The library is
loaded at the first question (a third of a second), so ask in a thread; it never asks the network.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.money import MOST_USD, Cost, CostBasis, Price, to_micros
from orchestra_tui.domain.settings import AcpAgent, AdapterKind, AdapterSettings

_MILLION = 1_000_000
_OF_PROGRAM: Mapping[str, str] = {
    AdapterKind.CODEX: "openai",
    AdapterKind.CLAUDE: "anthropic",
    AdapterKind.GEMINI_CLI: "google",
    AdapterKind.VIBE: "mistral",
}
"""Whose models a client program asks when it is told no other address."""
_OF_AGENT: Mapping[AcpAgent, str] = {
    AcpAgent.CODEX: "openai",
    AcpAgent.CLAUDE: "anthropic",
    AcpAgent.GEMINI: "google",
    AcpAgent.VIBE: "mistral",
}
_HERE = "http://127.0.0.1"
_FLAT_RATE = "/api/coding/"
"""In the address of a plan that is paid by the month: its tokens have no price of their own."""


@dataclass(frozen=True)
class Tariff:
    """Where an adapter's calls are charged: the model asked for, the address, and whose it is."""

    model: str
    base_url: str = ""
    provider: str = ""

    @property
    def is_on_this_machine(self) -> bool:
        """It is answered here, by a server of the user's."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def tariff_of(settings: AdapterSettings) -> Tariff:
    """The tariff of a configured adapter."""
    provider = _OF_AGENT.get(settings.agent, "") if settings.agent else ""
    provider = "" if settings.base_url else provider or _OF_PROGRAM.get(settings.kind, "")
    # A model file is served by a child of ours.
    address = _HERE if settings.kind == AdapterKind.LOCAL else settings.base_url
    return Tariff(settings.model, address, provider)


@dataclass(frozen=True)
class PriceBook:
    """Costs of tokens. `configured` are the user's prices, by the name of the model."""

    configured: Mapping[str, Price] = field(default_factory=dict)

    def cost(self, tariff: Tariff, usage: Usage, *, model: str = "") -> Cost | None:
        """What these tokens cost; None if their number or their price is not known.

        `model` is the name that the provider answered under, tried after the one asked for.
        Blocks (see the module's docstring).
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        names = [name for name in dict.fromkeys((tariff.model, model)) if name]
        for name in names:
            if (price := self.configured.get(name)) is not None:
                return _at(price, usage)
        if tariff.is_on_this_machine:
            return Cost(usd=Decimal(0), basis=CostBasis.FREE)
        for name in names:
            if (usd := _listed(tariff, name, usage)) is not None:
                return Cost(usd=to_micros(usd), basis=CostBasis.LISTED)
        return None


def reported(usd: object) -> Cost | None:
    """What a client says its call cost; None for anything but a positive number that can be.

    A client that has no price for a model says 0, so that is no price.
    """
    if isinstance(usd, bool) or not isinstance(usd, int | float):
        return None
    amount = Decimal(str(usd))
    if not amount.is_finite() or not 0 < amount <= MOST_USD:
        return None
    return Cost(usd=to_micros(amount), basis=CostBasis.REPORTED)


def _at(price: Price, usage: Usage) -> Cost:
    fresh, read, written = _parts_of_input(usage)
    read_price = price.input if price.cached_input is None else price.cached_input
    write_price = price.input if price.cache_write is None else price.cache_write
    usd = price.input * fresh + read_price * read + write_price * written
    usd += price.output * (usage.output_tokens or 0)
    return Cost(usd=to_micros(usd / _MILLION), basis=CostBasis.CONFIGURED)


def _parts_of_input(usage: Usage) -> tuple[int, int, int]:
    """Input tokens without the cache, read from it and written to it: together never more than
    the input, whatever was said."""
    left = usage.input_tokens or 0
    read = min(usage.cached_tokens or 0, left)
    written = min(usage.cache_write_tokens or 0, left - read)
    return left - read - written, read, written


def _listed(tariff: Tariff, model: str, usage: Usage) -> Decimal | None:
    """US dollars at the list price; None if the library knows no such model there."""
    if _FLAT_RATE in tariff.base_url or not (tariff.base_url or tariff.provider):
        return None
    # Only here: it takes a third of a second, and a rehearsal needs no prices.
    import genai_prices

    _, read, written = _parts_of_input(usage)
    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=read or None,
        cache_write_tokens=written or None,
    )
    try:
        if tariff.base_url:
            found = genai_prices.calc_price(tokens, model, provider_api_url=tariff.base_url)
        else:
            found = genai_prices.calc_price(tokens, model, provider_id=tariff.provider)
    except (LookupError, ValueError):
        return None
    if found.model_price.input_mtok is None or found.model_price.output_mtok is None:
        return None
    return Decimal(found.total_price)
