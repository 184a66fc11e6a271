"""Who could play which role: the user's design as a table, extended by what a machine has."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.doctor import ENVIRONMENT_ADAPTER, Configuration, DoctorLine, Offer
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.proposal import family, open_offers, propose
from orchestra_tui.domain.settings import AdapterSettings

OFFERS = {
    "codex": Offer(name="codex", fields={"kind": "codex"}),
    "claude": Offer(name="claude", fields={"kind": "claude"}),
    "gemini-cli": Offer(name="gemini-cli", fields={"kind": "gemini_cli"}),
    "vibe": Offer(name="vibe", fields={"kind": "vibe"}),
    "gemini": Offer(name="gemini", fields={"preset": "gemini", "model": "g"}),
    "glm": Offer(name="glm", fields={"preset": "zai", "model": "glm-4.7"}),
    "openai": Offer(name="openai", fields={"preset": "openai", "model": "gpt"}),
    "ollama": Offer(name="ollama", fields={"preset": "ollama", "model": "q"}, is_free=True),
}
NOTHING = Configuration(place="/c")


def found(*names: str) -> list[DoctorLine]:
    return [
        DoctorLine(name=name, state="found", detail="", key=name, offer=OFFERS[name])
        for name in names
    ]


def configured(name: str, *, is_usable: bool = True) -> DoctorLine:
    return DoctorLine(name=name, state="found", detail="", adapter=name, is_usable=is_usable)


@pytest.mark.parametrize(
    ("names", "architect", "executor", "auditor", "consultant"),
    [
        ("", "", "", "", ""),
        ("codex", "codex", "codex", "codex", "codex"),
        ("ollama", "ollama", "ollama", "ollama", "ollama"),
        (
            "codex gemini glm",
            "codex gemini glm",
            "glm gemini codex",
            "gemini glm codex",
            "codex gemini glm",
        ),
        (
            "codex gemini ollama",
            "codex gemini ollama",
            "gemini codex ollama",
            "gemini codex ollama",
            "codex gemini ollama",
        ),
        (
            "claude gemini-cli openai",
            "gemini-cli claude openai",
            "openai claude gemini-cli",
            "gemini-cli openai claude",
            "claude gemini-cli openai",
        ),
        (
            "vibe gemini gemini-cli glm ollama openai claude",
            "gemini-cli gemini glm claude vibe openai ollama",
            "glm gemini openai claude gemini-cli vibe ollama",
            "gemini gemini-cli glm openai claude vibe ollama",
            "claude gemini-cli vibe gemini glm openai ollama",
        ),
    ],
)
def test_the_design_and_what_the_machine_adds(
    names: str, architect: str, executor: str, auditor: str, consultant: str
) -> None:
    chains = propose(found(*names.split()), NOTHING).chains
    wanted = dict(zip(Role, (architect, executor, auditor, consultant), strict=True))
    assert chains == {role: tuple(text.split()) for role, text in wanted.items() if text}


def test_every_machine_gets_every_role_or_none_and_each_link_once() -> None:
    for count in range(len(OFFERS) + 1):
        for names in itertools.combinations(OFFERS, count):
            proposal = propose(found(*names), NOTHING)
            assert set(proposal.chains) == (set(Role) if names else set())
            for chain in proposal.chains.values():
                assert sorted(chain) == sorted(names)
            assert {offer.name for offer in proposal.offers} == set(names)
            assert proposal.is_new is bool(names)


def test_a_chain_that_was_written_is_left_alone_and_the_others_are_filled() -> None:
    own = AdapterSettings(name="mine", base_url="https://a.example/v1", model="m", api_key_env="K")
    written = Configuration(place="/c", adapters=(own,), chains={Role.EXECUTOR: ("mine",)})
    proposal = propose([configured("mine"), *found("codex")], written)
    assert proposal.chains[Role.EXECUTOR] == ("mine",)
    assert proposal.chains[Role.ARCHITECT] == ("codex", "mine")
    assert proposal.is_new


def test_with_every_role_written_there_is_nothing_new() -> None:
    own = AdapterSettings(name="mine", base_url="https://a.example/v1", model="m", api_key_env="K")
    chains = {role: ("mine",) for role in Role}
    written = Configuration(place="/c", adapters=(own,), chains=chains)
    proposal = propose([configured("mine"), *found("codex")], written)
    assert not proposal.is_new
    assert proposal.offers == ()
    assert open_offers(found("codex"), written) == (OFFERS["codex"],)


def test_what_does_not_work_and_what_no_file_holds_is_no_link() -> None:
    names = ("broken", ENVIRONMENT_ADAPTER)
    adapters = tuple(
        AdapterSettings(name=name, base_url="https://a.example/v1", model="m") for name in names
    )
    lines = [configured("broken", is_usable=False), configured(ENVIRONMENT_ADAPTER)]
    proposal = propose(lines, Configuration(place="/c", adapters=adapters))
    assert proposal.chains == {}
    assert not proposal.is_new


def test_one_way_to_a_model_is_offered_once_and_a_name_is_never_taken_twice() -> None:
    other = AdapterSettings(name="codex", kind="claude")
    lines = [*found("codex", "claude", "glm"), *found("glm")]
    offers = open_offers(lines, Configuration(place="/c", adapters=(other,)))
    assert [offer.name for offer in offers] == ["codex-2", "glm"]


def test_a_vendors_agent_and_its_command_line_are_one_way() -> None:
    over_acp = Offer(name="codex-acp", fields={"kind": "acp", "agent": "codex"})
    agent = DoctorLine(name="codex-acp", state="found", detail="", offer=over_acp)
    both = open_offers([*found("codex"), agent], NOTHING)
    assert [offer.name for offer in both] == ["codex"]
    assert open_offers([agent], NOTHING) == (over_acp,)
    assert propose([agent], NOTHING).chains[Role.ARCHITECT] == ("codex-acp",)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"kind": "acp", "agent": "gemini"}, "gemini"),
        ({"kind": "acp", "command": "agent"}, "acp"),
        ({"kind": "gemini_cli"}, "gemini"),
        ({"preset": "gemini", "model": "m"}, "gemini"),
        ({"preset": "bigmodel-coding", "model": "m"}, "glm"),
        ({"base_url": "https://api.z.ai/api/paas/v4", "model": "m"}, "glm"),
        ({"preset": "mistral", "model": "m"}, "mistral"),
        ({"base_url": "http://127.0.0.1:8080/v1", "model": "m"}, "local"),
        ({"base_url": "http://box:9/v1", "model": "m"}, "local"),
        ({"base_url": "https://box/v1", "model": "m", "api_key_env": "K"}, "other"),
    ],
)
def test_families(fields: dict[str, str], name: str) -> None:
    assert family(AdapterSettings.model_validate({"name": "a", **fields})) == name


@given(st.lists(st.sampled_from(sorted(OFFERS)), max_size=8))
def test_the_order_of_the_probes_does_not_matter(names: list[str]) -> None:
    """Each line arrives when it likes."""
    shuffled = list(dict.fromkeys(names))
    chains = propose(found(*shuffled), NOTHING).chains
    assert chains == propose(found(*sorted(shuffled)), NOTHING).chains
