"""What tests of the screen share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.disk import Disk


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk that sessions are saved on; it takes everything at first and in the end."""
    disk = Disk()
    monkeypatch.setattr("kimi_tui.adapters.files.os.fsync", disk.fsync)
    yield disk
    disk.reason = None
