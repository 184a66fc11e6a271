"""The recovery screen: `screen` shows, `actions` asks and sends, `hand` is the editor."""

from orchestra_tui.screens.recovery.screen import RecoveryScreen

__all__ = ["RecoveryScreen"]
