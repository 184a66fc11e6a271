"""What a model call costs and how it ends, in one normal form for every provider."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

MOST_TOKENS = 10**12
"""More than any call has: what is said beyond it is a mistake, or was made up."""


class FinishReason(StrEnum):
    """Why a completion ended. Only `stop` can be a whole answer."""

    STOP = "stop"
    LENGTH = "length"
    FILTERED = "filtered"
    TOOL = "tool"
    ERROR = "error"
    UNKNOWN = "unknown"
    RUNAWAY = "runaway"
    """We stopped it: it repeated itself or grew far beyond what was asked for."""


class ProviderKind(StrEnum):
    """Whether a real model answers, or the scripted rehearsal that no AI stands behind."""

    REAL = "real"
    REHEARSAL = "rehearsal"


class Usage(BaseModel):
    """Tokens of one call. `input_tokens` includes those that were read from the provider's cache
    (`cached_tokens`) or written to it, `output_tokens` the reasoning ones.

    None means the provider did not say: unknown is never counted as zero.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None

    def __add__(self, other: "Usage") -> "Usage":
        """Sum field by field; a field unknown on both sides stays unknown."""
        return Usage(
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            reasoning_tokens=_sum(self.reasoning_tokens, other.reasoning_tokens),
            cache_write_tokens=_sum(self.cache_write_tokens, other.cache_write_tokens),
        )


def token_count(said: object) -> int | None:
    """A number of tokens as a provider said it; None for what is none, or more than can be."""
    if isinstance(said, bool) or not isinstance(said, int):
        return None
    return said if 0 <= said <= MOST_TOKENS else None


class CallPatience(BaseModel):
    """How long a call is waited for, in seconds: for the first piece, between pieces, in all."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    first_byte: float
    idle: float
    total: float
    why: str = ""
    """What it was made of, in words."""


class AdapterInfo(BaseModel):
    """Who answers: the configured name, the model and the provider behind it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    model: str
    provider: str
    kind: ProviderKind = ProviderKind.REAL


class ContextItem(BaseModel):
    """One thing that was, or for its size was not, sent to a model.

    `what` is a project-relative path or a label such as `tree listing`; `size` is in bytes of
    the whole thing; `sent` is how many of them went out.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    what: str
    why: str
    size: int
    sent: int

    @property
    def is_whole(self) -> bool:
        """True if nothing of it was left out."""
        return self.sent >= self.size


def _sum(left: int | None, right: int | None) -> int | None:
    if left is None:
        return right
    return left if right is None else left + right
