"""Tests of the exact input."""
