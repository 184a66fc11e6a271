"""The gate before every apply: finds cut, broken, elided and wrapped texts, offline.

`validate` is the pure question about one text; `Gate` asks it off the event loop and behind a
deadline. A text whose report `is_hard` is never applied.
"""

from orchestra_tui.engine.validation.gate import Gate
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report, ReportState
from orchestra_tui.engine.validation.validator import validate

__all__ = ["Gate", "PlanHint", "Report", "ReportState", "validate"]
