"""Telemetry: what the program says about itself, in a file and never on the terminal."""
