"""Screens: compose, show the session, turn the widgets' messages into commands."""
