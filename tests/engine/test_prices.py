"""Prices by table: whose they are, what is free, and what nobody knows."""

import subprocess
import sys
from decimal import Decimal

import pytest

from orchestra_tui.domain.calls import MOST_TOKENS, Usage, token_count
from orchestra_tui.domain.money import MOST_USD, CostBasis, Price
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.prices import PriceBook, Tariff, reported, tariff_of

USAGE = Usage(input_tokens=1200, output_tokens=34, cached_tokens=200, reasoning_tokens=5)
GLM = Tariff("glm-4.7", "https://api.z.ai/api/paas/v4")


def settings(**fields: object) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": "a", **fields})


@pytest.mark.parametrize(
    "chosen",
    [
        settings(preset="openai", model="gpt-5.1"),
        settings(preset="mistral", model="mistral-large-latest"),
        settings(preset="openrouter", model="anthropic/claude-sonnet-4.5"),
        settings(preset="deepseek", model="deepseek-chat"),
        settings(preset="zai", model="glm-4.7"),
        settings(preset="bigmodel", model="glm-4.7"),
        settings(preset="gemini", model="gemini-2.5-pro"),
        settings(preset="anthropic", model="claude-sonnet-4-5"),
        settings(kind="codex", model="gpt-5.1-codex"),
        settings(kind="claude", model="claude-opus-4-5"),
        settings(kind="gemini_cli", model="gemini-2.5-pro"),
        settings(kind="acp", agent="gemini", model="gemini-2.5-flash"),
    ],
    ids=lambda chosen: f"{chosen.preset or chosen.kind}-{chosen.model}",
)
def test_the_list_knows_the_models_of_the_presets(chosen: AdapterSettings) -> None:
    cost = PriceBook().cost(tariff_of(chosen), USAGE)
    assert cost is not None
    assert cost.basis is CostBasis.LISTED
    assert 0 < cost.usd < Decimal("0.1")


def test_cached_tokens_are_part_of_the_input_and_cheaper() -> None:
    """The library's own numbers of this model: input 0.60, cached 0.11, output 2.20."""
    book = PriceBook()
    all_fresh = book.cost(GLM, USAGE.model_copy(update={"cached_tokens": None}))
    cost = book.cost(GLM, USAGE)
    assert cost is not None
    assert all_fresh is not None
    assert cost.usd == Decimal("0.000697"), "1000 fresh, 200 cached, 34 out with reasoning inside"
    assert cost.usd < all_fresh.usd


def test_tokens_that_the_cache_took_have_their_own_price() -> None:
    """The library's own numbers: input 5, read 0.50, written 6.25, output 25."""
    tariff = tariff_of(settings(preset="anthropic", model="claude-opus-4-8"))
    usage = Usage(input_tokens=1000, output_tokens=10, cached_tokens=200, cache_write_tokens=300)
    cost = PriceBook().cost(tariff, usage)
    assert cost is not None
    assert cost.usd == Decimal("0.004725"), "500 fresh, 200 read, 300 written, 10 out"
    own = Price(input=Decimal(5), output=Decimal(25), cached_input=Decimal("0.5"))
    as_input = PriceBook({"claude-opus-4-8": own}).cost(tariff, usage)
    dearer = own.model_copy(update={"cache_write": Decimal("6.25")})
    assert as_input is not None
    assert as_input.usd == Decimal("0.00435"), "without a price of its own it is input"
    assert PriceBook({"claude-opus-4-8": dearer}).cost(tariff, usage) == cost.model_copy(
        update={"basis": CostBasis.CONFIGURED}
    )


def test_the_most_that_can_be_said_has_a_cost() -> None:
    """A made-up count must not be a defect of ours: Decimal has 28 digits."""
    most = Usage(input_tokens=MOST_TOKENS, output_tokens=MOST_TOKENS)
    dearest = Price(input=MOST_USD, output=MOST_USD)
    assert PriceBook({"m": dearest}).cost(Tariff("m"), most) is not None
    assert PriceBook().cost(GLM, most) is not None
    assert [token_count(said) for said in (MOST_TOKENS + 1, -1, True, 1.5, "1", None)] == [None] * 6


def test_counts_that_contradict_each_other_still_have_a_cost() -> None:
    odd = Usage(input_tokens=100, output_tokens=0, cached_tokens=80, cache_write_tokens=80)
    cost = PriceBook().cost(tariff_of(settings(preset="anthropic", model="claude-opus-4-8")), odd)
    assert cost is not None
    assert cost.usd == Decimal("0.000165"), "80 read, 20 written"


@pytest.mark.parametrize(
    "tariff",
    [
        Tariff("no-such-model-9", "https://api.openai.com/v1"),
        Tariff("gpt-5.1", "https://gateway.corp.example/v1"),
        Tariff("glm-4.7", "https://api.z.ai/api/coding/paas/v4"),
        tariff_of(settings(kind="codex")),
        tariff_of(settings(kind="acp", agent="opencode", model="gpt-5.1")),
        tariff_of(settings(kind="opencode", model="anthropic/claude-sonnet-4-5")),
        Tariff("gpt-5.1", "https://127.0.0.1.evil.example/v1"),
    ],
    ids=["model", "gateway", "flat rate", "codex default", "acp", "opencode", "not loopback"],
)
def test_what_nobody_knows_is_unknown(tariff: Tariff) -> None:
    assert PriceBook().cost(tariff, USAGE) is None


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=5), Usage(output_tokens=5)])
def test_unknown_tokens_have_an_unknown_cost(usage: Usage) -> None:
    assert PriceBook().cost(GLM, usage) is None


@pytest.mark.parametrize("host", ["127.0.0.1:11434", "localhost:1234", "[::1]:8080", "127.9.9.9"])
def test_a_server_on_this_machine_is_free_unless_priced(host: str) -> None:
    tariff = Tariff("m", f"http://{host}/v1")
    cost = PriceBook().cost(tariff, USAGE)
    assert cost is not None
    assert (cost.usd, cost.basis) == (0, CostBasis.FREE)
    priced = PriceBook({"m": Price(input=Decimal(1), output=Decimal(10))}).cost(tariff, USAGE)
    assert priced is not None
    assert (priced.usd, priced.basis) == (Decimal("0.00154"), CostBasis.CONFIGURED)


def test_a_model_file_of_the_users_is_free() -> None:
    cost = PriceBook().cost(
        tariff_of(settings(kind="local", model_path="/models/tiny.gguf")), USAGE
    )
    assert cost is not None
    assert cost.basis is CostBasis.FREE


def test_prices_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a price was asked for over the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert PriceBook().cost(GLM, USAGE) is not None


def test_the_list_is_not_loaded_before_a_price_is_asked_for() -> None:
    code = "import orchestra_tui.engine.runtime, sys; print('genai_prices' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_users_price_goes_before_the_list_and_may_name_the_answering_model() -> None:
    price = Price(input=Decimal("2"), output=Decimal("4"), cached_input=Decimal("0.5"))
    by_answer = PriceBook({"m-2026-01": price}).cost(
        Tariff("m", "https://models.example/v1"), USAGE, model="m-2026-01"
    )
    assert by_answer is not None
    assert by_answer.usd == Decimal("0.002236")
    override = PriceBook({"glm-4.7": price}).cost(GLM, USAGE)
    assert override is not None
    assert override.basis is CostBasis.CONFIGURED


@pytest.mark.parametrize(
    "said", [None, 0, 0.0, -1, True, "1.5", float("nan"), float("inf"), {}, 1e30]
)
def test_a_client_that_says_nothing_usable_has_not_told_its_cost(said: object) -> None:
    assert reported(said) is None


def test_what_a_client_says_is_exact() -> None:
    cost = reported(0.1 + 0.2)
    assert cost is not None
    assert (str(cost.usd), cost.basis) == ("0.300000", CostBasis.REPORTED)
