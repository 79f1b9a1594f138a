from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.cli import main
from kimi_tui.core.session.session import MessageState
from tests.cli.calls import KEY, ROOT, call, command, run_python, start
from tests.cli.loopback import Play, endpoint, tokens

HALF = tokens("thinking", "</think>", "half\n", " line")[:4]


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    assert process.stdout is not None
    found = b""
    while text not in found:
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, found
        found += piece
    return found


def saved_reply(tmp_path: Path) -> tuple[str, MessageState | None]:
    store = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    last = store.read_only(store.find(None)).messages[-1]
    return last.content, last.state


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_keeps_what_was_printed_and_saves_it(tmp_path: Path, number: int, status: int) -> None:
    with (
        endpoint(Play(HALF, holds=True)) as server,
        start("ask", "x", "--save", "--base-url", server.url) as process,
    ):
        first = read_until(process, b"line")
        process.send_signal(number)
        rest, err = process.communicate(timeout=20)
    assert (process.returncode, first + rest) == (status, b"half\n line")
    assert b"Traceback" not in err
    assert saved_reply(tmp_path) == ("half\n line", MessageState.CANCELLED)


def test_a_terminal_that_says_twice_that_it_closes_loses_nothing(tmp_path: Path) -> None:
    with (
        endpoint(Play(HALF, holds=True)) as server,
        start("ask", "x", "--save", "--base-url", server.url) as process,
    ):
        read_until(process, b"line")
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGHUP):
            process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == 129
    assert saved_reply(tmp_path) == ("half\n line", MessageState.CANCELLED)


def test_ctrl_c_twice_ends_at_once_and_leaves_a_session_that_loads(tmp_path: Path) -> None:
    with (
        endpoint(Play(HALF, holds=True)) as server,
        start("ask", "x", "--save", "--base-url", server.url) as process,
    ):
        read_until(process, b"line")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert saved_reply(tmp_path) in [("half\n line", MessageState.CANCELLED), ("x", None)]


def test_a_hangup_that_was_to_be_ignored_is(tmp_path: Path) -> None:
    words = ["nohup", *command("ask", "x", "--save")]
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    with (
        endpoint(Play(HALF, holds=True)) as server,
        subprocess.Popen([*words, "--base-url", server.url], stdin=none, stdout=pipe, stderr=pipe, cwd=ROOT) as process,
    ):
        read_until(process, b"line")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 143
    assert saved_reply(tmp_path) == ("half\n line", MessageState.CANCELLED)


def test_an_output_that_is_full_stops_the_turn_and_keeps_it(tmp_path: Path) -> None:
    with endpoint(Play(HALF, holds=True)) as server, open("/dev/full", "wb") as full:
        words = command("ask", "x", "--save", "--base-url", server.url)
        result = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT, timeout=20)
    assert result.returncode == 1
    assert b"No space left" in result.stderr
    assert saved_reply(tmp_path)[1] is MessageState.CANCELLED


def test_ctrl_c_with_json_prints_the_object() -> None:
    with (
        endpoint(Play(HALF, holds=True)) as server,
        start("ask", "x", "--stream-json", "--base-url", server.url) as process,
    ):
        first = read_until(process, b"line")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    last = (first + rest).splitlines()[-1]
    assert b'"type": "done"' in last
    assert b'"state": "cancelled"' in last


def test_ctrl_c_before_anything_came() -> None:
    with (
        endpoint(Play([], holds=True)) as server,
        start("ask", "x", "--json", "--base-url", server.url) as process,
    ):
        assert server.is_holding.wait(20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b'"state": "cancelled"' in out
    assert err == b""


def test_a_broken_pipe_is_silent() -> None:
    with (
        endpoint(Play(tokens("</think>", *["line\n"] * 20_000))) as server,
        start("ask", "x", "--base-url", server.url) as process,
    ):
        read_until(process, b"line")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.stderr.close()
        process.wait(20)
    assert (process.returncode, err) == (0, b"")


def test_a_full_disk_is_told_without_a_traceback() -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command("sessions", "path"), stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT)
    assert result.returncode == 1
    assert result.stderr.count(b"\n") == 1


def test_closed_streams_do_no_harm() -> None:
    words = " ".join(command("sessions", "list"))
    result = subprocess.run(f"{words} <&- >&- 2>&-", shell=True, check=False, cwd=ROOT)
    assert result.returncode == 0


def test_what_nobody_expected_gives_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from kimi_tui.cli import sessions_command  # noqa: PLC0415

    def explode(*_: object) -> int:
        raise RuntimeError(f"holds {KEY}")

    monkeypatch.setattr(sessions_command, "run", explode)
    result = call("sessions", "list")
    assert (result.status, result.out) == (1, "")
    assert "RuntimeError" in result.err
    assert KEY not in result.err


def test_keyboard_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    from kimi_tui.cli import sessions_command  # noqa: PLC0415

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(sessions_command, "run", interrupt)
    assert call("sessions", "list").status == 130


@pytest.mark.parametrize(
    "words", [["ask", "x"], ["prompt", "-"], ["sessions", "list"], ["config", "show"]], ids=lambda words: words[0]
)
def test_no_command_loads_the_screen(words: list[str]) -> None:
    with endpoint(Play(tokens("</think>", "ok"))) as server:
        code = (
            "import sys; from kimi_tui.cli import main; main(sys.argv[1:]); "
            "print(); print([m for m in ('textual', 'kimi_tui.ui') if m in sys.modules])"
        )
        out = run_python(code, *words, "--base-url", server.url)
    assert out.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_demo_server_tells_its_address_and_stops(number: int, status: int) -> None:
    with start("demo-server", "--port", "0") as process:
        address = read_until(process, b"\n")
        assert address.startswith(b"http://127.0.0.1:")
        for path in ("", "/v1/inference"):
            base = f"{address.decode().strip()}{path}"
            answer = call("ask", "hello", "--base-url", base, "--set", "max_new_tokens=9")
            assert answer.status == 0, answer.err
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (status, b"")


def test_an_interrupt_while_the_program_is_still_read_is_quiet() -> None:
    code = (
        "import signal, sys, os; from importlib.abc import MetaPathFinder\n"
        "class Late(MetaPathFinder):\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'kimi_tui.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Late()); from kimi_tui.__main__ import run; run()"
    )
    process = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, check=False, cwd=ROOT)
    assert (process.returncode, process.stdout, process.stderr) == (130, b"", b"")


def test_main_never_raises() -> None:
    assert main(["\ud800"]) == 2
