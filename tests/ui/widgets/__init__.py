"""Tests of widgets that several panes use."""
