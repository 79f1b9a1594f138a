"""How many of something there are, in words."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Such as "1 message", "0 messages", "12,345 characters"; without a plural it is the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
