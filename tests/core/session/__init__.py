"""Tests of sessions and lists of them."""
