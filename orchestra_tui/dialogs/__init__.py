"""Dialogs: modal questions that several screens ask; each returns one plain value."""
