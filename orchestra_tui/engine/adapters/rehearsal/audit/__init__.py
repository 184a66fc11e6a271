"""The scripted Auditor: it really reads the bytes it is shown, with rules instead of a model.

The rule a reader must not break: no rule knows a recipe. A flaw is found because it is in the
text, so a file that the user edited gets a true finding; nothing that is shown is ever run.
"""

from orchestra_tui.engine.adapters.rehearsal.audit.auditor import audit_text

__all__ = ["audit_text"]
