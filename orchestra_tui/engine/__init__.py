"""The engine: everything that runs without a screen; it never imports textual or rich."""
