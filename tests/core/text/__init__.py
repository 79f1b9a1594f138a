"""Tests of safe and quoted text."""
