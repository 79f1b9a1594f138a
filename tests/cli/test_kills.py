"""kill -9 at any moment: what the endpoint had sent a second before is kept, what was typed two seconds before too.

Real processes, a real terminal, a paced endpoint; the files are read by other parsers than ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calls import KEY, ROOT, command
from tests.cli.loopback import Endpoint, Play, tokens
from tests.terminal import Terminal, kimi_tui

TOKEN_S = 0.01
LOST_S, LOST_DRAFT_S = 1.0, 2.0
"""How old what is lost may be, in seconds."""
KILLS, SLOW_KILLS = 4, 100
"""How often each way of asking is killed."""
THINK_END = "</think>"


class Paced(Endpoint):
    """Streams a reply of its own for each request, a token every `TOKEN_S`, and notes when."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__([Play([])])
        self._chance = chance
        self.sent: list[list[tuple[float, str]]] = []
        """For each request, every token with the moment when it was sent."""

    async def _send(self, play: Play, writer: asyncio.StreamWriter) -> None:
        number, count = len(self.received) - 1, self._chance.choice([20, 80, 200, 400])
        thought = count // 4
        texts = [f"r{number}t{place} " for place in range(count)]
        texts.insert(thought, THINK_END)
        log = list[tuple[float, str]]()
        self.sent.append(log)
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        chunks = tokens(*texts)
        for place, chunk in enumerate(chunks):
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()
            if place < len(texts):
                log.append((time.monotonic(), texts[place]))
            await asyncio.sleep(TOKEN_S)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def text(self, number: int, before_s: float) -> tuple[str, str]:
        """What had been sent of a reply before a moment: reasoning and answer."""
        joined = "".join(text for sent_s, text in self.sent[number] if sent_s < before_s)
        reasoning, _, answer = joined.partition(THINK_END)
        return reasoning, answer


class Place:
    """A folder of sessions that survives many programs."""

    def __init__(self, folder: Path, endpoint: Paced) -> None:
        self.folder, self.endpoint = folder, endpoint
        self.argv = ["--data-dir", str(folder), "--base-url", endpoint.url]
        self.known: dict[str, dict[str, Any]] = {}
        """What the messages of earlier programs were, by their session's and their own id."""
        self.kills = list[float]()
        """When the program of each request was killed."""

    def check(self, killed_s: float) -> None:
        """Recover, and compare what is there with what has to be."""
        listed = subprocess.run(
            command(*self.argv[:2], "sessions", "list", "--json"), capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert listed.returncode == 0, listed.stderr
        assert "cannot be read" not in listed.stderr
        sessions = self.sessions()
        assert {session["id"] for session in json.loads(listed.stdout)} == set(sessions)
        now = {f"{id_} {m['id']}": m for id_, session in sessions.items() for m in session["messages"]}
        assert {key: now.get(key) for key in self.known} == self.known, "what was there has changed"
        self.known = now
        replies = [message for message in now.values() if message["role"] == "assistant"]
        questions = [message["content"] for message in now.values() if message["role"] == "user"]
        assert len(set(questions)) == len(questions), "doubled"
        self.kills += [killed_s] * (len(self.endpoint.sent) - len(self.kills))
        for number, moment_s in enumerate(self.kills):
            self.check_reply(number, [m for m in replies if f"r{number}t0 " in m.get("reasoning", "")], moment_s)
        assert not list(self.folder.rglob(".*.journal*"))

    def check_reply(self, number: int, found: list[dict[str, Any]], killed_s: float) -> None:
        least, most = (self.endpoint.text(number, before_s) for before_s in (killed_s - LOST_S, float("inf")))
        assert len(found) <= 1, "doubled"
        got = (found[0].get("reasoning", ""), found[0]["content"]) if found else ("", "")
        for had, has, could in zip(least, got, most, strict=True):
            assert has.startswith(had), f"lost {len(had) - len(has)} characters of reply {number}"
            assert could.startswith(has)
        if found:
            assert found[0]["state"] == "complete" or found[0]["state"] == "interrupted"

    def sessions(self) -> dict[str, dict[str, Any]]:
        found = {}
        for path in (self.folder / "sessions").glob("*.toml"):
            if not path.name.startswith("."):
                session = tomllib.loads(path.read_text("utf-8"))
                found[session["id"]] = session
        return found

    def drafts(self) -> list[str]:
        return [path.read_text("utf-8") for path in (self.folder / "sessions").glob(".*.draft")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Place]:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    endpoint = Paced(random.Random(request.node.name))
    with endpoint:
        yield Place(tmp_path / "data", endpoint)


def kill_ask(place: Place, chance: random.Random, number: int) -> None:
    """Ask in a new session or in one that is there, and kill it at any moment from its start on."""
    known = sorted(place.sessions())
    way = ["--session", chance.choice(known)] if known and chance.random() < 0.6 else ["--save"]
    argv = command(*place.argv, "ask", *way, f"Question {number}?")
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=ROOT) as process:
        if chance.random() < 0.8:
            wait_for_request(place, number)
        time.sleep(chance.uniform(0, 2.5))
        process.kill()
        killed_s = time.monotonic()
    place.check(killed_s)


def wait_for_request(place: Place, number: int) -> None:
    """Wait until the endpoint has begun to answer one more, or long enough."""
    before, end_s = len(place.endpoint.sent), time.monotonic() + 5
    while len(place.endpoint.sent) == before and time.monotonic() < end_s:
        time.sleep(0.01)


def kill_screen(place: Place, chance: random.Random, number: int) -> None:
    """Ask on the screen, type on while the reply comes, and kill it."""
    known = sorted(place.sessions())
    way = ["-r", chance.choice(known)] if known and chance.random() < 0.5 else []
    env = {key: value for key, value in os.environ.items() if key not in {"TERM", "COLORTERM", "LANG"}}
    with kimi_tui([*place.argv, *way], {**env, "PYTHONPATH": str(ROOT)}) as terminal:
        terminal.until("Enter send")
        before = len(place.endpoint.sent)
        terminal.send(f"Question {number}?\r")
        end_s = time.monotonic() + 10
        while len(place.endpoint.sent) == before and time.monotonic() < end_s:
            terminal.pump(0.01)
        typed = type_for(terminal, chance.uniform(0, 4), f"draft{number}")
        os.kill(terminal.pid, signal.SIGKILL)
        killed_s = time.monotonic()
    least = "".join(letter for typed_s, letter in typed if typed_s < killed_s - LOST_DRAFT_S)
    place.check(killed_s)
    if least:
        assert any(least in draft for draft in place.drafts()), f"lost {least!r}: {place.drafts()}"
    assert not any("Question" in draft for draft in place.drafts()), "doubled"


def type_for(terminal: Terminal, seconds: float, word: str) -> list[tuple[float, str]]:
    """Type letters while the time goes by; each with its moment."""
    end_s, typed = time.monotonic() + seconds, list[tuple[float, str]]()
    while time.monotonic() < end_s:
        letter = word[len(typed)] if len(typed) < len(word) else chr(ord("a") + len(typed) % 26)
        terminal.send(letter)
        typed.append((time.monotonic(), letter))
        pause_s = time.monotonic() + 0.1
        while time.monotonic() < pause_s:
            terminal.pump(0.02)
    return typed


@pytest.mark.parametrize("kill", [kill_ask, kill_screen])
@pytest.mark.parametrize(
    "count", [pytest.param(KILLS, id="some"), pytest.param(SLOW_KILLS, id="many", marks=pytest.mark.slow)]
)
def test_a_kill_at_any_moment_loses_a_second_at_most(place: Place, kill: Any, count: int) -> None:
    chance = random.Random(f"{kill.__name__} {count}")
    for number in range(count):
        kill(place, chance, number)
