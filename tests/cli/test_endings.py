"""Every way to be ended from outside, in every phase: saved, nothing left running, the terminal as it was, the status."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.cli.calls import KEY, ROOT, command
from tests.cli.loopback import Play, endpoint, tokens
from tests.terminal import Terminal, kimi_tui, running

HANGUP, INTERRUPT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGTERM
CLOSE, STOP = "close", "stop"
"""Ways that are no signal to end: the terminal goes away; the program is stopped, and goes on."""
Way = signal.Signals | str

OFF = (1000, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048)
"""Private modes of a terminal that are off at first; 7 and 25 are on. Source: XTerm control sequences."""
MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
LARGE_BYTES = 24_000_000
MARK = "KIMI_TUI_TEST_MARK"

SLOW_DISK = """
import os, time
real = os.fsync
def fsync(descriptor):
    open(os.environ["SAVING"], "w").close()
    time.sleep(0.3)
    real(descriptor)
os.fsync = fsync
"""
"""A disk on which everything that is saved takes its time, and tells that it has begun."""
TOLD_IMPORT = """
import sys
class Told:
    def find_spec(self, name, *_):
        if name == "kimi_tui.cli": open(os.environ["SAVING"] + "-later", "w").close()
sys.meta_path.insert(0, Told())
"""
"""Tells when the program has begun and is being imported."""
RUN = "from kimi_tui.__main__ import run; run()"


def modes_left(raw: bytes) -> list[str]:
    """What a terminal that got this is left with, and was not like that before."""
    state: dict[int, bool] = {}
    for numbers, end in MODE.findall(raw):
        state |= {int(number): end == b"h" for number in numbers.split(b";")}
    found = [f"mode {number}" for number in OFF if state.get(number)]
    found += [f"no mode {number}" for number in (7, 25) if state.get(number) is False]
    if len(re.findall(rb"\x1b\[>\d+u", raw)) > len(re.findall(rb"\x1b\[<\d*u", raw)):
        found.append("kitty keyboard")
    styles = re.findall(rb"\x1b\[([\d;]*)m", raw)
    if styles and styles[-1] not in {b"", b"0"}:
        found.append("a style")
    if b"\x1b]0;" in raw or b"\x1b]2;" in raw:
        found.append("a title")
    return found


def still_running(mark: str) -> list[str]:
    """What the program started and is still there, whatever became of its parent."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass
    return found


@pytest.fixture
def env(tmp_path: Path, env: dict[str, str]) -> dict[str, str]:
    mark = uuid.uuid4().hex
    return {
        **env,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path / mark)]),  # all that our own processes are given
        "SAVING": str(tmp_path / "saving"),
        MARK: mark,
    }


def write_large(folder: Path) -> None:
    """A session that takes seconds to be read."""
    place = folder / "data" / "sessions"
    place.mkdir(parents=True)
    head = 'format = "kimi-tui/session"\nversion = 1\nid = "large"\ntitle = "Large"\n'
    head += "created = 2026-11-23T08:15:00Z\nupdated = 2026-11-23T08:15:00Z\n"
    with open(place / "large.toml", "w", encoding="utf-8") as file:
        file.write(head)
        for number in range(LARGE_BYTES // 4000):
            parent = f'parent = "m{number - 1}"\n' if number else ""
            role = ("user", "assistant")[number % 2]
            file.write(f'[[messages]]\nid = "m{number}"\n{parent}role = "{role}"\ncontent = "{"word " * 780}"\n')


# -- phases: how to get there


def importing(terminal: Terminal) -> None:
    terminal.send("early words")
    while not terminal.is_raw():
        terminal.pump(0.001)


def first_frame(terminal: Terminal) -> None:
    terminal.until("Message Kimi")
    terminal.send("early words")
    terminal.until("early words")


def taking_over(terminal: Terminal) -> None:
    """The library has the terminal, and shows nothing of its own yet."""
    terminal.until("Message Kimi")
    terminal.send("early words")
    while b"\x1b[?1000h" not in terminal.raw:
        terminal.pump(0.001)


def idle(terminal: Terminal) -> None:
    terminal.until("○ ready")


def typing(terminal: Terminal) -> None:
    idle(terminal)
    terminal.send("half a thought")
    terminal.until("half")


def streaming(terminal: Terminal) -> None:
    idle(terminal)
    terminal.send("long\r")
    terminal.until("Step 1")
    terminal.send("half a thought")
    terminal.until("half a thought")


def in_the_palette(terminal: Terminal) -> None:
    streaming(terminal)
    terminal.send("\x10")
    terminal.until("Search for commands")


def in_the_help(terminal: Terminal) -> None:
    streaming(terminal)
    terminal.send("\x1bOP")
    terminal.until("Escape closes")


def in_a_pane(terminal: Terminal) -> None:
    streaming(terminal)
    terminal.send("\x1bOS")
    terminal.until("temperature")


def leaving(terminal: Terminal) -> None:
    streaming(terminal)
    terminal.send("\x11")


def opening(terminal: Terminal) -> None:
    terminal.until("Opening large")
    terminal.send("early words")
    terminal.until("early words")


EARLY, HALF, STEP = "early words", "half a thought", "Step 1"
PHASES: Mapping[str, tuple[Callable[[Terminal], None], Sequence[str]]] = {
    "importing": (importing, ["early w"]),
    "first frame": (first_frame, [EARLY]),
    "taking over": (taking_over, [EARLY]),
    "idle": (idle, []),
    "typing": (typing, [HALF]),
    "streaming": (streaming, [HALF, STEP]),
    "palette": (in_the_palette, [HALF, STEP]),
    "help": (in_the_help, [HALF, STEP]),
    "pane": (in_a_pane, [HALF, STEP]),
    "leaving": (leaving, [HALF, STEP]),
}
WAYS: Sequence[Sequence[Way]] = (
    [TERM], [HANGUP], [INTERRUPT], [CLOSE], [TERM, TERM], [INTERRUPT, INTERRUPT], [TERM, HANGUP, INTERRUPT],
    [HANGUP, CLOSE], [STOP, TERM], [STOP, CLOSE],
)  # fmt: skip
SHORT: Mapping[str, Sequence[Way]] = {
    "importing": [TERM], "first frame": [INTERRUPT, INTERRUPT], "taking over": [HANGUP], "typing": [CLOSE],
    "streaming": [TERM, HANGUP], "palette": [HANGUP, CLOSE], "pane": [STOP, TERM], "leaving": [TERM, TERM],
}  # fmt: skip


def end_by(terminal: Terminal, ways: Sequence[Way]) -> int:
    """The status a shell sees; a second signal may come when the interpreter has left signals to the system again."""
    status = waited_for(terminal, ways)
    return 128 - status if status < 0 else status


def waited_for(terminal: Terminal, ways: Sequence[Way]) -> int:
    for way in ways:
        if way == CLOSE:
            return terminal.close()
        if way == STOP:
            os.kill(terminal.pid, signal.SIGTSTP)
            while not os.WIFSTOPPED(os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)[1]):
                terminal.pump()  # it draws until then
            os.kill(terminal.pid, signal.SIGCONT)
        elif isinstance(way, signal.Signals):
            os.kill(terminal.pid, way)
    return terminal.end()


def statuses(ways: Sequence[Way]) -> set[int]:
    """Any of several that come at once may be heard first."""
    numbers = {way for way in ways if isinstance(way, signal.Signals)} | ({HANGUP} if CLOSE in ways else set())
    return {128 + number for number in numbers}


def check_ended(
    terminal: Terminal, ways: Sequence[Way], env: Mapping[str, str], kept: Sequence[str], *, by_itself: bool = False
) -> None:
    """Whatever ended it, all is kept; `by_itself`: it may have been at its end before anything asked for that."""
    before = None if CLOSE in ways else terminal.modes()
    assert end_by(terminal, ways) in statuses(ways) | ({0} if by_itself else set())
    assert still_running(env[MARK]) == []
    if before is not None:
        assert modes_left(terminal.raw) == []
        assert not terminal.is_raw()
    assert b"Traceback" not in terminal.raw
    assert b"went wrong" not in terminal.raw
    files = b"".join(path.read_bytes() for path in Path(env["KIMI_TUI_DATA_DIR"]).rglob("*") if path.is_file())
    assert [text for text in kept if text.encode() not in files] == []


def check_phase(env: Mapping[str, str], phase: str, ways: Sequence[Way]) -> None:
    go, kept = PHASES[phase]
    with kimi_tui(["--demo"], env) as terminal:
        go(terminal)
        check_ended(terminal, ways, env, kept, by_itself=phase == "leaving")


@pytest.mark.parametrize("phase", SHORT)
def test_whatever_ends_it_nothing_is_lost(env: dict[str, str], phase: str) -> None:
    check_phase(env, phase, SHORT[phase])


@pytest.mark.slow
@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: "-".join(str(getattr(way, "name", way)) for way in ways))
@pytest.mark.parametrize("phase", PHASES)
def test_every_way_in_every_phase(env: dict[str, str], phase: str, ways: Sequence[Way]) -> None:
    check_phase(env, phase, ways)


@pytest.mark.slow
@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: "-".join(str(getattr(way, "name", way)) for way in ways))
def test_every_way_while_a_session_is_opened(tmp_path: Path, env: dict[str, str], ways: Sequence[Way]) -> None:
    write_large(tmp_path)
    with kimi_tui(["--demo", "-r", "large"], env) as terminal:
        opening(terminal)
        check_ended(terminal, ways, env, [EARLY])


def test_a_session_that_is_still_read_is_not_waited_for(tmp_path: Path, env: dict[str, str]) -> None:
    write_large(tmp_path)
    with kimi_tui(["--demo", "-r", "large"], env) as terminal:
        opening(terminal)
        check_ended(terminal, [TERM], env, [EARLY])
        assert terminal.raw.rstrip().endswith(b"-r large")
    (draft,) = (tmp_path / "data" / "sessions").glob(".*.draft")
    assert draft.read_text("utf-8") == EARLY


SLOW_IMPORT = """
import os, sys, time
class Slow:
    def find_spec(self, name, *_):
        if name == "kimi_tui.ui.app.kimi_app":
            while not os.path.exists(os.environ["SAVING"]): time.sleep(0.01)
sys.meta_path.insert(0, Slow())
"""
"""A machine so busy that the program is not there before a file is."""


def drafts(folder: Path) -> list[str]:
    return [path.read_text("utf-8") for path in (folder / "data" / "sessions").glob(".*.draft")]


def wait_for_drafts(terminal: Terminal, folder: Path, *texts: str) -> None:
    end_s = time.monotonic() + 20
    while drafts(folder) != list(texts):
        assert time.monotonic() < end_s, drafts(folder)
        terminal.pump()


def check_comes_back(terminal: Terminal, folder: Path, env: Mapping[str, str]) -> None:
    """After a kill, in the session that is the latest then."""
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.end()
    with kimi_tui(["--demo", "-r"], env) as again:
        again.until("What was being typed when the program ended came back.")
        again.until("│ early words")
        again.send("\x11")
        assert again.end() == 0
    assert drafts(folder) == ["early words"]


def test_what_is_typed_while_it_is_imported_outlives_a_kill(tmp_path: Path, env: dict[str, str]) -> None:
    with running([sys.executable, "-c", SLOW_IMPORT + RUN, "--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("early\x1b[A")
        wait_for_drafts(terminal, tmp_path, "early")
        terminal.send(" words")
        wait_for_drafts(terminal, tmp_path, "early words")
        check_comes_back(terminal, tmp_path, env)


def test_what_is_typed_while_a_session_is_opened_outlives_a_kill(tmp_path: Path, env: dict[str, str]) -> None:
    write_large(tmp_path)
    with kimi_tui(["--demo", "-r", "large"], env) as terminal:
        opening(terminal)
        wait_for_drafts(terminal, tmp_path, EARLY)
        check_comes_back(terminal, tmp_path, env)


@pytest.mark.parametrize("is_sent", [False, True], ids=["left", "sent"])
def test_what_was_kept_early_is_kept_once(tmp_path: Path, env: dict[str, str], is_sent: bool) -> None:
    with running([sys.executable, "-c", SLOW_IMPORT + RUN, "--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("early words")
        wait_for_drafts(terminal, tmp_path, "early words")
        Path(env["SAVING"]).touch()
        terminal.until("○ ready")
        terminal.send("\r" if is_sent else "!")
        if is_sent:
            terminal.until("Thought for")
        wait_for_drafts(terminal, tmp_path, *([] if is_sent else ["early words!"]))
        terminal.send("\x11")
        assert terminal.end() == 0
    assert drafts(tmp_path) == ([] if is_sent else ["early words!"])
    assert len(list((tmp_path / "data" / "sessions").glob("*.toml"))) == 1


def test_killed_while_a_session_is_read_it_leaves_nobody_behind(tmp_path: Path, env: dict[str, str]) -> None:
    write_large(tmp_path)
    with kimi_tui(["--demo", "-r", "large"], env) as terminal:
        opening(terminal)
        assert len(still_running(env[MARK])) == 2, "the program, and what reads for it"
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.end()
        end_s = time.monotonic() + 30
        while still_running(env[MARK]):
            assert time.monotonic() < end_s
            time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("is_left", [False, True], ids=["saving", "leaving"])
@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: "-".join(str(getattr(way, "name", way)) for way in ways))
def test_every_way_while_it_is_saved(env: dict[str, str], ways: Sequence[Way], is_left: bool) -> None:
    with running([sys.executable, "-c", SLOW_DISK + RUN, "--demo"], env) as terminal:
        idle(terminal)
        terminal.send("long\r")
        if is_left:
            terminal.until("Step 1")
            terminal.send("\x11")
        while not Path(env["SAVING"]).exists():
            terminal.pump()
        check_ended(terminal, ways, env, ["long"], by_itself=is_left)


def test_what_was_typed_before_it_was_there_comes_back(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("lamb\rand chop\x7f\x1b[Dps")
        os.kill(terminal.pid, TERM)
        assert terminal.end() == 143
        assert b"Resume with: " in terminal.raw
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("│ and chops")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_it_comes_below_the_draft_of_the_session_that_was_asked_for(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        typing(terminal)
        terminal.send("\x11")
        assert terminal.end() == 0
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("and more")
        os.kill(terminal.pid, HANGUP)
        assert terminal.end() == 129
    (draft,) = (tmp_path / "data" / "sessions").glob(".*.draft")
    assert draft.read_text("utf-8") == f"{HALF}\n\nand more"


def test_stopped_before_the_screen_is_there_it_gives_the_terminal_back(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        os.kill(terminal.pid, signal.SIGTSTP)
        os.waitpid(terminal.pid, os.WUNTRACED)
        while terminal.pump(0.2) and terminal.is_raw():
            pass
        assert modes_left(terminal.raw) == []
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.until("○ ready")
        terminal.send("half a thought")
        terminal.until("half a thought")
        terminal.send("\x11")
        assert terminal.end() == 0


# -- without a screen


def end_command(
    words: Sequence[str], env: Mapping[str, str], until: Callable[[], object], numbers: Sequence[signal.Signals]
) -> tuple[int, bytes, bytes]:
    """Start it, send signals once something holds, and give its status as a shell does, its output and what it told."""
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=dict(env), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        try:
            end_s = time.monotonic() + 30
            while not until():
                assert time.monotonic() < end_s
                assert process.poll() is None
                time.sleep(0.01)
            for number in numbers:
                process.send_signal(number)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    status = process.returncode
    return (128 - status if status < 0 else status), out, err


@pytest.mark.parametrize("number", [TERM, HANGUP, INTERRUPT], ids=lambda number: number.name)
def test_what_gives_the_key_ends_with_whoever_asked_it(
    tmp_path: Path, env: dict[str, str], number: signal.Signals
) -> None:
    begun = tmp_path / "begun"
    script = tmp_path / "key"
    script.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 60\n")
    script.chmod(0o700)
    (tmp_path / "config.toml").write_text(f'[api]\napi_key_command = "{script}"\n')
    status, _, err = end_command(command("ask", "x"), env, begun.exists, [number])
    assert (status, err) == (128 + number, b"")
    assert still_running(env[MARK]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [[], ["--json"], ["--stream-json"]], ids=lambda options: "".join(options) or "plain"
)
@pytest.mark.parametrize(
    "numbers", [[TERM], [HANGUP], [INTERRUPT], [TERM, TERM], [INTERRUPT, TERM], [HANGUP, INTERRUPT]]
)
@pytest.mark.parametrize("phase", ["importing", "waiting", "streaming", "saving"])
def test_every_signal_in_every_phase_of_ask(
    tmp_path: Path, env: dict[str, str], phase: str, numbers: Sequence[signal.Signals], options: Sequence[str]
) -> None:
    env["DEEPINFRA_TOKEN"] = KEY
    pieces = tokens("hm", "</think>", "half\n", " line")[: 0 if phase == "waiting" else 4]
    saving = Path(env["SAVING"])
    with endpoint(Play(pieces, holds=phase != "saving")) as server:
        words = ["ask", "x", "--save", *options, "--base-url", server.url]
        until: Callable[[], object] = {
            "importing": Path(f"{saving}-later").exists,
            "saving": saving.exists,
        }.get(phase, server.is_holding.is_set)
        status, out, err = end_command(
            [sys.executable, "-c", SLOW_DISK + TOLD_IMPORT + RUN, *words], env, until, numbers
        )
    assert status in {128 + number for number in numbers}
    assert b"Traceback" not in err
    assert still_running(env[MARK]) == []
    sessions = list((tmp_path / "data" / "sessions").glob("*.toml"))
    if phase == "streaming" and len(numbers) == 1 and b"half" in out:
        assert b"half" in sessions[0].read_bytes()
