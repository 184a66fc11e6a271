"""Adapters of other packages: found, built, held to the port, and refused in sentences."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestra_tui import adapter_api
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings, Settings
from orchestra_tui.engine.adapters import base, plugins
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    CompletionRequest,
    EmptyResponse,
    FirstByteTimeout,
    IdleTimeout,
    InvalidResponse,
    Message,
    ProcessFailed,
    RateLimited,
)
from orchestra_tui.engine.adapters.detection import probe
from orchestra_tui.engine.adapters.registry import build_adapter

PLUGIN = """
import asyncio
from orchestra_tui.adapter_api import *

class Mine:
    def __init__(self, context):
        self.context = context
    def info(self):
        return AdapterInfo(name="not this", model="m-1", provider="mine")
    async def is_available(self):
        return 1 / 0
    async def close(self):
        return 1 / 0
    async def execute(self, request, on_delta):
        await act(self, request, on_delta)
        return answer(self)

async def act(self, request, on_delta):
    on_delta("Hel")
    on_delta("lo")

def answer(self):
    key = self.context.api_key.get_secret_value() if self.context.api_key else "no key"
    return Completion("Hello " + key[:4], FinishReason.STOP, Usage(output_tokens=2), "m-1")

def build(context):
    return Mine(context)
"""
REQUEST = CompletionRequest(
    CallKey("r1/plan/1/call/1"),
    role=Role.ARCHITECT,
    path=None,
    task="t",
    messages=(Message("user", "hi"),),
)

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one module on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(code: str, *, kind: str = "mine", package: str = "orchestra-mine") -> None:
        module = package.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(
            f"[orchestra_tui.adapters]\n{kind} = {module}:build\n"
        )
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def settings(**fields: object) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": "one", "kind": "mine", **fields})


def built(**fields: object) -> Adapter:
    return build_adapter(settings(**fields), {"MINE": "abcdefgh-0123"})


async def test_it_answers_under_its_configured_name(install: Install) -> None:
    install(PLUGIN)
    adapter = built(api_key_env="MINE", options={"depth": 3})
    heard: list[str] = []
    answer = await adapter.execute(REQUEST, heard.append)
    assert (answer.text, "".join(heard)) == ("Hello abcd", "Hello")
    info = adapter.info()
    assert (info.name, info.model, info.provider, info.kind) == (
        "one",
        "m-1",
        "mine",
        ProviderKind.REAL,
    )


@pytest.mark.parametrize("act", ["return 1 / 0", "raise SystemExit(3)"])
async def test_what_its_small_verbs_raise_reaches_nobody(install: Install, act: str) -> None:
    install(PLUGIN.replace("return 1 / 0", act))
    adapter = built()
    assert not await adapter.is_available()
    await adapter.close()


async def test_one_that_hangs_is_left_behind(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "SMALL_VERB", 0.1)
    install(PLUGIN.replace("return 1 / 0", "await asyncio.sleep(600)"))
    adapter = built()
    assert not await adapter.is_available()
    await adapter.close()


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        ("raise RateLimited('one: wait', retry_after=3)", RateLimited, "one: wait"),
        ("raise KeyError('\\x1b]52;c;evil')", ProcessFailed, "its package failed: KeyError"),
        ("raise SystemExit('usage: ...')", ProcessFailed, "SystemExit: usage"),
        ("raise TimeoutError('its own')", ProcessFailed, "TimeoutError: its own"),
        ("await asyncio.sleep(600)", FirstByteTimeout, "no answer began"),
        ("on_delta('a'); await asyncio.sleep(600)", IdleTimeout, "nothing more came"),
    ],
)
async def test_its_failures_are_errors_of_the_port(
    install: Install, act: str, error: type[AdapterError], says: str
) -> None:
    install(PLUGIN.replace('    on_delta("Hel")\n    on_delta("lo")', f"    {act}"))
    quick = CompletionRequest(
        REQUEST.key,
        role=REQUEST.role,
        path=None,
        task="t",
        messages=REQUEST.messages,
        first_byte_timeout=0.2,
        idle_timeout=0.2,
    )
    with pytest.raises(error) as caught:
        await built().execute(quick, lambda _: None)
    assert says in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "seconds"), [("3", 3.0), ("'3'", None), ("float('nan')", None), ("True", None)]
)
async def test_a_wait_that_is_no_number_is_none(
    install: Install, said: str, seconds: float | None
) -> None:
    act = f"raise RateLimited('wait', retry_after={said})"
    install(PLUGIN.replace('    on_delta("Hel")\n    on_delta("lo")', f"    {act}"))
    with pytest.raises(RateLimited) as caught:
        await built().execute(REQUEST, lambda _: None)
    assert caught.value.retry_after == seconds


async def test_its_key_is_in_no_message_also_where_that_is_cut(install: Install) -> None:
    act = "raise KeyError('x' * 285 + self.context.api_key.get_secret_value())"
    install(PLUGIN.replace('    on_delta("Hel")\n    on_delta("lo")', f"    {act}"))
    with pytest.raises(ProcessFailed) as caught:
        await built(api_key_env="MINE").execute(REQUEST, lambda _: None)
    assert "xxx" in str(caught.value)
    assert "abcd" not in str(caught.value)


@pytest.mark.parametrize(
    ("returns", "error"),
    [
        ("None", InvalidResponse),
        ("'text'", InvalidResponse),
        ("Completion(b'x', FinishReason.STOP, Usage(), 'm')", InvalidResponse),
        ("Completion('x', 'stop', Usage(), 'm')", InvalidResponse),
        ("Completion('x', FinishReason.STOP, None, 'm')", InvalidResponse),
        ("Completion('\\ud83d', FinishReason.STOP, Usage(), 'm')", InvalidResponse),
        ("Completion('x', FinishReason.STOP, Usage(input_tokens=-1), 'm')", InvalidResponse),
        ("Completion('x', FinishReason.STOP, Usage(), None)", InvalidResponse),
        ("Completion('x', FinishReason.STOP, Usage(), 'm', hint=3)", InvalidResponse),
        ("Completion('x', FinishReason.STOP, Usage(), 'm', cost=0.5)", InvalidResponse),
        ("Completion(' ', FinishReason.STOP, Usage(), 'm')", EmptyResponse),
    ],
)
async def test_an_answer_that_is_none_is_refused(
    install: Install, returns: str, error: type[AdapterError]
) -> None:
    install(PLUGIN.replace("return answer(self)", f"return {returns}"))
    with pytest.raises(error):
        await built().execute(REQUEST, lambda _: None)


async def test_a_cancelled_call_is_cancelled(install: Install) -> None:
    begun = asyncio.Event()
    install(
        PLUGIN.replace('    on_delta("lo")', "    await asyncio.sleep(600)"),
    )
    call = asyncio.create_task(built().execute(REQUEST, lambda _: begun.set()))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
        ("def build(:", "cannot be built: SyntaxError"),
        ("raise SystemExit('bye')", "cannot be built: SystemExit: bye"),
        ("x = 1", "cannot be built: AttributeError"),
        ("build = 3", "cannot be built: TypeError"),
        ("def build(context): return None", "cannot be built: AttributeError"),
        ("def build(context): raise ZeroDivisionError('\\x1b[2J')", "ZeroDivisionError"),
        (
            "from orchestra_tui.adapter_api import UsageError\n"
            "def build(context): raise UsageError('write options.url')",
            "the adapter one (mine, from orchestra-mine 1.2): write options.url",
        ),
    ],
)
def test_a_package_that_breaks_is_a_sentence(install: Install, code: str, says: str) -> None:
    install(code)
    with pytest.raises(UsageError) as caught:
        built()
    assert says in str(caught.value)
    assert "orchestra-mine 1.2" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_unknown_kind_lists_what_there_is(install: Install) -> None:
    install(PLUGIN)
    with pytest.raises(UsageError) as caught:
        built(kind="mein")
    said = str(caught.value)
    assert "the adapter one: there is no kind 'mein'" in said
    assert "openai_compatible, gemini, glm" in said
    assert "mine (orchestra-mine 1.2)" in said


def test_one_kind_from_two_packages_is_refused(install: Install) -> None:
    install(PLUGIN)
    install(PLUGIN, package="orchestra-other")
    with pytest.raises(UsageError, match=r"orchestra-mine \S+ and orchestra-other \S+: uninstall"):
        built()


def test_a_package_never_takes_the_place_of_ours(install: Install) -> None:
    install("raise RuntimeError('must not be imported')", kind="gemini")
    found = AdapterSettings(name="g", kind=AdapterKind.GEMINI, model="m")
    assert build_adapter(found, {"GEMINI_API_KEY": "k-0123456789"}).info().model == "m"


async def test_the_doctor_lists_it_and_says_what_is_wrong(install: Install) -> None:
    install(PLUGIN)
    adapters = (settings(), settings(name="two", kind="mein"), settings(name="3", api_key_env="NO"))
    found = await probe(Settings(adapters=adapters), {}, servers=())
    states = [(line.state, line.is_usable) for line in found[:3]]
    assert states == [("found", True), ("broken", False), ("broken", False)]
    assert "from orchestra-mine 1.2" in found[0].detail
    assert "not set" in found[2].detail


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "No Kind"}, "should match pattern"),
        ({"kind": "mine", "command": "x"}, "command is not for mine"),
        ({"kind": "codex", "options": {"a": 1}}, "options are for kinds of other packages"),
        ({"kind": "mine", "preset": "ollama"}, "of kind openai_compatible, not mine"),
    ],
)
def test_settings_that_fit_no_kind_are_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        settings(**fields)


def test_our_kinds_stay_the_enum() -> None:
    assert settings(kind="codex").kind is AdapterKind.CODEX


def test_the_public_names_hold_the_whole_error_tree() -> None:
    """What a package may import; a name that goes is a new major version."""
    tree = {
        name
        for name, found in vars(base).items()
        if isinstance(found, type) and issubclass(found, AdapterError)
    }
    assert tree <= set(adapter_api.__all__)
    assert sorted(adapter_api.__all__) == adapter_api.__all__
    assert all(hasattr(adapter_api, name) for name in adapter_api.__all__)
