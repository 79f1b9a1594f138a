"""The log that `KIMI_TUI_LOG=FILE` asks for: times, states, sizes and ids; no texts, and never the key."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

AUTHORIZATION = re.compile(r"(?i)(authorization[\"']?\s*[:=,]\s*(?:b?[\"'])?(?:bearer|basic)?|bearer)\s*[^\s\"',]+")


class _Redact(logging.Formatter):
    """Writes a record without the secrets, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return AUTHORIZATION.sub(r"\1 [redacted]", text)


def set_up_log(path: Path, secrets: Iterable[str]) -> None:
    """Append what the program does to a file that only its owner may read.

    Args:
        path: The file.
        secrets: Texts that never get into it.

    Raises:
        OSError: The file cannot be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)  # one that was there before may be open to others
    handler = logging.StreamHandler(os.fdopen(descriptor, "a", encoding="utf-8"))
    handler.setFormatter(_Redact(secrets))
    logger = logging.getLogger("kimi_tui")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
