"""The lock of a session that has still to be found, which may take longer than a key may wait."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_lock import SessionLock


class LaterLock:
    """Stands for a lock until it is held, and passes on that it is no longer needed."""

    def __init__(self) -> None:
        """Begin without it."""
        self._guard = threading.Lock()
        self._held: SessionLock | None = None
        self._is_released = False

    def take(self, held: SessionLock) -> None:
        """Take the lock, which is held; where it is no longer needed it is released at once."""
        with self._guard:
            self._held = held
            if self._is_released:
                held.release()

    def release(self) -> None:
        """Let others open the session."""
        with self._guard:
            self._is_released = True
            if self._held is not None:
                self._held.release()
