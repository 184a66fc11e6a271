"""Tokens of a turn in the one normal form: input with cached tokens, output with thoughts.

The rule a reader must not break: agents disagree about what is in what, and the total that they
also say decides it. What cannot be told is unknown, never zero.
"""

from orchestra_tui.domain.calls import Usage
from orchestra_tui.engine.adapters.process.events import Event, count_at

_GEMINI = ("_meta", "quota", "token_count")


def usage_of(result: Event) -> Usage:
    """The tokens of a prompt's result; unknown if it says nothing of them."""
    said = result.get("usage")
    if count_at(said, "inputTokens") is not None:
        return _counted(said)
    # gemini: cached tokens are in its input, but thoughts are not in its output and nowhere else,
    # and its models always think. So its output is not known.
    return Usage(input_tokens=count_at(result, *_GEMINI, "input_tokens"))


def counted_nothing(result: Event) -> bool:
    """True if gemini counted no tokens at all: its stream broke after some text, and it calls that
    the end of its turn (observed with an error inside the stream)."""
    return count_at(result, *_GEMINI, "input_tokens") == 0


def _counted(said: object) -> Usage:
    read, written = count_at(said, "inputTokens"), count_at(said, "outputTokens")
    everything = count_at(said, "totalTokens")
    cached = count_at(said, "cachedReadTokens")
    thought = count_at(said, "thoughtTokens")
    if not everything or read is None or written is None:
        # A cancelled turn says 0 of 0; that is no count either.
        return Usage()
    put = count_at(said, "cachedWriteTokens")
    apart = (cached or 0) + (put or 0)
    missing = everything - read - written
    if missing in {apart, apart + (thought or 0)}:
        read += apart
        missing -= apart
    if missing == thought:
        written += thought
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=cached,
        reasoning_tokens=thought,
        cache_write_tokens=put,
    )
