"""Every hostile string in every place, under a pseudo-terminal: shown, never obeyed, and nothing comes to an end.

A place is a way through the real program on which a text of others reaches the terminal. Everything that the program
wrote is looked through: what is left when its own control sequences are taken out may hold no control character, no
bidi control and no tag, and none of its sequences may hold a word of the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import tomli_w

from kimi_tui.core.text.visible import visible
from tests.cli.loopback import Play, endpoint, sse
from tests.terminal import Terminal, kimi_tui

SIGN = "31337"
"""Stands in every sequence that a string brings along, and in none of the program's own."""
STRINGS = {
    "escape": f"\x1b[{SIGN}m\x1b[2J\x1b]2;{SIGN}\x07\x1bP1$q{SIGN}\x1b\\\x1b[?1049l\x1bc",
    "osc 52": f"\x1b]52;c;{SIGN}\x07\x1b]52;c;{SIGN}\x1b\\",
    "osc 8": f"\x1b]8;;https://{SIGN}.example/\x1b\\x\x1b]8;;\x1b\\",
    "c1": f"\x9b{SIGN}m\x9d52;c;{SIGN}\x9c\x90{SIGN}\x9c\x85",
    "c0": "".join(map(chr, (*range(9), *range(11, 32), 127))) + SIGN,
    "bidi": "\u202etxt.exe\u2066x\u2069\u200f\u061c\u202d\u2067",
    "tags": "\U000e0001\U000e0065\U000e0076\U000e007f",
    "zero width": "e\u200bv\u200di\u2060l\ufeff\xad\u180e\u3164",
    "half a pair": "\ud83d x \udc00",
    "long": "W" * 20_000,
    "markup": "[/] [bold] [@click=app.quit]x[/] [link=https://x.example] {x} %s ${x}",
    "lines": "a\r\nb\u2028c\x0bd\x85e\u2029f\rg",
}
QUIET_S = 0.1
"""How long nothing is written before the next key comes, in seconds: one that comes too early waits for its turn."""
OWN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b[=>78]|\x1b\(B")
"""A control sequence of the program. Source: ECMA-48."""
Place = Callable[[str, Path, Mapping[str, str]], bytes]


def leaks(raw: bytes) -> list[str]:
    text = raw.decode("utf-8")  # a half of a pair would make it none
    found = [sequence for sequence in OWN.findall(text) if SIGN in sequence or sequence in {"\x1b]52", "\x1bc"}]
    rest = OWN.sub("", text)
    return found + [char for char in rest if char not in "\r\n\t\x08" and visible(char) != char]


def whole(text: str) -> str:
    """What of it can be encoded."""
    return text.encode("utf-8", "replace").decode()


def file_name(text: str) -> str:
    """What a file can be called of it."""
    return text.replace("/", "").replace("\0", "").encode("utf-8", "replace")[:150].decode("utf-8", "ignore")


def write_session(text: str, folder: Path, name: str) -> None:
    evil = f"{text} [l](https://x.example/{text}) ![{text}](y) `{text}`\n\n```{text}\n{text}\n```\n\n| {text} |\n|-|\n| {text} |\n\n> {text}"
    common = {
        "model": text,
        "finish_reason": text,
        "request_id": text,
        "name": text,
        "sent": {"stop": [text], text: text},
    }
    messages = [
        {"id": "m1", "role": "user", "content": f"{text}\nasked"},
        {"id": "m2", "parent": "m1", "role": "assistant", "content": f"{evil}\n\n{text} said", "reasoning": text, "state": "complete", **common},
    ]  # fmt: skip
    data = {
        "format": "kimi-tui/session", "version": 1, "id": name, "title": f"{text} titled", "model": text, "system": f"{text}\nordered", "tags": [text],
        "settings": {"stop": [text], "preset": text, "response_format": json.dumps({"type": "regex", "regex": text or "x"})}, "messages": messages, text: text, "written_by": text,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data))


def ended(terminal: Terminal) -> bytes:
    """Leave the screen, whatever is open."""
    for keys in ("\x1b", "\x1b", "\x11"):
        terminal.send(keys)
        terminal.rest(quiet_s=QUIET_S) if keys == "\x1b" else None
    assert terminal.end() == 0, terminal.text
    return terminal.raw


def the_screen(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    """Conversation, reasoning, title, file names, all panes, notices, dialogs, palette, help, search, status line."""
    sessions = folder / "data" / "sessions"
    write_session(text, sessions, "x")
    (sessions / f"{file_name(text)}-other.json").write_text("{")
    (folder / "config.toml").write_text(tomli_w.dumps({"ui": {whole(text): 1}}), "utf-8")
    typed = "\x1b[200~" + whole(text).replace("\x1b", "").replace("\n", " ")[:1000] + "\x1b[201~"
    commands = ("nonsense ", f"export {folder}/", "resume ", "set ", "set temperature ", "rename ", "find ")
    lines = [key for command in commands for key in (f"/{command}{typed}\r", "\x15")]
    with kimi_tui(["--demo", "-r", "x"], env) as terminal:
        terminal.until("said")
        terminal.rest(quiet_s=QUIET_S)
        for keys in (
            "\x12", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1bOQ", "\x1b[Z", "\x10", typed, "\x1b", "\x1bOP", typed, "\x1b", "\x1b", "\x06", typed, "\r", "\x1b", "\x1b",
            *lines, f"\x1b[200~{whole(text)}\x1b[201~", "\x15",
        ):  # fmt: skip
            terminal.send(keys)
            terminal.rest(quiet_s=QUIET_S)
        return ended(terminal)


def the_link_dialogs(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    write_session(text, folder / "data" / "sessions", "x")
    session = folder / "data" / "sessions" / "x.json"
    data = json.loads(session.read_text())
    data["messages"][1]["content"] = (
        f"[{text}](<https://x.example/{text}>) https://y.example/{text} [z](<ssh://{text}>)\n\nsaid"
    )
    session.write_text(json.dumps(data))
    with kimi_tui(["--demo", "-r", "x"], env) as terminal:
        terminal.until("said")
        for number in ("", "1", "2", "3"):
            terminal.send("\x15")
            terminal.rest(quiet_s=QUIET_S)
            terminal.send(f"/open-link {number}\r")
            terminal.rest(quiet_s=QUIET_S)
            terminal.send("\x1b")
            terminal.rest(quiet_s=QUIET_S)
        return ended(terminal)


def the_comparison(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    """Two alternatives that differ in text, name, settings and model, and the list of what else can be compared."""
    write_session(text, folder / "data" / "sessions", "x")
    session = folder / "data" / "sessions" / "x.json"
    data = json.loads(session.read_text())
    first = data["messages"][1]
    other = {**first, "id": "m3", "content": f"{text}\nsaid", "name": text, "model": f"{text}2", "sent": {text: [text]}}
    data["messages"].append(other)
    session.write_text(json.dumps(data))
    with kimi_tui(["--demo", "-r", "x"], env) as terminal:
        terminal.until("said")
        terminal.rest(quiet_s=QUIET_S)
        for keys in ("/compare\r", "n", "r", "r", "o", "\x1b"):
            terminal.send(keys)
            terminal.rest(quiet_s=QUIET_S)
        assert b"Compare" in terminal.raw
        return ended(terminal)


def an_error_of_the_endpoint(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    plain = whole(text)
    body = json.dumps({"error": {"message": text}}).encode()
    with endpoint(
        Play([body], status=400, content_type="application/json"),
        Play([plain.encode()], status=500, content_type="text/html"),
    ) as server:
        args = ["--base-url", server.url]
        with kimi_tui(args, {**env, "DEEPINFRA_TOKEN": "sk-1"}) as terminal:
            terminal.until("Message Kimi")
            for word in ("one", "two"):
                terminal.send(f"{word}\r")
                terminal.until("failed")
                terminal.rest(quiet_s=QUIET_S)
                terminal.send("\x15")
            return ended(terminal)


def asked(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    """`ask` on a terminal: answer, reasoning, finish reason, errors."""
    error = Play([json.dumps({"detail": text}).encode()], status=422, content_type="application/json")
    texts = [
        {"text": part, "id": number, "special": False} for number, part in enumerate((text, "</think>", text, "said"))
    ]
    frames = [json.dumps({"token": token, "details": None}) for token in texts]
    frames.append(json.dumps({"token": {"text": "", "special": True}, "details": {"finish_reason": text}}))
    with endpoint(Play(sse(*frames, "[DONE]")), error) as server:
        raw = b""
        for words in (["ask", "--show-reasoning", "x"], ["ask", "x"]):
            with kimi_tui([*words, "--base-url", server.url], {**env, "DEEPINFRA_TOKEN": "sk-1"}) as terminal:
                terminal.end()
                raw += terminal.raw
        return raw


def commands(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    """What the commands without a screen list, tell and refuse."""
    sessions = folder / "data" / "sessions"
    write_session(text, sessions, "x")
    (sessions / f"{file_name(text)}-other.json").write_text("{")
    config = folder / f"{file_name(text)}.toml"
    key = whole(text)
    config.write_text(tomli_w.dumps({"ui": {key: key, "theme": key}, "api": {"base_url": key}}), "utf-8")
    word = whole(text).replace("\0", "")[:5000]
    raw = b""
    for words in (
        ["sessions", "list"], ["sessions", "export", "x"], ["sessions", "export", "x", "--format", "json"], ["sessions", "export", f"nothing {word}"], ["sessions", "convert", f"/nowhere/{word}.json", "--to", "toml"],
        ["prompt", "x"], ["prompt", f"/nowhere/{word}"], ["config", "check", "-c", str(config)], ["config", "show", "-c", str(config)], ["--theme", word, "--demo"], ["-r", f"nothing {word}", "--demo"], [f"--{word}"],
        ["ask", "x", "--set", f"{word}=1"], ["ask", "x", "--set", f"temperature={word}"], ["ask", "x", "--preset", word], ["ask", "x", "--regex", f"({word}"], ["ask", "x", "--base-url", word, "--demo"],
    ):  # fmt: skip
        with kimi_tui(words, {**env, "DEEPINFRA_TOKEN": "sk-1"}) as terminal:
            status = terminal.end()
            assert status in {0, 1, 2}, (words, terminal.text)
            assert b"Traceback" not in terminal.raw
            assert b"unexpected" not in terminal.raw, terminal.text
            raw += terminal.raw
    return raw


def a_key_command(text: str, folder: Path, env: Mapping[str, str]) -> bytes:
    """The words of another program that failed."""
    said = folder / "said"
    said.write_bytes(text.encode("utf-8", "replace"))
    (folder / "config.toml").write_text(f"[api]\napi_key_command = \"sh -c 'cat {said} >&2; exit 3'\"\n")
    with kimi_tui(["ask", "x"], env) as terminal:
        assert terminal.end() == 2
        assert b"ended with status 3" in terminal.raw
        return terminal.raw


PLACES: dict[str, Place] = {
    place.__name__.replace("_", " "): place
    for place in (
        the_screen,
        the_link_dialogs,
        the_comparison,
        an_error_of_the_endpoint,
        asked,
        commands,
        a_key_command,
    )
}
ALL = "\n".join(text for name, text in STRINGS.items() if name not in {"long", "lines"})
"""Most of them at once, for the short form."""


@pytest.mark.parametrize("place", PLACES)
def test_no_place_lets_anything_through(tmp_path: Path, env: dict[str, str], place: str) -> None:
    assert leaks(PLACES[place](ALL, tmp_path, env)) == []


@pytest.mark.slow
@pytest.mark.parametrize("string", STRINGS)
@pytest.mark.parametrize("place", PLACES)
def test_every_string_in_every_place(tmp_path: Path, env: dict[str, str], place: str, string: str) -> None:
    assert leaks(PLACES[place](STRINGS[string], tmp_path, env)) == []


@pytest.mark.parametrize("string", sorted(set(STRINGS) - {"long", "markup"}))
def test_a_leak_would_be_seen(string: str) -> None:
    text = STRINGS[string].encode("utf-8", "replace").decode()
    assert leaks(b"\x1b[1mbefore " + text.encode() + b" after\x1b[0m") or string == "half a pair"
