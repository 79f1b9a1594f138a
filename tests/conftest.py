"""Cut every test off from the machine: its home, its environment, its network."""

from __future__ import annotations

import gc
import ipaddress
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")  # how long an example takes says more about the neighbours than about it

# A shell ignores these for what it starts in the background; the programs that are tested would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

COLLECTED_AT = 20_000
"""So many new objects make the collector look; at the usual 700 it took a sixth of the time of a screen."""

OWN_VARIABLES = (
    "DEEPINFRA_TOKEN",
    "DEEPINFRA_API_KEY",
    "DEEPINFRA_API_TOKEN",
    "KIMI_TUI_CONFIG",
    "KIMI_TUI_DATA_DIR",
    "KIMI_TUI_LOG",
    "NO_COLOR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage: the collector does not look through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AT, 10, 10)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every place the program writes to into the test's own folder."""
    for name in OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_loopback(address[0]):
            raise AssertionError(f"a test wants to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a real program that has the test's folder for its home."""
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "KIMI_TUI_CONFIG": str(tmp_path / "config.toml"),
        "KIMI_TUI_DATA_DIR": str(tmp_path / "data"),
    }
