"""Commands recover what a dead process left, and say so on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calls import KEY, call, start
from tests.cli.loopback import Endpoint, Play, endpoint, tokens

SO_FAR = tokens("hm", "</think>", "so far")[:3]


@pytest.fixture
def dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Endpoint, Path]]:
    """An endpoint, and a folder in which `ask` was killed while a reply came."""
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    folder = tmp_path / "data"
    with endpoint(Play(SO_FAR, holds=True), Play(tokens("x", "</think>", "Yes."))) as running:
        with start("--data-dir", str(folder), "--base-url", running.url, "ask", "--save", "Lamb?"):
            wait_for(folder)
        yield running, folder


def wait_for(folder: Path) -> None:
    end_s = time.monotonic() + 20
    while not any("so far" in path.read_text("utf-8") for path in folder.glob("sessions/.*.journal")):
        assert time.monotonic() < end_s
        time.sleep(0.02)


@pytest.mark.parametrize("words", [("sessions", "list"), ("sessions", "show", "Lamb?"), ("prompt",)])
def test_it_is_told_once(dead: tuple[Endpoint, Path], words: tuple[str, ...]) -> None:
    place = ("--data-dir", str(dead[1]))
    first = call(*place, *words)
    assert first.status == 0
    assert "Lamb?: A reply came back that was being written when the program ended: 8 characters." in first.err
    assert "so far" in first.out or words == ("sessions", "list")
    assert "came back" not in call(*place, *words).err
    assert call(*place, "sessions", "list", "--json").json[0]["messages"] == 2


def test_asking_goes_on_in_a_recovered_session(dead: tuple[Endpoint, Path]) -> None:
    running, folder = dead
    place = ("--data-dir", str(folder), "--base-url", running.url)
    asked = call(*place, "ask", "--session", "Lamb?", "More?")
    assert (asked.status, asked.out, asked.err.count("came back")) == (0, "Yes.\n", 1)
    assert "so far" in running.received[1].json["input"]
    assert list(folder.rglob(".*.journal*")) == []


def test_asking_without_saving_writes_no_journal(dead: tuple[Endpoint, Path], tmp_path: Path) -> None:
    running, _ = dead
    asked = call("--data-dir", str(tmp_path / "other"), "--base-url", running.url, "ask", "More?")
    assert asked.status == 0
    assert not (tmp_path / "other").exists()


def test_check_lists_the_journals_that_nobody_recovered(dead: tuple[Endpoint, Path]) -> None:
    place = ("--data-dir", str(dead[1]))
    (journal,) = dead[1].glob("sessions/.*.journal")
    journal.write_bytes(b"junk\n")
    checked = call(*place, "sessions", "check")
    aside = f"{journal}-aside: a journal that is kept aside, since not all of it can be read\n"
    assert (checked.status, checked.out.endswith(aside)) == (0, True)
    assert call(*place, "sessions", "check", "Lamb?").out == checked.out


def test_a_session_that_is_deleted_by_hand_comes_back(dead: tuple[Endpoint, Path]) -> None:
    (path,) = dead[1].glob("sessions/*.toml")
    path.unlink()
    assert "so far" in call("--data-dir", str(dead[1]), "sessions", "show", "Lamb?").out
    assert path.exists()


@pytest.mark.parametrize("words", [("prompt",), ("sessions", "convert", "--to", "json"), ("sessions", "import")])
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_file_that_is_named_is_read_with_what_lies_beside_it(
    dead: tuple[Endpoint, Path], tmp_path: Path, words: tuple[str, ...], is_elsewhere: bool
) -> None:
    folder = dead[1] / "sessions"
    if is_elsewhere:
        folder.rename(folder := tmp_path / "elsewhere")
    (path,) = folder.glob("*.toml")
    done = call("--data-dir", str(dead[1]), *words, str(path))
    assert (done.status, done.err.count("A reply came back")) == (0, 1)
    made = done.out if words == ("prompt",) else "".join(it.read_text("utf-8") for it in tmp_path.rglob("*.[jt]*"))
    assert "so far" in made
    assert list(folder.glob(".*.journal")) == []
