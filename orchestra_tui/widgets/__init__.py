"""Widgets: domain values in, messages out. No widget knows the engine, a screen or a dialog."""
