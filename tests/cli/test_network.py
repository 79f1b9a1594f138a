"""The way to the endpoint through the whole of `ask`: what is wrong on it is said, with the key on none of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.cli.calls import KEY, ROOT, Result, call, start
from tests.cli.loopback import Play, document, endpoint, tokens
from tests.terminal import kimi_tui
from tests.tls import AUTHORITY, OK, Server, listening, read_request, tls_server, tunnel

WHOLE = OK + b"".join(tokens("</think>", "Lamb."))


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KIMI_TUI_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("[api]\nretries = 0\n")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def refused(result: Result) -> str:
    """What a refused call said."""
    assert (result.status, result.out) == (1, "")
    assert KEY not in result.err
    assert "Traceback" not in result.err
    first, *more, end = result.err.split("\n")
    assert first.startswith("kimi-tui: The ")
    assert len(first) <= 80
    assert more
    assert all(line.startswith("  ") for line in more)
    assert end == ""
    return result.err


def test_an_ipv6_address() -> None:
    def handle(connection: socket.socket, running: Server) -> None:
        running.received.append(read_request(connection))
        connection.sendall(WHOLE)

    with listening(handle, "::1") as endpoint:
        result = call("ask", "x", "--base-url", f"http://[::1]:{endpoint.port}")
    assert (result.status, result.out, result.err) == (0, "Lamb.\n", "")
    assert endpoint.received[0].startswith(b"POST /moonshotai/Kimi-K2.5 HTTP/1.1\r\n")


def test_an_ipv6_address_on_the_screen(env: dict[str, str]) -> None:
    def handle(connection: socket.socket, running: Server) -> None:
        running.received.append(read_request(connection))
        connection.sendall(WHOLE)

    with (
        listening(handle, "::1") as endpoint,
        kimi_tui(
            ["--base-url", f"http://[::1]:{endpoint.port}"],
            {**env, "DEEPINFRA_TOKEN": KEY, "PYTHONPATH": str(ROOT), "NO_PROXY": "::1"},
        ) as terminal,
    ):
        terminal.until("Enter send")
        terminal.send("Lamb?\r")
        terminal.until("Lamb.")
        terminal.send("\x11")
        assert terminal.end() == 0
    assert endpoint.received[0].startswith(b"POST /moonshotai/Kimi-K2.5 HTTP/1.1\r\n")


SLEEP = """
import os, sys, time
from kimi_tui.engine import silence
silence.WAKE_S, real, begun = 0.5, time.clock_gettime, os.path.exists
def clock_gettime(clock):
    return real(clock) + 3600 * (clock == time.CLOCK_BOOTTIME and begun(os.environ["SLEPT"]))
time.clock_gettime = clock_gettime
from kimi_tui.__main__ import run
run()
"""
"""A machine that has slept for an hour once a file is there: only the clock that counts sleep has gone on."""


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock here counts the machine's sleep")
def test_a_machine_that_slept_keeps_what_came_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = tmp_path / "slept"
    monkeypatch.setenv("SLEPT", str(slept))
    with endpoint(Play(tokens("hm", "</think>", "half ")[:3], holds=True)) as server:
        argv = [sys.executable, "-c", SLEEP, "ask", "x", "--save", "--base-url", server.url]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.read(4) == "half"
                slept.touch()
                _, err = process.communicate(timeout=30)
            finally:
                process.kill()
    assert process.returncode == 1
    assert "slept" in err
    (path,) = (tmp_path / "data" / "sessions").glob("*.toml")
    reply = tomllib.loads(path.read_text("utf-8"))["messages"][1]
    assert (reply["state"], reply["reasoning"], reply["content"]) == ("interrupted", "hm", "half ")


def test_an_authority_of_one_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(answer=WHOLE) as endpoint:
        words = refused(call("ask", "x", "--base-url", f"https://{endpoint.host}/v1"))
        assert "certificate is not trusted; nothing was sent." in words
        assert "SSL_CERT_FILE=FILE" in words
        assert endpoint.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
        result = call("ask", "x", "--base-url", f"https://{endpoint.host}/v1")
    assert (result.status, result.out) == (0, "Lamb.\n")


@pytest.mark.parametrize(("certificate", "words"), [("elsewhere", "is for another host"), ("expired", "has expired")])
def test_a_certificate_that_is_not_right(monkeypatch: pytest.MonkeyPatch, certificate: str, words: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    with tls_server(certificate) as endpoint:
        assert words in refused(call("ask", "x", "--base-url", f"https://{endpoint.host}/v1"))
        assert endpoint.received == []


def test_a_redirect_is_told_and_the_key_goes_nowhere() -> None:
    with listening(lambda _, running: running.received.append(b"asked")) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/there"

        def handle(connection: socket.socket, _running: Server) -> None:
            read_request(connection)
            connection.sendall(f"HTTP/1.1 307 X\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n".encode())

        with listening(handle) as endpoint:
            words = refused(call("ask", "x", "--base-url", f"http://{endpoint.host}"))
        assert elsewhere.received == []
    assert target in words
    assert "not followed" in words


@pytest.mark.parametrize("no_proxy", ["", "127.0.0.0/8"])
def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with tls_server(answer=WHOLE) as endpoint:

        def handle(connection: socket.socket, running: Server) -> None:
            asked = read_request(connection)
            running.received.append(asked)
            if b"roxy-" not in asked:
                connection.sendall(b"HTTP/1.1 407 Who\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 Here\r\n\r\n")
            tunnel(connection, ("127.0.0.1", endpoint.port))

        with listening(handle) as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{way.host}")
            url = f"https://{endpoint.host}/v1"
            if not no_proxy:
                assert "(HTTP 407); nothing was sent." in refused(call("ask", "x", "--base-url", url))
                monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush-hush@{way.host}")
            result = call("ask", "x", "--base-url", url, "--json")
    assert (result.status, result.json["content"]) == (0, "Lamb.")
    assert len(way.received) == (0 if no_proxy else 2)
    assert not any(KEY.encode() in asked for asked in way.received)
    assert "hush-hush" not in result.out + result.err


def test_an_unstreamed_reply_of_fifty_megabytes() -> None:
    text = "</think>" + "lamb b\r\n" * 5_000_000
    (body,) = document(text).chunks

    def handle(connection: socket.socket, _running: Server) -> None:
        read_request(connection)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with listening(handle) as endpoint:
        result = call("ask", "x", "--set", "stream=false", "--base-url", f"http://{endpoint.host}")
    assert (result.status, result.err) == (0, "")
    assert result.out == text.removeprefix("</think>")


def test_ctrl_c_calls_the_next_attempt_off(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[api]\nretries = 3\n")

    def handle(connection: socket.socket, running: Server) -> None:
        running.received.append(read_request(connection))
        body = json.dumps({"error": "busy"}).encode()
        connection.sendall(f"HTTP/1.1 429 X\r\nretry-after: 25\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)

    with listening(handle) as endpoint, start("ask", "x", "--base-url", f"http://{endpoint.host}") as process:
        assert process.stderr is not None
        told = b""
        while b"Trying again in 25.0 s (2 of 4)." not in told:
            piece = os.read(process.stderr.fileno(), 4096)
            assert piece, told
            told += piece
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=15)  # less than the pause
    assert (process.returncode, out, len(endpoint.received)) == (130, b"", 1)
    assert told.startswith(b"kimi-tui: Too many requests, or a busy model (HTTP 429: busy).\n")


SLOW_NAMES = """
import socket, sys, time
from kimi_tui.cli import main

def slow(*_, **__):
    print("asked", flush=True)
    time.sleep(60)

socket.getaddrinfo = slow
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_does_not_wait_for_a_name_that_nobody_answers_for() -> None:
    words = [sys.executable, "-c", SLOW_NAMES, "ask", "x", "--base-url", "https://api.nowhere.example/v1"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"asked\n"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)  # less than the lookup takes
        finally:
            process.kill()
    assert (process.returncode, err) == (130, b"")
