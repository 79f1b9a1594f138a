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
    set_up_log(path, [KEY, "", f"{KEY}-longer"])
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
    logger.info(f"{KEY}-longer")
    assert KEY not in log.read_text()
    assert "longer" not in log.read_text()
    assert "ValueError" in log.read_text()


def test_an_exception_is_told_without_its_words_and_those_of_its_causes(log: Path) -> None:
    def fail(words: str) -> None:
        try:
            raise KeyError(words)
        except KeyError as error:
            raise ValueError(f"cannot read {words}") from error

    try:
        fail("dear diary")
    except ValueError:
        logging.getLogger("kimi_tui").exception("failed")
    text = log.read_text()
    assert "dear diary" not in text.split("\n", 2)[2].replace('fail("dear diary")', "")
    assert all(word in text for word in ("test_log.py", "in fail", "ValueError"))


def test_a_secret_that_is_found_later_is_kept_out_too(tmp_path: Path, log: Path) -> None:
    del log  # takes the second log's handler away as well
    redaction = set_up_log(tmp_path / "second", [])
    redaction.hide("found-later")
    redaction.hide("")
    logging.getLogger("kimi_tui").info("a found-later b")
    assert (tmp_path / "second").read_text().endswith("INFO a [redacted] b\n")


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
