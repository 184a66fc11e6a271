"""What an OpenAI-compatible server means by its codes and words.

The rule a reader must not break: GLM is reached through this adapter too, so its codes are read
here as well; they are four digits and mean nothing to anybody else.
"""

from orchestra_tui.engine.adapters.base import ContextTooLong, OutputFiltered
from orchestra_tui.engine.adapters.glm_errors import classify_glm
from orchestra_tui.engine.adapters.refusals import Refusal, Verdict

_NEVER_FITS = ("request too large for",)
"""OpenAI's 429 for one request above the limit of a minute: it fits no minute."""


def classify_openai(refusal: Refusal) -> Verdict | None:
    """The verdict where OpenAI's or GLM's own words are needed."""
    if refusal.says(*_NEVER_FITS):
        return Verdict(ContextTooLong)
    if "content_filter" in refusal.codes:
        return Verdict(OutputFiltered)
    return classify_glm(refusal)
