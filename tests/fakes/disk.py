"""A disk that refuses to write."""

from __future__ import annotations

import os


class Disk:
    def __init__(self) -> None:
        self.reason: int | None = None
        """The error that it gives; None = it writes."""
        self.refusals = 0
        """How often it was asked to in vain."""
        self._sync = os.fsync

    def fsync(self, descriptor: int) -> None:
        if self.reason is not None:
            self.refusals += 1
            raise OSError(self.reason, os.strerror(self.reason))
        self._sync(descriptor)
