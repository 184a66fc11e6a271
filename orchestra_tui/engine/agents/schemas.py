"""JSON schemas of the two JSON replies, for providers that can be held to a schema.

The rule a reader must not break: `end` stays the last property, and every property is required
(a field that may be missing is nullable instead), because strict modes ask for both.
"""

from collections.abc import Mapping

from orchestra_tui.domain.plan import STEP_ID, ChangeKind
from orchestra_tui.domain.review import Severity, Verdict

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_MAYBE_TEXT = {"type": ["string", "null"]}
_END = {"type": "boolean", "enum": [True]}


def _object(**properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_STEP = _object(
    id={"type": "string", "pattern": f"^{STEP_ID.pattern}$"},
    path=_TEXT,
    change={"type": "string", "enum": [kind.value for kind in ChangeKind]},
    **{"from": _MAYBE_TEXT},
    purpose=_TEXT,
    notes=_MAYBE_TEXT,
    depends_on=_TEXTS,
)
_ISSUE = _object(
    severity={"type": "string", "enum": [severity.value for severity in Severity]},
    line={"type": ["integer", "null"]},
    message=_TEXT,
    suggestion=_MAYBE_TEXT,
)
PLAN_SCHEMA: Mapping[str, object] = _object(
    summary=_TEXT,
    steps={"type": "array", "items": _STEP},
    checks=_TEXTS,
    commit_message=_TEXT,
    end=_END,
)
AUDIT_SCHEMA: Mapping[str, object] = _object(
    verdict={"type": "string", "enum": [verdict.value for verdict in Verdict]},
    issues={"type": "array", "items": _ISSUE},
    end=_END,
)
