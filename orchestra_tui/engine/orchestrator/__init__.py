"""Decide, act, fold: what may start now, who does it, and what the log says of it."""
