"""JSON schemas cut down to the words that a provider accepts.

The rule a reader must not break: a schema here is help, never proof. What a provider cannot be
held to is left out, and the agents' parsers check every answer in full.
"""

from collections.abc import Mapping

_SHARED = frozenset(
    {
        "type",
        "description",
        "enum",
        "items",
        "anyOf",
        "properties",
        "additionalProperties",
        "required",
        "$ref",
        "$defs",
    }
)
GEMINI_WORDS = _SHARED | {
    "title",
    "format",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "oneOf",
}
ANTHROPIC_WORDS = _SHARED | {"title", "format", "const", "default", "allOf"}
_NAMED = frozenset({"properties", "$defs"})
"""Words whose value holds schemas under names of its own."""


def limited_to(words: frozenset[str], schema: Mapping[str, object]) -> dict[str, object]:
    """`schema` with only these words, at every depth; an `enum` keeps to texts and numbers."""
    found: dict[str, object] = {}
    for word, value in schema.items():
        if word not in words:
            continue
        if word == "enum" and not _is_plain_choice(value):
            continue
        if word in _NAMED and isinstance(value, Mapping):
            found[word] = {name: _limited(words, one) for name, one in value.items()}
        else:
            found[word] = _limited(words, value)
    return found


def _limited(words: frozenset[str], value: object) -> object:
    if isinstance(value, Mapping):
        return limited_to(words, value)
    if isinstance(value, list):
        return [_limited(words, one) for one in value]
    return value


def _is_plain_choice(value: object) -> bool:
    """Gemini's `enum` knows no booleans."""
    choices = value if isinstance(value, list) else []
    return all(isinstance(one, str | int | float) and not isinstance(one, bool) for one in choices)
