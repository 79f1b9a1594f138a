"""Tests of what goes to the endpoint and comes back."""
