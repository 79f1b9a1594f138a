"""Pipes, sockets and devices where files are expected: nothing waits for them, and each is named with its reason."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kimi_tui.adapters.config import saved_file
from kimi_tui.adapters.config.config_file import load_settings
from kimi_tui.adapters.config.theme_files import load_theme
from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import KimiError
from tests.cli.calls import call
from tests.cli.test_prompt import make_session

LIST = b'[{"role": "user", "content": "Name two ways to cook lamb."}]'


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail that would wait for a pipe, or read a device without end."""
    read = Path.read_bytes

    def read_what_ends(path: Path) -> bytes:
        is_named = not str(path).startswith("/dev/fd/")
        assert stat.S_ISREG(path.stat().st_mode) or not is_named or os.path.realpath(path) == os.devnull
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_what_ends)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFiles:
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    store = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    store.save_now(make_session())
    return store


def bind(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:  # the whole path may be longer than an address may be
        made.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def pipe_with(data: bytes) -> Path:
    """A pipe as a shell's `<(…)` gives it."""
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return Path(f"/dev/fd/{reader}")


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


MAKERS = {"a named pipe": os.mkfifo, "a socket": bind, "a device": zero}


@pytest.mark.parametrize(("words", "make"), MAKERS.items(), ids=MAKERS)
def test_what_is_no_file_is_named_and_the_sessions_load(
    store: SessionFiles, words: str, make: Callable[[Path], None]
) -> None:
    odd = store.folder / "odd.toml"
    make(odd)
    reason = f"could not be read: {words}, not an ordinary file."
    listing = store.list()
    assert [summary.title for summary in listing.summaries] == ["Greeting"]
    assert [(bad.path, bad.reason) for bad in listing.unreadable] == [(str(odd), reason)]
    for argv in (["sessions", "check", str(odd)], ["sessions", "show", "odd"]):
        result = call(*argv)
        assert (result.status, result.out, result.err) == (2, "", f"kimi-tui: {odd} {reason}\n")


def test_the_null_device_is_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").symlink_to(os.devnull)
    assert load_settings(tmp_path / "config.toml", explicit=True).problems == ()


def test_a_pipe_beside_sessions_keeps_nobody(store: SessionFiles) -> None:
    os.mkfifo(store.folder / ".index")
    os.mkfifo(store.folder / ".20261123-081500-aaaa.draft")
    assert load_draft(store.folder / "20261123-081500-aaaa.toml") == ""
    assert len(store.list().summaries) == 1


def test_a_pipe_in_place_of_the_config_is_a_finding(tmp_path: Path) -> None:
    config, saved = tmp_path / "config.toml", tmp_path / "saved.toml"
    os.mkfifo(config)
    os.mkfifo(saved)
    found = "the file: found what cannot be read (a named pipe, not an ordinary file), allowed a text in TOML"
    assert load_settings(config, explicit=True).problems == (f"{config}:1: {found}", f"{saved}:1: {found}")
    with pytest.raises(KimiError, match="a named pipe"):
        saved_file.save(saved, {("ui", "theme"): "kimi"})


def test_a_pipe_is_no_theme(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "odd.toml")
    with pytest.raises(KimiError, match="a named pipe"):
        load_theme(tmp_path / "odd.toml")


def test_a_pipe_that_was_named_on_purpose_is_read(store: SessionFiles) -> None:
    result = call("prompt", str(pipe_with(LIST)))
    assert (result.status, result.err) == (0, "")
    assert "Name two ways to cook lamb." in result.out
    for data in (LIST, store.find().read_bytes()):
        result = call("sessions", "import", str(pipe_with(data)))
        assert (result.status, result.err) == (0, "")
    assert {summary.title for summary in store.list().summaries} == {"Greeting", "Name two ways to cook lamb."}


@pytest.mark.parametrize("words", [["prompt"], ["ask", "Hi", "--demo", "--schema"]], ids=["prompt", "schema"])
def test_a_device_is_not_read_without_end(words: list[str], tmp_path: Path) -> None:
    zero(tmp_path / "odd.json")
    result = call(*words, str(tmp_path / "odd.json"), stdin=None)
    assert (result.status, result.out) == (2, "")
    assert "a device, not an ordinary file" in result.err


def test_on_screen_no_pipe_is_imported(store: SessionFiles, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "odd.json")
    with pytest.raises(KimiError, match="a named pipe"):
        store.import_file(tmp_path / "odd.json")
