"""What a person configures: adapters, the chain of each role, and how a run behaves.

The rule a reader must not break: no secret is held here, only the *name* of the variable that
holds one.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.keys import name_problem
from orchestra_tui.domain.money import Price
from orchestra_tui.domain.presets import with_preset
from orchestra_tui.domain.review import Severity

MAX_CONCURRENCY = 32


class Mode(StrEnum):
    """How a run spreads its work; each is a value of `Limits`, never a code path."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    PIPELINE = "pipeline"
    WATCH = "watch"


class Scenario(StrEnum):
    """What goes wrong in a rehearsal."""

    CALM = "calm"
    STORM = "storm"
    STALL = "stall"
    HOPELESS = "hopeless"


class Limits(BaseModel):
    """What may run at once.

    `max_concurrency` counts activities. With `audits_overlap` a file is audited while others
    are still being written; without it a wave of writing ends before its audits begin.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    max_concurrency: int = Field(ge=1, le=MAX_CONCURRENCY)
    audits_overlap: bool


class AdapterKind(StrEnum):
    """How a model is reached."""

    OPENAI_COMPATIBLE = "openai_compatible"
    GEMINI = "gemini"
    GLM = "glm"
    ANTHROPIC = "anthropic"
    CODEX = "codex"
    CLAUDE = "claude"
    GEMINI_CLI = "gemini_cli"
    OPENCODE = "opencode"
    VIBE = "vibe"
    LOCAL = "local"
    ACP = "acp"


class AcpAgent(StrEnum):
    """Agents that speak the Agent Client Protocol and whose ways are known here."""

    GEMINI = "gemini"
    CLAUDE = "claude"
    CODEX = "codex"
    OPENCODE = "opencode"
    VIBE = "vibe"


class Permission(StrEnum):
    """What an agent that asks may do beyond reading and writing files of its copy."""

    SHELL = "shell"
    NETWORK = "network"
    OUTSIDE = "outside"


Kind = Annotated[
    AdapterKind | Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")],
    Field(union_mode="left_to_right"),
]
"""One of ours, or the name under which another package brings an adapter."""


class StructuredOutput(StrEnum):
    """How a model is held to JSON where the answer must be JSON."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    OFF = "off"


class TokenLimitField(StrEnum):
    """What the field is called that limits the answer; OpenAI's newer models want the second."""

    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"


_SERVICES = (
    AdapterKind.OPENAI_COMPATIBLE,
    AdapterKind.GEMINI,
    AdapterKind.GLM,
    AdapterKind.ANTHROPIC,
)
_NEEDED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SERVICES, ("base_url", "model")),
    AdapterKind.LOCAL: ("model_path",),
}
"""What must be written or come from a preset, by kind; a kind that is absent needs nothing."""
_PROGRAMS = frozenset(
    {
        AdapterKind.CODEX,
        AdapterKind.CLAUDE,
        AdapterKind.GEMINI_CLI,
        AdapterKind.OPENCODE,
        AdapterKind.VIBE,
        AdapterKind.ACP,
    }
)
"""Kinds that start a program of somebody else."""
_ONLY_FOR: Mapping[str, frozenset[AdapterKind]] = {
    "command": _PROGRAMS,
    "env": _PROGRAMS,
    "agent": frozenset({AdapterKind.ACP}),
    "mode": frozenset({AdapterKind.ACP}),
    "allow": frozenset({AdapterKind.ACP}),
    "model_path": frozenset({AdapterKind.LOCAL}),
    "context": frozenset({AdapterKind.LOCAL}),
    "threads": frozenset({AdapterKind.LOCAL}),
    "thinking": frozenset({AdapterKind.GEMINI, AdapterKind.GLM, AdapterKind.ANTHROPIC}),
    "thinking_budget": frozenset({AdapterKind.GEMINI, AdapterKind.ANTHROPIC}),
    "stream_usage": frozenset({AdapterKind.OPENAI_COMPATIBLE}),
    "token_limit_field": frozenset({AdapterKind.OPENAI_COMPATIBLE}),
}
"""Settings that would be ignored elsewhere, so that writing them there is an error."""


class AdapterSettings(BaseModel):
    """One way to reach a model. What a preset (`domain/presets.py`) knows is filled in here, so
    that every reader sees the whole: base URL, key variable and dialect."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    """How chains and screens call it."""
    kind: Kind = AdapterKind.OPENAI_COMPATIBLE
    """How it is reached."""
    preset: str | None = None
    """A well-known service or server, e.g. `ollama`; fields that are written go before it."""
    base_url: str = ""
    """Up to and without `/chat/completions`, `/messages` or `/models/...`."""
    model: str = ""
    """The model's name as the server knows it."""
    api_key_env: str | None = None
    """The name of the key: in the environment, the key file or the keyring. Empty sends no key."""
    command: str | tuple[str, ...] = ""
    """The client program, by name or absolute path; empty takes its usual name. For `acp` with
    its arguments, as one line or as a list."""
    env: tuple[str, ...] = ()
    """Names of further variables that the client program may see; it sees no other secret."""
    agent: AcpAgent | None = None
    """Which agent speaks ACP; None for one that only `command` knows."""
    mode: str = ""
    """The session mode of an ACP agent, in its own word; empty takes one that asks."""
    allow: tuple[Permission, ...] = ()
    """What is granted when an ACP agent asks, beyond files of its copy."""
    structured_output: StructuredOutput = StructuredOutput.OFF
    """How plans and audits are held to JSON; a server that refuses such requests needs `off`."""
    stream_usage: bool = True
    """Ask an OpenAI-compatible server for token counts (`stream_options`)."""
    token_limit_field: TokenLimitField = TokenLimitField.MAX_TOKENS
    """What an OpenAI-compatible server calls the limit of `max_output_tokens`."""
    thinking: bool | None = None
    """Let the model think first; None leaves it to the provider, and some models always do."""
    thinking_budget: int | None = Field(default=None, ge=-1)
    """Tokens for thinking (Gemini: -1 lets the model decide), on top of `max_output_tokens`."""
    effort: str | None = None
    """How hard the model tries, in the provider's own word, e.g. `low` or `high`."""
    first_byte_timeout: float = Field(default=60.0, gt=0)
    """Seconds to wait for the first piece of an answer."""
    idle_timeout: float = Field(default=30.0, gt=0)
    """Seconds without a new piece of answer before the call is given up."""
    total_timeout: float = Field(default=600.0, gt=0)
    """Seconds one call may take in all."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """Asked of the server with each call; None leaves it to the server."""
    model_path: str = ""
    """The GGUF file of a local model; `~` is the user's home."""
    context: int | None = Field(default=None, ge=256)
    """Tokens of prompt and answer that a local model holds; None takes 8192."""
    threads: int | None = Field(default=None, ge=1, le=512)
    """Threads of a local model; None takes half of the processors, more are slower."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What an adapter of another package wants to know, in its own words; no secrets."""

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name and (problem := name_problem(name)):
            raise ValueError(problem)
        return name

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written
        return with_preset(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _check(self) -> Self:
        command = (self.command,) if isinstance(self.command, str) else self.command
        texts = (self.base_url, self.model, self.model_path, self.mode, *command)
        if any("\0" in text for text in texts):
            raise ValueError("a NUL character can stand in no setting")
        if self.options and isinstance(self.kind, AdapterKind):
            raise ValueError("options are for kinds of other packages")
        missing = [name for name in _NEEDED.get(self.kind, ()) if not getattr(self, name)]
        if missing:
            hint = ", or a preset" if "base_url" in missing else ""
            raise ValueError(f"{self.kind} needs {' and '.join(missing)}{hint}")
        for name, kinds in _ONLY_FOR.items():
            if (
                self.kind not in kinds
                and getattr(self, name) != type(self).model_fields[name].default
            ):
                raise ValueError(f"{name} is not for {self.kind}")
        if self.kind is AdapterKind.ACP:
            if not self.agent and not self.command:
                raise ValueError(f"acp needs agent ({', '.join(AcpAgent)}) or command")
        elif not isinstance(self.command, str):
            raise ValueError("command is one program here; only acp takes a list")
        return self

    @property
    def is_program(self) -> bool:
        """True for an agent program on this machine, false for a service or a server."""
        return self.kind in _PROGRAMS

    @property
    def program(self) -> str:
        """The program that `command` names for a kind that takes no arguments; may be empty."""
        return self.command if isinstance(self.command, str) else ""


class RunSettings(BaseModel):
    """How one run behaves; recorded with it, so that a resumed run behaves the same."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    mode: Mode = Mode.PIPELINE
    max_concurrency: int = Field(default=4, ge=1, le=MAX_CONCURRENCY)
    max_iterations: int = Field(default=3, ge=1)
    """Fixes of one file that the audit loop may ask for."""
    max_attempts: int = Field(default=3, ge=1)
    """Tries at one piece of work before it is given up (plans, audits, failed calls)."""
    max_recovery_attempts: int = Field(default=5, ge=0)
    """Attempts to recover one file that may ask a model, before it is given back as it was."""
    max_call_retries: int = Field(default=4, ge=0)
    """Repeats of one model call on errors that may pass, such as a rate limit."""
    max_retry_wait: float = Field(default=120.0, ge=0)
    """Seconds that a call may wait in all when its chain has one adapter: nowhere to go on to."""
    patience: float = Field(default=20.0, ge=0)
    """Seconds that a call may wait in all when every adapter of its longer chain rests."""
    severity_floor: Severity = Severity.WARNING
    """Issues below it are shown and not fixed."""
    run_checks: bool = True
    budget: Budget = Budget()
    """What the session may use; checked before each model call."""
    unattended: bool = False
    """Nobody can be asked: a conflict fails its step instead of waiting."""
    scenario: Scenario | None = None
    """Set for a rehearsal."""

    @property
    def limits(self) -> Limits:
        """The mode as a value."""
        match self.mode:
            case Mode.SEQUENTIAL:
                return Limits(max_concurrency=1, audits_overlap=True)
            case Mode.PARALLEL:
                return Limits(max_concurrency=self.max_concurrency, audits_overlap=False)
            case Mode.PIPELINE | Mode.WATCH:
                return Limits(max_concurrency=self.max_concurrency, audits_overlap=True)


class CacheSettings(BaseModel):
    """What is kept of finished answers, so that the same question is not paid for twice."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    enabled: bool = True
    max_age: float = Field(default=86_400.0, gt=0)
    """Seconds after which an answer is asked for anew."""
    max_megabytes: float = Field(default=64.0, gt=0)
    """What all kept answers may take on disk; the least used go first."""


class Settings(BaseModel):
    """Everything configured for one project, files and environment already merged."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    adapters: tuple[AdapterSettings, ...] = ()
    chains: dict[Role, tuple[str, ...]] = Field(default_factory=dict)
    """Adapter names per role, first choice first; a role that is absent uses all in their order."""
    run: RunSettings = RunSettings()
    cache: CacheSettings = CacheSettings()
    budget: Budget = Budget()
    """What a session may use unless the user says otherwise where the run starts."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Prices by the model's name; they go before the list prices."""
    checks_timeout: float = Field(default=600.0, gt=0)
    """Seconds the project's tests may take."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """The variables that hold the adapters' keys, each once."""
        names = (adapter.api_key_env for adapter in self.adapters)
        return tuple(dict.fromkeys(name for name in names if name))

    def chain_for(self, role: Role) -> tuple[AdapterSettings, ...]:
        """The adapters of the role's chain, first choice first; empty when none is configured."""
        by_name = {adapter.name: adapter for adapter in self.adapters}
        names = dict.fromkeys(self.chains.get(role) or by_name)
        return tuple(by_name[name] for name in names if name in by_name)

    def adapter_for(self, role: Role) -> AdapterSettings | None:
        """The first adapter of the role's chain; None when nothing is configured."""
        chain = self.chain_for(role)
        return chain[0] if chain else None
