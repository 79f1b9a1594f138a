"""kimi-tui: a full-screen terminal chat for Kimi-K2.5 over a raw text-generation endpoint."""

__version__ = "0.1.0"
