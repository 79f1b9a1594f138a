"""Scripted stand-ins for the world."""
