"""Screens of the full-screen program."""
