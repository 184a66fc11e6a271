"""Orchestra TUI: conduct several AI coding agents through one task, from the terminal."""

__version__ = "0.1.0"
