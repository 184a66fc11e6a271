"""Doubles that stand at real boundaries: servers on loopback and scripted programs."""
