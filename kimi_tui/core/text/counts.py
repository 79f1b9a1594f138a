"""How many of something there are, in words."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: "1 message", "0 messages", "12,345 characters".

    Args:
        number: How many there are.
        noun: What they are, in the singular.
        plural: What several of them are; "" = the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
