"""What GLM (Z.ai, bigmodel.cn) means by its codes: strings of four digits in `error.code`.

The rule a reader must not break: HTTP 429 is used for rate and for money alike, so only the code
decides. No Retry-After is documented; where none comes, the chain's own backoff applies.
"""

from collections.abc import Mapping

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    OutputFiltered,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from orchestra_tui.engine.adapters.refusals import Refusal, Verdict

GLM_CODES: Mapping[str, type[AdapterError]] = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1220"), AuthenticationFailed),
    # Balance, day, window, plan expired, week or month, model not in the plan, fair use.
    **dict.fromkeys(("1113", "1304", "1308", "1309", "1310", "1311", "1313"), QuotaExhausted),
    **dict.fromkeys(("1302", "1303"), RateLimited),
    **dict.fromkeys(("1305", "1312"), Overloaded),
    **dict.fromkeys(("1210", "1212", "1213", "1214", "1215"), RequestRefused),
    "1211": ModelNotFound,
    "1234": ServerFailed,
    "1261": ContextTooLong,
    "1301": OutputFiltered,
}
"""From the error pages of docs.bigmodel.cn and docs.z.ai."""


def classify_glm(refusal: Refusal) -> Verdict | None:
    """The verdict for a GLM code."""
    found = next((GLM_CODES[code] for code in refusal.codes if code in GLM_CODES), None)
    return Verdict(found) if found else None
