"""No key leaves an adapter: in the words of an error, in a stream cut anywhere, in an answer."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    InvalidResponse,
    Message,
    OnDelta,
    RateLimited,
)
from orchestra_tui.engine.adapters.key_guard import KeyGuard, Strainer, guarded, secrets_near

KEY = "sk-Made+up/0123456789"
FORMS = {
    "plain": KEY,
    "url": quote(KEY, safe=""),
    "json": json.dumps(KEY)[1:-1],
    "base64": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
}
REQUEST = CompletionRequest(
    CallKey("r1/plan/1/call/1"),
    role=Role.ARCHITECT,
    path=None,
    task="t",
    messages=(Message("user", "hi"),),
)


class Saying:
    """An adapter that says these pieces, then answers or fails."""

    def __init__(self, *pieces: str, error: AdapterError | None = None, model: str = "m") -> None:
        self.pieces = pieces
        self.error = error
        self.model = model
        self.is_closed = False

    def info(self) -> AdapterInfo:
        return AdapterInfo(name="one", model="m", provider="p")

    async def is_available(self) -> bool:
        return True

    async def close(self) -> None:
        self.is_closed = True

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        for piece in self.pieces:
            on_delta(piece)
        if self.error is not None:
            raise self.error
        return Completion("".join(self.pieces), FinishReason.STOP, Usage(), self.model)


@pytest.mark.parametrize("form", FORMS)
async def test_an_error_is_freed_and_stays_what_it_is(form: str) -> None:
    said = FORMS[form]
    error = RateLimited(f"one: {said} is tired", retry_after=7, partial=f"x {said}")
    heard: list[str] = []
    with pytest.raises(RateLimited) as caught:
        await KeyGuard(Saying(f"so {said}", error=error), [KEY]).execute(REQUEST, heard.append)
    assert caught.value.retry_after == 7
    assert "is tired" in str(caught.value)
    for text in (str(caught.value), caught.value.partial, repr(caught.value), "".join(heard)):
        assert said not in text
        assert "[secret]" in text


async def test_a_defect_is_freed_too() -> None:
    class Broken(Saying):
        async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
            raise KeyError(KEY, 7)

    with pytest.raises(KeyError) as caught:
        await KeyGuard(Broken(), [KEY]).execute(REQUEST, print)
    assert caught.value.args == ("[secret]", 7)


@pytest.mark.parametrize("form", FORMS)
async def test_an_answer_that_holds_a_key_is_not_used(form: str) -> None:
    heard: list[str] = []
    with pytest.raises(InvalidResponse, match="holds a key of yours") as caught:
        await KeyGuard(Saying("KEY=", FORMS[form]), [KEY]).execute(REQUEST, heard.append)
    assert KEY not in str(caught.value) + "".join(heard)


async def test_an_answer_without_a_key_passes_whole() -> None:
    heard: list[str] = []
    adapter = Saying("sk", "-Made", "-by-hand", model=f"m of {KEY}")
    answer = await KeyGuard(adapter, [KEY]).execute(REQUEST, heard.append)
    assert answer.text == "".join(heard) == "sk-Made-by-hand"
    assert answer.model == "m of [secret]"


async def test_a_short_value_may_stand_in_an_answer() -> None:
    """`ollama-key` is no secret, and code about Ollama must be possible."""
    answer = await KeyGuard(Saying("use ollama-key"), ["ollama-key"]).execute(REQUEST, print)
    assert answer.text == "use ollama-key"


@given(st.lists(st.text(alphabet="abK:-9", max_size=4), max_size=6), st.data())
def test_wherever_a_stream_is_cut_no_key_comes_through_and_nothing_is_lost(
    around: list[str], data: st.DataObject
) -> None:
    key = "abK-9:abKab"
    whole = key.join(around)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    heard: list[str] = []
    strainer = Strainer([key], heard.append)
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        strainer.feed(whole[begin:end])
    strainer.end()
    assert "".join(heard) == whole.replace(key, "[secret]")
    assert key not in "".join(heard)


def test_keys_of_others_and_of_the_environment_are_known_too() -> None:
    settings = AdapterSettings(
        name="c", kind=AdapterKind.CODEX, api_key_env="MINE", env=("CLOUD_TOKEN", "PROJECT_NAME")
    )
    environ = {
        "MINE": " key-of-mine-01\n",
        "CLOUD_TOKEN": "token-of-cloud",
        "PROJECT_NAME": "a-long-project-name",
        "ANTHROPIC_API_KEY": "key-of-anthropic",
        "HOME": "/home/somebody",
    }
    found = secrets_near(settings, environ, {"OTHER": "key-of-other-01"})
    assert set(found) == {"key-of-mine-01", "token-of-cloud", "key-of-anthropic", "key-of-other-01"}


def test_without_a_key_there_is_nothing_to_guard() -> None:
    adapter = Saying("x")
    settings = AdapterSettings(name="c", kind=AdapterKind.CODEX)
    assert guarded(adapter, settings, {"HOME": "/home/somebody"}, {}) is adapter
