"""THE apply function: the only room of Orchestra from which a user's file is changed."""

from orchestra_tui.engine.apply.applier import Applier, Journal
from orchestra_tui.engine.apply.undo import Undo, undos_of

__all__ = ["Applier", "Journal", "Undo", "undos_of"]
