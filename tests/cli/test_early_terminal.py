"""The terminal before the screen is there: nothing typed is lost, and it gets back what it was."""

from __future__ import annotations

import os
import pty
import queue
import select
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tui.cli.early_terminal import ENTER, LEAVE, EarlyTerminal, early_terminal
from kimi_tui.ui.state.first_frame import EarlyEcho
from kimi_tui.ui.terminal.ending import Ending
from tests.terminal import kimi_tui


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: ours, and the program's."""
    ours, programs = pty.openpty()
    yield ours, programs
    os.close(ours)
    os.close(programs)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KIMI_TUI_DATA_DIR": str(tmp_path / "data")}


def written(ours: int, ending: str) -> str:
    """What the program's end wrote, up to a text."""
    text = ""
    while not text.endswith(ending):
        text += os.read(ours, 999).decode()
    return text


def typed_and_read(early: EarlyTerminal, ours: int, keys: bytes) -> None:
    """Type, and wait until that has been read: the kernel takes a moment to hand it on."""
    kept = queue.SimpleQueue[str]()
    early.keep = kept.put
    os.write(ours, keys)
    while not kept.get(timeout=20).endswith(keys.decode()):
        pass


def test_keys_are_not_echoed_and_arrive_as_they_are(terminal: tuple[int, int]) -> None:
    ours, programs = terminal
    with early_terminal(programs):
        os.write(ours, b"hi\x13\x11\r")
        assert os.read(programs, 9) == b"hi\x13\x11\r"
        os.write(programs, b"!")
        assert os.read(ours, 9) == b"!"


def test_the_terminal_gets_its_modes_back(terminal: tuple[int, int]) -> None:
    _, programs = terminal
    before = termios.tcgetattr(programs)
    with early_terminal(programs) as early:
        assert termios.tcgetattr(programs) != before
        assert early.modes == before
    assert termios.tcgetattr(programs) == before


def test_what_was_typed_before_is_handed_over_with_the_terminal(terminal: tuple[int, int]) -> None:
    ours, programs = terminal
    os.write(ours, "羊 lamb\r".encode())
    select.select([programs], [], [])  # it takes the kernel a moment
    with early_terminal(programs) as early:
        os.write(ours, b"later")
        assert early.typed == "羊 lamb\n"
        assert early.hand_over() == b""
        assert os.read(programs, 9) == b"later"


@pytest.mark.parametrize("is_handed_over", [True, False])
def test_what_nobody_else_clears_is_cleared(terminal: tuple[int, int], is_handed_over: bool) -> None:
    ours, programs = terminal
    with early_terminal(programs) as early:
        early.draw(programs, "frame")
        if is_handed_over:
            early.hand_over()
    os.write(programs, b"|")
    assert written(ours, "|") == ENTER + "frame" + ("" if is_handed_over else LEAVE) + "|"


@pytest.fixture
def sized(terminal: tuple[int, int]) -> tuple[int, int]:
    """Such a terminal of 80 by 24."""
    termios.tcsetwinsize(terminal[1], (24, 80))
    return terminal


def test_letters_are_echoed_and_handed_over_with_what_ended_that(sized: tuple[int, int]) -> None:
    ours, programs = sized
    with early_terminal(programs) as early:
        early.draw(programs, "frame")
        early.echo(EarlyEcho(80, 24))
        os.write(ours, b"hi")
        written(ours, "│ hi" + " " * 75 + "│")
        typed_and_read(early, ours, b"\x1b[20")
        assert early.hand_over() == b"hi\x1b[20"
        os.write(ours, b"0~paste")
        assert os.read(programs, 99) == b"0~paste"
        os.write(ours, b"!")
        assert os.read(programs, 9) == b"!"


def test_a_terminal_of_another_size_gets_no_echo(sized: tuple[int, int]) -> None:
    ours, programs = sized
    with early_terminal(programs) as early:
        early.draw(programs, "frame")
        early.echo(EarlyEcho(80, 24))
        os.write(ours, b"h")
        written(ours, " │")
        termios.tcsetwinsize(programs, (30, 100))
        typed_and_read(early, ours, b"i")
        assert early.hand_over() == b"hi"
        os.write(programs, b"|")
        assert written(ours, "|") == "|"


def test_without_a_frame_nothing_is_echoed(terminal: tuple[int, int]) -> None:
    ours, programs = terminal
    with early_terminal(programs) as early:
        early.echo(EarlyEcho(80, 24))
        os.write(ours, b"hi")
        assert os.read(programs, 9) == b"hi"
        assert early.hand_over() == b""


def test_nothing_is_echoed_behind_the_end(sized: tuple[int, int]) -> None:
    ours, programs = sized
    with early_terminal(programs) as early:
        early.draw(programs, "frame")
        early.echo(EarlyEcho(80, 24))
    os.write(programs, b"|")
    assert written(ours, "|").endswith(LEAVE + "|")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_restored(terminal: tuple[int, int], number: signal.Signals) -> None:
    _, programs = terminal
    before, handler = termios.tcgetattr(programs), signal.getsignal(number)

    def run() -> None:
        with Ending() as ending, early_terminal(programs):
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGUSR1)
            ending.check()

    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 128 + number
    assert termios.tcgetattr(programs) == before
    assert signal.getsignal(number) == handler


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Ending() as ending:
            signal.raise_signal(signal.SIGHUP)
            ending.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_nobody_took_is_left_and_not_for_the_shell(sized: tuple[int, int]) -> None:
    ours, programs = sized
    with early_terminal(programs) as early:
        early.draw(programs, "frame")
        early.echo(EarlyEcho(80, 24))
        os.write(ours, b"hi")
        written(ours, "│ hi" + " " * 75 + "│")
        typed_and_read(early, ours, b"\x1b[A there\rrm -r x\r")
    assert early.left == b"hi\x1b[A there\rrm -r x\r"
    assert not select.select([programs], [], [], 0.1)[0]


@pytest.mark.parametrize(("typed", "line_end"), [(b"hel", "\r\n"), (b"hello\r", ""), (b"", "")])
def test_what_comes_after_it_begins_a_line(terminal: tuple[int, int], typed: bytes, line_end: str) -> None:
    ours, programs = terminal
    os.write(ours, typed)
    echo = typed.decode().replace("\r", "\r\n")
    assert written(ours, echo) == echo  # the system takes a moment to hand it on
    with early_terminal(programs, programs):
        pass
    os.write(programs, b"|")
    assert written(ours, "|") == line_end + "|"


@pytest.mark.parametrize("typed", ["hello\r", "hel"])
def test_what_is_typed_at_once_is_there(env: dict[str, str], typed: str) -> None:
    with kimi_tui(["--demo"], env) as program:
        program.send(typed)
        program.until("Thought for" if typed.endswith("\r") else "│ hel ")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("hello", "│ hello "),
        ("h\x7f\x1b[200~lamb\rchops\x1b[201~", "│ chops "),
        ("羊肉", "│ 羊肉 "),
        ("ac\x1b[Db", "│ abc "),
        ("hello\r", "Thought for"),
    ],
)
def test_what_is_typed_on_the_frame_is_in_the_composer(env: dict[str, str], typed: str, shown: str) -> None:
    with kimi_tui(["--demo"], env) as program:
        program.until("Message Kimi")
        program.send(typed)
        program.until("○ ready")
        program.until(shown)


def test_letters_are_shown_before_the_library_is_there(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as program:
        program.until("Message Kimi")
        program.send("hello")
        program.until("│ hello")
        assert b"\x1b[?1004h" not in program.raw  # the library switches that on
        program.until("○ ready")
        program.until("│ hello")


def test_the_frame_is_there_before_the_program_and_goes_when_that_cannot_start(env: dict[str, str]) -> None:
    with kimi_tui(["--demo", "-r", "nothing"], env) as program:
        assert program.end() == 2
    assert b"Message Kimi" in program.raw
    before, _, after = program.raw.partition(LEAVE.encode())
    assert ENTER.encode() in before
    assert b"kimi-tui: There is no session" in after


@pytest.mark.parametrize("change", [{"TERM": "dumb"}, {"LANG": "C"}, {"COLORTERM": ""}, {"NO_COLOR": "1"}])
def test_the_frame_is_drawn_as_far_as_the_terminal_shows_it(env: dict[str, str], change: dict[str, str]) -> None:
    with kimi_tui(["--demo", "-r", "nothing"], {**env, **change}) as program:
        program.end()
    assert (b"Message Kimi" in program.raw) == (not change.keys() & {"TERM", "LANG"})
    assert b"\x1b[38;2" not in program.raw
