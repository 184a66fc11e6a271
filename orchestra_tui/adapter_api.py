"""What a package may import that brings an adapter of its own: these names and no others.

The rule a reader must not break: every name here keeps its meaning until the next major version.
Dataclasses may get new fields, with defaults; the error tree may get new classes; `Adapter` gets
no new method. Everything else in `orchestra_tui` may change in any release.

A package declares a builder, and a user configures its kind (docs/adapters.md, "Write your own"):

```toml
[project.entry-points."orchestra_tui.adapters"]
pipe = "orchestra_pipe:build"           # build(context: AdapterContext) -> Adapter
```
"""

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    AuthenticationFailed,
    Cancelled,
    Completion,
    CompletionRequest,
    ConnectionFailed,
    ContextTooLong,
    EmptyResponse,
    FirstByteTimeout,
    IdleTimeout,
    InvalidResponse,
    Message,
    ModelNotFound,
    OnDelta,
    OutputFiltered,
    OutputTruncated,
    Overloaded,
    ProcessFailed,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
    StreamCut,
    TotalTimeout,
)
from orchestra_tui.engine.adapters.plugins import AdapterContext

__all__ = [
    "Adapter",
    "AdapterContext",
    "AdapterError",
    "AdapterInfo",
    "AdapterSettings",
    "AuthenticationFailed",
    "Cancelled",
    "Completion",
    "CompletionRequest",
    "ConnectionFailed",
    "ContextTooLong",
    "Cost",
    "CostBasis",
    "EmptyResponse",
    "FinishReason",
    "FirstByteTimeout",
    "IdleTimeout",
    "InvalidResponse",
    "Message",
    "ModelNotFound",
    "OnDelta",
    "OutputFiltered",
    "OutputTruncated",
    "Overloaded",
    "ProcessFailed",
    "QuotaExhausted",
    "RateLimited",
    "RequestRefused",
    "Role",
    "ServerFailed",
    "StreamCut",
    "TotalTimeout",
    "Usage",
    "UsageError",
    "clean_line",
]
