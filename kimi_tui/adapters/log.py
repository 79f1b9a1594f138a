"""The log that `KIMI_TUI_LOG=FILE` asks for: times, states, sizes and ids; no texts, and never the key."""

from __future__ import annotations

import logging
import os
import re
import stat
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TextIO

from kimi_tui.core.text.redaction import Redactor

AUTHORIZATION = re.compile(r"(?i)(authorization[\"']?\s*[:=,]\s*(?:b?[\"'])?(?:bearer|basic)?|bearer)\s*[^\s\"',]+")


class Redaction(logging.Formatter):
    """Writes records without the secrets, and exceptions without their words, which may hold texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._secrets = list[str]()
        self.hide(*secrets)

    def hide(self, *secrets: str) -> None:
        self._secrets += secrets
        self._redactor = Redactor(self._secrets, b"[redacted]")

    def formatException(  # noqa: N802 - the library's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _, trace = ei
        return "".join(traceback.format_tb(trace)) + (kind.__name__ if kind else "")

    def format(self, record: logging.LogRecord) -> str:
        text = self._redactor.clean(super().format(record))
        return AUTHORIZATION.sub(r"\1 [redacted]", text)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to the file; when the disk is full that is no reason to disturb what goes on on the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Let the record go."""


def set_up_log(path: Path, secrets: Iterable[str]) -> Redaction:
    """Append what the program does to a file that only its owner may read; OSError where it cannot be opened.

    What comes back hides secrets that are found later.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)  # one that was there before may be open to others
    handler = _Handler(os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace"))
    redaction = Redaction(secrets)
    handler.setFormatter(redaction)
    logger = logging.getLogger("kimi_tui")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return redaction
