"""Ways to reach a model: the port, the adapters behind it, and the scripted rehearsal.

The rule a reader must not break: only this room talks HTTP, and no adapter retries by itself.
"""
