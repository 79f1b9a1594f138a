"""The log: private, and without the key whatever a record holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tui.adapters.log import set_up_log

KEY = "sk-secret"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    logger = logging.getLogger("kimi_tui")
    before, level, propagate = list(logger.handlers), logger.level, logger.propagate
    path = tmp_path / "log"
    path.write_text("old\n")
    path.chmod(0o644)
    set_up_log(path, [KEY, ""])
    yield path
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        assert isinstance(handler, logging.StreamHandler)
        handler.stream.close()
    logger.setLevel(level)
    logger.propagate = propagate


def test_it_is_appended_to_and_private(log: Path) -> None:
    logging.getLogger("kimi_tui").info("hello")
    assert log.read_text().startswith("old\n")
    assert log.read_text().endswith("INFO hello\n")
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_key_is_nowhere(log: Path) -> None:
    logger = logging.getLogger("kimi_tui")
    logger.info("a %s b", KEY)
    logger.info("%r", {"Authorization": f"Bearer {KEY}"})
    try:
        raise ValueError(f"Illegal header value b'Bearer {KEY}'")
    except ValueError:
        logger.exception("failed")
    assert KEY not in log.read_text()
    assert "ValueError" in log.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer other-key",
        "authorization=other-key",
        "{'Authorization': 'Bearer other-key'}",
        '{"authorization":"Bearer other-key"}',
        "(b'Authorization', b'Bearer other-key')",
        "BEARER other-key",
    ],
)
def test_authorization_is_redacted_whosever_it_is(log: Path, text: str) -> None:
    logging.getLogger("kimi_tui").info("%s", text)
    assert "other-key" not in log.read_text()
    assert "[redacted]" in log.read_text()
