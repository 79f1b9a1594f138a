"""Sessions of older file versions, brought to today's shape in memory: a small step from each version to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping

VERSION = 1
"""Of the session file; rises only when a reader of the old one would misread."""
OLDEST = 1
"""The first version that was ever written."""
Step = Callable[[dict[str, object]], dict[str, object]]
"""Makes a document of one version one of the next; a key that it does not know stays as it is."""
STEPS: Mapping[int, Step] = {}
"""By the version that they begin at."""


def as_it_is(row: object) -> object:
    """What a message is made of while it is read, where it is of another version: a step takes plain data."""
    return row


def migrated(document: dict[str, object], version: int, newest: int = VERSION) -> dict[str, object]:
    """Bring a document of a version in [OLDEST, newest] to the newest."""
    for number in range(version, newest):
        document = STEPS[number](document)
    return document
