"""Names that have to be random."""

from __future__ import annotations

import secrets
import string
from datetime import datetime

LETTERS = string.ascii_lowercase + string.digits


def new_session_id(now: datetime) -> str:
    """Make a session's id: its time of creation and four random characters."""
    return f"{now:%Y%m%d-%H%M%S}-{''.join(secrets.choice(LETTERS) for _ in range(4))}"


def new_cache_key() -> str:
    """Make a session's prompt cache key."""
    return secrets.token_hex(16)
