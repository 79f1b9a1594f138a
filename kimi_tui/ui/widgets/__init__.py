"""Widgets of the full-screen program."""
