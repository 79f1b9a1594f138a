"""Random use of the real program under a pseudo-terminal: whatever is pressed, clicked, pasted or resized, it stays whole.

`python -m tests.random_use --minutes 10 --seed 7` goes on for longer than the tests do; a failure names its seed, and the
same seed does the same things (at other moments: the machine decides those).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kimi_tui.core.settings.actions import ACTIONS
from tests.terminal import Terminal, kimi_tui

NAMED_KEYS = (
    *(f"\x1bO{letter}" for letter in "PQRS"),  # F1 to F4
    *(f"\x1b[{number}~" for number in (15, 17, 18, 19, 20, 21, 23, 24)),  # F5 to F12
    *("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x1b[3~", "\x1b[2~"),
    *("\x1b[Z", "\t", "\r", "\x1b", "\x7f", " ", "\x1b\r", "\x1b[13;2u", "\x1bd", "\x1bb", "\x1bf", "\x1b\x7f"),
    *(f"\x1b[1;{modifier}{letter}" for modifier in (2, 3, 5, 6) for letter in "ABCDHF"),
)
CONTROL_KEYS = tuple(chr(ord(letter) - 96) for letter in "abefghijklnoprstuvwxyz")
"""Every Ctrl+letter but those that may leave the program: C, D, Q and M, which is Enter."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCNY0123456789[]{}/@.,é日😀 "
LEAVING = {"quit", "export", "import", "record", "editor", "theme"}
"""Actions that are left out as slash commands: they end the program, write files or open another program."""
PASTES = (
    "one\r\x1b[31mred\x1b[0m two\rthree",
    "\x1b]0;title\x07 and \x1b[2J and \x9b31m",
    "word " * 3_000,
    "line\n" * 400,
    "<|im_end|><think>x</think>",
    "日本語😀👨‍👩‍👧" * 50,
    "/new",
    "",
)
QUESTIONS = ("tour", "long", "code", "table", "funds", "reasoning", "list", "hello", "error", "math")
SIZES = ((120, 40), (80, 24), (60, 20), (45, 20), (40, 12), (200, 50), (20, 5), (1, 1), (300, 70), (0, 0))
MEMORY_KIB = 600_000
"""Far above what any of this needs: more means that something grows without bound."""
SETTLE_S = 10.0


class RandomUser:
    """Somebody whose hands do anything at all."""

    def __init__(self, terminal: Terminal, seed: int, data: Path) -> None:
        """Use a running program; `data` is its data folder."""
        self._terminal = terminal
        self._random = random.Random(seed)
        self._data = data
        self._words = 0
        self._size = (120, 40)
        self.log: list[str] = []
        """What was done, in order."""
        self._doings: Sequence[tuple[int, Callable[[], None]]] = (
            (30, self._press),
            (12, self._press_twice),
            (14, self._burst),
            (6, self._letters),
            (12, self._click),
            (6, self._drag),
            (8, self._wheel),
            (5, self._paste),
            (6, self._resize),
            (8, self._command),
            (5, self._ask),
            (2, self._stop_and_go_on),
            (3, self._say_something),
        )

    def act(self) -> None:
        """Do one thing, and wait for a while."""
        weights = [weight for weight, _ in self._doings]
        self._random.choices([doing for _, doing in self._doings], weights)[0]()
        end = time.monotonic() + self._random.choice((0, 0, 0, 0.01, 0.03, 0.1, 0.3))
        self._pump(end)

    def settle(self) -> None:
        """Close whatever is open and say something: it must arrive in a file."""
        self._resize_to((120, 40))
        for _ in range(6):
            self._send("\x1b", "Escape")
            self._pump(time.monotonic() + 0.15)
        self._say_something()

    def _pump(self, end: float) -> None:
        while True:
            if not self._terminal.pump(max(min(end - time.monotonic(), 0.05), 0)):
                raise AssertionError("the program has ended")
            if time.monotonic() >= end:
                return

    def _send(self, text: str, name: str = "") -> None:
        self.log.append(name or repr(text[:60]))
        self._terminal.send(text)

    def _key(self) -> str:
        return self._random.choice((*NAMED_KEYS, *CONTROL_KEYS, *self._random.sample(LETTERS, 12)))

    def _press(self) -> None:
        self._send(self._key())

    def _press_twice(self) -> None:
        self._send(self._key() * 2)

    def _burst(self) -> None:
        self._send("".join(self._key() for _ in range(self._random.randint(2, 12))))

    def _letters(self) -> None:
        self._send("".join(self._random.choices(LETTERS, k=self._random.randint(1, 40))))

    def _place(self) -> tuple[int, int]:
        return self._random.randint(1, max(self._size[0], 1)), self._random.randint(1, max(self._size[1], 1))

    def _click(self) -> None:
        column, row = self._place()
        button = self._random.choice((0, 0, 0, 0, 1, 2))
        click = f"\x1b[<{button};{column};{row}M\x1b[<{button};{column};{row}m"
        self._send(click * self._random.choice((1, 1, 2, 3)))

    def _drag(self) -> None:
        (left, top), (right, bottom) = self._place(), self._place()
        move = f"\x1b[<32;{(left + right) // 2};{(top + bottom) // 2}M\x1b[<32;{right};{bottom}M"
        self._send(f"\x1b[<0;{left};{top}M{move}\x1b[<0;{right};{bottom}m")

    def _wheel(self) -> None:
        column, row = self._place()
        self._send(f"\x1b[<{self._random.choice((64, 65))};{column};{row}M" * self._random.randint(1, 8))

    def _paste(self) -> None:
        self._send(f"\x1b[200~{self._random.choice(PASTES)}\x1b[201~")

    def _resize(self) -> None:
        self._resize_to(self._random.choice(SIZES))

    def _resize_to(self, size: tuple[int, int]) -> None:
        self.log.append(f"resize {size}")
        self._size = size
        self._terminal.resize(*size)

    def _command(self) -> None:
        action = self._random.choice([action for action in ACTIONS if action.id not in LEAVING])
        argument = self._random.choice(
            ("", "", " lamb", " 1", " 3", " temperature 0.5", " seed 1 2 3 4 5", " temperature hot", " off")
        )
        self._send(f"\x15/{action.id}{argument}\r")

    def _ask(self) -> None:
        self._send(f"\x15{self._random.choice(QUESTIONS)}\r")

    def _stop_and_go_on(self) -> None:
        self.log.append("stopped, gone on")
        os.kill(self._terminal.pid, signal.SIGSTOP)
        time.sleep(0.05)
        os.kill(self._terminal.pid, signal.SIGCONT)

    def _say_something(self) -> None:
        """Type a word and send it, from a screen on which nothing else is open: it must come into a file."""
        if min(self._size) < 20:
            return
        for _ in range(4):
            self._send("\x1b", "Escape")
            self._pump(time.monotonic() + 0.15)
        self._words += 1
        word = f"word{self._words:04}x{self._random.randint(0, 10**9):09}"
        self._send("\x15" * 3 + word)
        self._pump(time.monotonic() + 0.3)
        if word not in self._terminal.text:
            self.log.append("(it was not typed into the composer)")
            return
        self._send("\r")
        end = time.monotonic() + SETTLE_S
        while not self._is_kept(word):
            if time.monotonic() > end:
                raise AssertionError(f"{word} is in no file:\n{self._terminal.text}")
            self._pump(time.monotonic() + 0.1)

    def _is_kept(self, word: str) -> bool:
        files = [path for path in self._data.rglob("*") if path.is_file()]
        return any(word.encode() in path.read_bytes() for path in files) or word in self._terminal.text

    def check(self) -> None:
        """It must not have grown beyond all bounds."""
        status = Path(f"/proc/{self._terminal.pid}/status").read_text()
        resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        assert resident < MEMORY_KIB, f"{resident} KiB"


def use(seed: int, folder: Path, until: Callable[[int], bool]) -> None:
    """Use the program until `until(number of things done)`, then leave it.

    Raises:
        AssertionError: It ended by itself, lost what was said, grew without bound or did not leave; with the last
            things that were done.
    """
    env = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "KIMI_TUI_CONFIG": str(folder / "config.toml"),
        "KIMI_TUI_DATA_DIR": str(folder / "data"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    with contextlib.chdir(folder), kimi_tui(["--demo"], env) as terminal:
        user = RandomUser(terminal, seed, folder / "data")
        try:
            terminal.until("Message Kimi")
            number = 0
            while not until(number):
                user.act()
                number += 1
                if number % 50 == 0:
                    user.check()
            user.settle()
            terminal.send("\x11")
            status = terminal.end()
            assert status == 0, f"exit status {status}"
        except (AssertionError, OSError) as error:
            done = "\n".join(user.log[-40:])
            raise AssertionError(f"seed {seed}: {error}\n{terminal.text}\n{terminal.raw[-3000:]!r}\n{done}") from error
        assert b"Traceback" not in terminal.raw


def main(arguments: Sequence[str] | None = None) -> None:
    """Use the program for a time, with one seed after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--actions", type=int, default=400)
    options = parser.parse_args(arguments)
    end = time.monotonic() + options.minutes * 60
    seed, failed = options.seed, []
    while time.monotonic() < end:
        with tempfile.TemporaryDirectory() as folder:
            try:
                use(seed, Path(folder), lambda number: number >= options.actions or time.monotonic() >= end)
            except AssertionError as error:
                print(f"--- {error}", flush=True)
                failed.append(seed)
        seed += 1
    print(f"{seed - options.seed} runs, failed: {failed or 'none'}")


if __name__ == "__main__":
    main()
