"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calls import KEY


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, a data folder and a config of the test's own; a request is tried once."""
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    config = tmp_path / "config.toml"
    config.write_text("[api]\nretries = 0\n")
    monkeypatch.setenv("KIMI_TUI_CONFIG", str(config))
