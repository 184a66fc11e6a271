"""Agent command lines as adapters: codex, claude, gemini, opencode and vibe.

The rule a reader must not break: a client runs in a private copy of the project, is told nothing
on its command line, sees no other provider's key, and leaves nothing running.
"""
