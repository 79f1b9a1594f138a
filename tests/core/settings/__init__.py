"""Tests of settings, keys and actions."""
