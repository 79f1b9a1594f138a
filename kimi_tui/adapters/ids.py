"""Names that have to be random."""

from __future__ import annotations

import random
import string
from datetime import datetime

LETTERS = string.ascii_lowercase + string.digits
CHANCE = random.SystemRandom()
"""The system's own chance, as `secrets` uses it, without what else that module brings along."""


def new_session_id(now: datetime) -> str:
    """Such as 20261123-081500-k3f9: its time of creation and four random characters."""
    return f"{now:%Y%m%d-%H%M%S}-{''.join(CHANCE.choices(LETTERS, k=4))}"


def new_cache_key() -> str:
    return CHANCE.randbytes(16).hex()
