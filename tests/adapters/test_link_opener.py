"""Links are given to programs of the system: as one argument, without a terminal, without the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.adapters.link_opener import SystemOpener, openers_for
from tests.clipboards import WAITS, put_on_path

ADDRESS = "https://example.org/a?b=c&d=%24(id)#e"
NOTES = 'printf "%s|" "$#" "$@" "${DEEPINFRA_TOKEN-none}" "${DEEPINFRA_API_KEY-none}" >"$0.words"'


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", []),
        ({"DISPLAY": ":0"}, "linux", [("xdg-open",), ("gio", "open")]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", [("xdg-open",), ("gio", "open")]),
        ({"SSH_TTY": "/dev/pts/1"}, "linux", []),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", [("wslview",)]),
        ({}, "darwin", [("open",)]),
        ({"BROWSER": "firefox --new-tab %s:w3m"}, "linux", [["firefox", "--new-tab"], ["w3m"]]),
        ({"BROWSER": "open-it --url=%s:'half"}, "linux", []),
    ],
)
def test_what_is_tried(environ: dict[str, str], platform: str, expected: list[object]) -> None:
    assert list(openers_for(environ, platform)) == expected


def environ_of(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "DISPLAY": ":4321",
        "DEEPINFRA_TOKEN": "sk-1",
        "DEEPINFRA_API_KEY": "sk-2",
    }


async def test_the_address_is_one_argument_and_the_key_stays(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xdg-open", NOTES)
    assert await SystemOpener(environ_of(tmp_path)).open(ADDRESS) == "xdg-open"
    assert (tmp_path / "xdg-open.words").read_text() == f"1|{ADDRESS}|none|none|"


async def test_it_has_no_terminal_and_writes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put_on_path(
        tmp_path,
        "xdg-open",
        'echo loud; echo louder >&2; (echo "$1" >/dev/tty) 2>/dev/null && exit 7; read line; exit 0',
    )
    assert await SystemOpener(environ_of(tmp_path)).open(ADDRESS) == "xdg-open"
    assert capfd.readouterr() == ("", "")


async def test_one_that_fails_leaves_it_to_the_next(tmp_path: Path) -> None:
    put_on_path(tmp_path, "mine", "exit 3")
    put_on_path(tmp_path, "xdg-open", "exit 4")
    put_on_path(tmp_path, "gio", NOTES)
    assert await SystemOpener(environ_of(tmp_path) | {"BROWSER": "missing:mine"}).open(ADDRESS) == "gio"
    assert (tmp_path / "gio.words").read_text() == f"2|open|{ADDRESS}|none|none|"


async def test_none_took_it(tmp_path: Path) -> None:
    (tmp_path / "xdg-open").write_bytes(b"\x7fELF no program")
    (tmp_path / "xdg-open").chmod(0o700)
    environ = {"PATH": str(tmp_path), "DISPLAY": ":4321"}
    assert await SystemOpener(environ).open(ADDRESS) == ""


async def test_one_that_goes_on_running_has_taken_it(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xdg-open", WAITS)
    assert await SystemOpener(environ_of(tmp_path), limit_s=0.1).open(ADDRESS) == "xdg-open"
    (tmp_path / "go").touch()
