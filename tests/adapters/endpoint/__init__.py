"""Tests of the endpoint and its simulator."""
