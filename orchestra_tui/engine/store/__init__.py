"""The store: where the event log of a project lies, and nobody else's business.

Nothing outside this room knows that it is SQLite. What was committed is never rewritten and
never deleted; what cannot be read is kept, skipped and reported.
"""
