"""Programs that reach the clipboard: which are asked, what they get, and what becomes of those that fail or hang."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kimi_tui.adapters.clipboard_tools import SystemClipboard, tools_for
from kimi_tui.core.text.copied import TO_TERMINAL, Delivery
from tests.clipboards import TAKES, WAITS, HandClipboard, put_on_path

LONG_S = 60.0
"""More time than a program of these tests needs on a busy machine, in seconds."""


@pytest.mark.parametrize(
    ("environ", "platform", "names"),
    [
        ({}, "linux", []),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ["wl-copy"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({}, "darwin", ["pbcopy"]),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ["clip.exe"]),
        ({"WSL_INTEROP": "/run/WSL/8_interop", "DISPLAY": ":0"}, "linux", ["clip.exe", "xclip", "xsel"]),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", []),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "darwin", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": "unix:0"}, "linux", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": "localhost:10.0"}, "linux", ["xclip", "xsel"]),
    ],
)
def test_only_what_reaches_the_one_who_sits_there_is_asked(
    environ: Mapping[str, str], platform: str, names: list[str]
) -> None:
    assert [tool.words[0] for tool in tools_for(environ, platform)] == names


@pytest.mark.parametrize("text", ["Roast it.", "two\r\nlines\n", "中文 🙂 \x1b[31m", "é" * 3_000_000], ids=len)
async def test_a_program_gets_every_character(tmp_path: Path, text: str) -> None:
    hand = HandClipboard(tmp_path, "xclip")
    assert await SystemClipboard(hand.environ, LONG_S).put(text) == Delivery("xclip")
    assert hand.taken("xclip").decode() == text
    assert hand.words("xclip") == "-selection clipboard"


async def test_a_program_is_found_where_the_environment_says_alone(tmp_path: Path) -> None:
    HandClipboard(tmp_path, "xclip")
    environ = {"DISPLAY": ":4321", "PATH": str(tmp_path / "elsewhere")}
    assert await SystemClipboard(environ, LONG_S).put("Roast it.") == TO_TERMINAL


async def test_clip_exe_gets_the_encoding_that_it_reads(tmp_path: Path) -> None:
    hand = HandClipboard(tmp_path, "clip.exe", environ={"WSL_DISTRO_NAME": "Debian"})
    await SystemClipboard(hand.environ, LONG_S).put("Käse 🙂")
    assert hand.taken("clip.exe").decode("utf-16-le") == "Käse 🙂"


async def test_where_one_program_fails_the_next_one_is_asked(tmp_path: Path) -> None:
    hand = HandClipboard(tmp_path, "xsel")
    put_on_path(hand.folder, "xclip", "exit 1")
    assert await SystemClipboard(hand.environ, LONG_S).put("Roast it.") == Delivery("xsel")
    assert hand.taken("xsel") == b"Roast it."


@pytest.mark.parametrize("script", ["exit 1", "exec 0<&-; exit 3", "kill -9 $$"])
async def test_a_program_that_fails_is_named(tmp_path: Path, script: str) -> None:
    put_on_path(tmp_path, "xclip", script)
    clipboard = SystemClipboard({"DISPLAY": ":4321", "PATH": f"{tmp_path}:/usr/bin:/bin"}, LONG_S)
    assert await clipboard.put("x" * 1_000_000) == Delivery(failed="xclip")


async def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "xclip"
    broken.write_bytes(b"\x7fELF nothing that runs")
    broken.chmod(0o700)
    assert await SystemClipboard({"DISPLAY": ":4321", "PATH": str(tmp_path)}).put("x") == Delivery(failed="xclip")


async def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xclip", f"sleep 100 & echo $! >{tmp_path}/below; wait")
    clipboard = SystemClipboard({"DISPLAY": ":4321", "PATH": f"{tmp_path}:/usr/bin:/bin"}, 3)
    assert await clipboard.put("x" * 1_000_000) == Delivery(failed="xclip")
    assert await is_gone(int((tmp_path / "below").read_text()))


async def test_what_stays_to_serve_the_clipboard_holds_nothing_up(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xclip", f"cat >{tmp_path}/xclip.in; sleep 100 & echo $! >{tmp_path}/below")
    clipboard = SystemClipboard({"DISPLAY": ":4321", "PATH": f"{tmp_path}:/usr/bin:/bin"}, LONG_S)
    assert await clipboard.put("Roast it.") == Delivery("xclip")
    serving = int((tmp_path / "below").read_text())
    os.kill(serving, 9)
    assert await is_gone(serving)


async def is_gone(pid: int) -> bool:
    """Whether a process ends; one that is only waited for no more counts as gone."""
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_of_texts_that_follow_fast_the_last_is_in_the_clipboard(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xclip", f"{WAITS}; {TAKES}")
    clipboard = SystemClipboard({"DISPLAY": ":4321", "PATH": f"{tmp_path}:/usr/bin:/bin"}, LONG_S)
    puts = [clipboard.put(text) for text in ("first", "second", "third")]
    await asyncio.sleep(0.05)
    (tmp_path / "go").touch()
    assert (await asyncio.gather(*puts))[1:] == [None, Delivery("xclip")]
    assert (tmp_path / "xclip.in").read_bytes() == b"third"


async def test_the_loop_goes_on_while_a_program_is_asked(tmp_path: Path) -> None:
    put_on_path(tmp_path, "xclip", f"{WAITS}; {TAKES}")
    clipboard = SystemClipboard({"DISPLAY": ":4321", "PATH": f"{tmp_path}:/usr/bin:/bin"}, LONG_S)
    waiting = asyncio.ensure_future(clipboard.put("Roast it."))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    (tmp_path / "go").touch()
    assert await waiting == Delivery("xclip")


class TestTmux:
    async def test_its_buffer_is_filled_and_passed_on(self, tmp_path: Path) -> None:
        hand = HandClipboard(tmp_path, "tmux", environ={"TMUX": "/tmp/tmux-0/default,1,0", "SSH_TTY": "/dev/pts/1"})
        assert await SystemClipboard(hand.environ, LONG_S).put("Roast it.") == Delivery(is_in_tmux=True)
        assert (hand.words("tmux"), hand.taken("tmux")) == ("load-buffer -w -", b"Roast it.")

    async def test_the_clipboard_of_the_desktop_gets_it_too(self, tmp_path: Path) -> None:
        hand = HandClipboard(tmp_path, "tmux", "xclip", environ={"TMUX": "/tmp/tmux-0/default,1,0", "DISPLAY": ":0"})
        assert await SystemClipboard(hand.environ, LONG_S).put("x") == Delivery("xclip", is_in_tmux=True)

    async def test_an_old_one_knows_no_passing_on(self, tmp_path: Path) -> None:
        put_on_path(tmp_path, "tmux", f'[ "$2" = -w ] && exit 1; {TAKES}')
        environ = {"TMUX": "/tmp/tmux-0/default,1,0", "PATH": f"{tmp_path}:/usr/bin:/bin"}
        assert await SystemClipboard(environ, LONG_S).put("Roast it.") == Delivery(is_in_tmux=True)
        assert (tmp_path / "tmux.in").read_bytes() == b"Roast it."

    @pytest.mark.parametrize("environ", [{}, {"TMUX": ""}])
    async def test_it_is_not_asked_outside(self, tmp_path: Path, environ: Mapping[str, str]) -> None:
        hand = HandClipboard(tmp_path, "tmux", environ=environ)
        assert await SystemClipboard(hand.environ, LONG_S).put("x") == TO_TERMINAL

    async def test_one_that_is_gone_is_named(self, tmp_path: Path) -> None:
        put_on_path(tmp_path, "tmux", "exit 1")
        environ = {"TMUX": "/tmp/tmux-0/default,1,0", "PATH": f"{tmp_path}:/usr/bin:/bin"}
        assert await SystemClipboard(environ, LONG_S).put("x") == Delivery(failed="tmux")
