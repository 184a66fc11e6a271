"""The event log of the open session: `EventLog` stores, folds and publishes, in this order."""

from orchestra_tui.engine.event_log.log import NO_SESSION, EventLog, utc_now
from orchestra_tui.engine.event_log.subscription import Subscription

__all__ = ["NO_SESSION", "EventLog", "Subscription", "utc_now"]
