"""The real program and its terminal: sizes that are not known, signals of every kind, stopping and going on."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.terminal import kimi_tui, running

LAUNCHER = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-m", "kimi_tui", "--demo"])
os.waitpid(child, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
print("it is stopped", flush=True)
sys.stdin.readline()
os.kill(child, signal.SIGCONT)
print("it is in the background", flush=True)
sys.stdin.readline()
os.kill(child, signal.SIGTERM)
print("its status is", os.waitstatus_to_exitcode(os.waitpid(child, os.WUNTRACED)[1]), flush=True)
"""
"""A shell with one job: it is stopped, then goes on in the background, then is to end."""


# -- sizes


@pytest.mark.parametrize("told", [(0, 0), (80, 0), (0, 24)])
def test_a_size_of_nothing_is_not_known_yet(env: dict[str, str], told: tuple[int, int]) -> None:
    with kimi_tui(["--demo"], env, 80, 24, told=told) as terminal:
        terminal.until("Message Kimi")
        terminal.rest()
        terminal.resize(100, 30)
        terminal.send("hello\r")
        terminal.until("what did I say first?")
        terminal.until("○ ready")
        assert max(len(line) for line in terminal.text.split("\n")) > 80
        terminal.resize(60, 20)
        terminal._tell_size(0, 0)
        terminal.send("half a thought")
        terminal.until("half a thought")
        terminal.rest()
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM


def test_without_a_size_it_ends_with_its_terminal(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env, 80, 24, told=(0, 0)) as terminal:
        terminal.until("Message Kimi")
        assert terminal.close() == 128 + signal.SIGHUP


# -- what is written


@pytest.mark.parametrize("change", [{}, {"TERM": "dumb"}])
def test_the_terminal_moves_rows_where_it_can(env: dict[str, str], change: dict[str, str]) -> None:
    with kimi_tui(["--demo"], {**env, **change}, 80, 24) as terminal:
        terminal.until("Message Kimi")
        terminal.send("tour\r")
        terminal.until("tok/s")
        terminal.until("○ ready")
    scrolled = re.search(rb"\x1b\[\d+;\d+r\x1b\[\d+;1H\x1b\[\d+M\x1b\[r", terminal.raw)
    assert (scrolled is not None) == (not change)


# -- signals


@pytest.mark.parametrize(
    "number",
    [signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGXCPU, signal.SIGRTMIN],
    ids=str,
)
def test_every_signal_that_ends_leaves_the_terminal_as_it_was(env: dict[str, str], number: signal.Signals) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("○ ready")
        assert terminal.is_raw()
        terminal.send("half a thought")
        terminal.until("half a thought")
        os.kill(terminal.pid, number)
        assert terminal.end() == 128 + number
        assert not terminal.is_raw()
        assert terminal.raw.count(b"\x1b[?1049l") == 1
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("half a thought")


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1], ids=str)
def test_a_signal_before_the_screen_is_there_leaves_the_terminal_as_it_was(env: dict[str, str], number: int) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        while not terminal.is_raw():
            terminal.pump()
        os.kill(terminal.pid, number)
        assert terminal.end() == 128 + number
        assert not terminal.is_raw()


@pytest.mark.slow
def test_a_terminal_that_takes_no_output_keeps_nothing_from_ending(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("long\r")
        for _ in range(40):  # every one draws the screen, and nothing of it is read
            terminal.send("\x1bOQ")
            signal.sigtimedwait([], 0.1)
        os.kill(terminal.pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 128 + signal.SIGTERM
        assert not terminal.is_raw()


# -- stopped, and going on


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP], ids=str)
def test_all_of_the_screen_comes_back_after_stopping(env: dict[str, str], number: signal.Signals) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("what did I say first?")
        terminal.until("○ ready")
        for turn in range(3):
            terminal.rest()
            os.kill(terminal.pid, number)
            os.waitpid(terminal.pid, os.WUNTRACED)
            terminal.rest()
            assert terminal.is_raw() is (number == signal.SIGSTOP)
            terminal.screen.reset()
            os.kill(terminal.pid, signal.SIGCONT)
            terminal.until("what did I say first?")
            terminal.until("○ ready")
            terminal.until("╭─")
            for _ in range(8):  # with two readers some of it would be lost on the other one
                terminal.send("\x1b[200~abcd\x1b[201~")
            terminal.until("abcd" * (8 * turn + 8))
        terminal.send("\x11")
        assert terminal.end() == 0
        assert not terminal.is_raw()


def test_in_the_background_it_draws_nothing_and_can_be_ended(env: dict[str, str]) -> None:
    with running([sys.executable, "-c", LAUNCHER], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("long\r")
        terminal.until("Step 1")
        for found in os.listdir(f"/proc/{terminal.pid}/task"):
            (job,) = Path(f"/proc/{terminal.pid}/task/{found}/children").read_text().split()
        os.kill(int(job), signal.SIGTSTP)
        terminal.until("it is stopped")
        terminal.send("\r")
        terminal.until("it is in the background")
        terminal.rest()
        before = len(terminal.raw)
        terminal.rest()
        assert len(terminal.raw) == before
        terminal.send("\r")
        terminal.until(f"its status is {128 + signal.SIGTERM}")
        assert terminal.end() == 0


# -- where it is drawn


def test_standard_error_may_be_a_file(tmp_path: Path, env: dict[str, str]) -> None:
    errors = tmp_path / "errors"
    with kimi_tui(["--demo"], env, stderr=errors) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("what did I say first?")
        terminal.send("\x11")
        assert terminal.end() == 0
        assert b"Resume with" in terminal.raw
    assert errors.read_text() == ""
