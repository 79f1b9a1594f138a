"""The real program under a pseudo-terminal: talk, stop, leave, resume; and nothing foreign reaches the terminal raw."""

from __future__ import annotations

import json
import os
import re
import signal
import tomllib
from pathlib import Path

import pytest

from tests.terminal import kimi_tui

SEQUENCE = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def only_session(tmp_path: Path) -> dict[str, object]:
    (path,) = (tmp_path / "data" / "sessions").glob("*.toml")
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 20)])
def test_a_conversation_goes_on_after_leaving(tmp_path: Path, env: dict[str, str], columns: int, rows: int) -> None:
    with kimi_tui(["--demo"], env, columns, rows) as terminal:
        terminal.until("Message Kimi")
        terminal.send("my name is Ada\r")
        terminal.until("or tour for all of them")
        terminal.until("○ ")
        terminal.send("half a thought")
        terminal.until("half a thought")
        terminal.send("\x11")
        assert terminal.end() == 0
        assert b"Resume with: " in terminal.raw
    with kimi_tui(["--demo", "-r"], env, columns, rows) as terminal:
        terminal.until("half a thought")
        terminal.send("\x7f" * len("half a thought"))
        terminal.until("Message Kimi")
        terminal.send("what is my name\r")
        terminal.until("Your name is Ada")
        terminal.until("Thought for")
        terminal.send("\x04")
        assert terminal.end() == 0
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2


def test_stopping_keeps_what_arrived(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("long\r")
        terminal.until("Step 1")
        terminal.send("\x1b")
        terminal.until("(stopped)")
        terminal.send("/quit\r")
        assert terminal.end() == 0
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[1]["state"] == "cancelled"
    assert "Step 1" in messages[1]["content"]


def test_a_failure_brings_the_text_back(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("funds\r")
        terminal.until("The account has no funds")
        terminal.until("Your text is back in the composer")
        terminal.send(" and hello\r")
        terminal.until("2/2")
        terminal.until("The account has no funds")
        terminal.until("│ funds and hello")
        terminal.until("○ failed")
        terminal.send("\x03")
        terminal.until("once more quits")
        terminal.send("\x03")
        assert terminal.end() == 0
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert [message.get("parent") for message in messages] == [None] * len(messages)


@pytest.mark.parametrize("is_there", [False, True], ids=["unknown", "broken"])
def test_a_theme_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, env: dict[str, str], is_there: bool) -> None:
    (tmp_path / "config.toml").write_text('[ui]\ntheme = "pink"\n')
    if is_there:
        (tmp_path / "themes").mkdir()
        (tmp_path / "themes" / "pink.toml").write_text('[colors]\nprimary = "red"\n')
    with kimi_tui(["--demo"], env, 200) as terminal:
        terminal.until("config.toml:2: ui.theme:")
        terminal.until("Message Kimi")
        assert terminal.text.count("pink") == (2 if is_there else 1)
        terminal.send("\x11")
        assert terminal.end() == 0


def test_without_a_key_it_says_how_to_go_on(env: dict[str, str]) -> None:
    with kimi_tui([], env) as terminal:
        terminal.until("DEEPINFRA_TOKEN")
        terminal.until("--demo")
        terminal.send("hello\r")
        terminal.until("Nothing was sent")
        terminal.until("│ hello")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_commands_and_help(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("/them")
        terminal.until("/theme [NAME]")
        terminal.send("\tkimi-light\r")
        terminal.until_gone("/theme")
        terminal.send("/nonsense\r")
        terminal.until("There is no command /nonsense")
        terminal.until("│ /nonsense")
        terminal.send("\x15")
        terminal.until("Message Kimi")
        terminal.send("/set temperature 500\r")
        terminal.until("allowed a number in [0, 100]")
        terminal.until("│ /set temperature 500")
        terminal.send("\x15")
        terminal.until("Message Kimi")
        terminal.send("/think off\r")
        terminal.until("instant")
        terminal.send("\x1bOP")
        terminal.until("Escape closes")
        terminal.send("\x1b")
        terminal.until_gone("Escape closes")
        terminal.send("\x10")
        terminal.until("Search for commands")
        terminal.send("\x1b")
        terminal.until_gone("Search for commands")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_foreign_text_never_reaches_the_terminal_raw(tmp_path: Path, env: dict[str, str]) -> None:
    evil = "\x1b]52;c;ZXZpbA==\x07\x1b]2;evil\x07\x9b?1049l\u202e [/] [bold]"
    folder = tmp_path / "data" / "sessions"
    folder.mkdir(parents=True)
    messages = [
        {"id": "m1", "role": "user", "content": evil},
        {"id": "m2", "parent": "m1", "role": "assistant", "content": f"{evil}\n\n```{evil}\n{evil}\n```", "reasoning": evil, "finish_reason": evil},
    ]  # fmt: skip
    data = {"format": "kimi-tui/session", "version": 1, "id": "x", "title": evil, "model": evil, "messages": messages}
    (folder / "x.json").write_text(json.dumps(data))
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("[bold]")
        terminal.send("\x12")
        terminal.until("│ ")
        terminal.send(
            f"/rename {evil.replace(chr(27), '')}\r/set {evil[:4].replace(chr(27), '')} 1\r/resume nothing [/]\r"
        )
        terminal.until("nothing [/]")
        terminal.send("\x15\x11")
        assert terminal.end() == 0
        shown = terminal.raw.split(b"Resume with")[0]
    assert not [match for match in SEQUENCE.findall(shown) if b"52;" in match or b"evil" in match]
    assert b"\xc2\x9b" not in shown
    assert "\u202e".encode() not in shown
    assert shown.count(b"\x1b[?1049l") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_keeps_the_reply_and_the_draft(tmp_path: Path, env: dict[str, str], number: signal.Signals) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("long\r")
        terminal.until("Step 1")
        terminal.send("half a thought")
        terminal.until("half a thought")
        os.kill(terminal.pid, number)
        assert terminal.end() == 128 + number
        assert terminal.raw.rstrip().count(b"\x1b[?1049l") == 1
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[1]["state"] == "cancelled"
    assert "Step 1" in messages[1]["content"]
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("half a thought")


def test_a_hangup_that_was_to_be_ignored_is_until_the_terminal_is_gone(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env, ignored=[signal.SIGHUP]) as terminal:
        terminal.until("Message Kimi")
        os.kill(terminal.pid, signal.SIGHUP)
        terminal.send("long\r")
        terminal.until("Step 1")
        terminal.send("half a thought")
        terminal.until("half a thought")
        terminal.close()
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[1]["state"] == "cancelled"
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("half a thought")


def test_a_draft_in_a_new_session_can_be_gone_on_with(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("my precious draft")
        terminal.until("my precious draft")
        terminal.send("\x11")
        assert terminal.end() == 0
        assert b"Resume with: " in terminal.raw
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("my precious draft")


def test_keys_in_one_burst_go_where_the_focus_goes(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("what did I say first?")
        terminal.until("○ ")
        terminal.send("\x06welcome\r")
        terminal.until("1/1")
        terminal.send("\x1bOQ/nothing like it")
        terminal.until("/ nothing like it")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_a_search_begun_before_the_session_is_there_gets_what_is_typed(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("what did I say first?")
        terminal.until("○ ")
        terminal.send("\x11")
        assert terminal.end() == 0
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.send("half\x06welcome\r")
        terminal.until("1/1")
        terminal.until("│ half ")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_what_is_typed_before_the_first_frame_is_sent(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.send("hello\rnext")
        terminal.until("what did I say first?")
        terminal.until("│ next")
        terminal.send("\x11")
        assert terminal.end() == 0
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[0]["content"] == "hello"


def test_a_byte_of_another_encoding_is_no_end(env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        os.write(terminal._fd, b"caf\xe9 au lait")
        terminal.until("au lait")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_a_session_that_cannot_be_read_is_named_when_another_is_resumed(tmp_path: Path, env: dict[str, str]) -> None:
    folder = tmp_path / "data" / "sessions"
    folder.mkdir(parents=True)
    (folder / "cut.toml").write_text('format = "kimi-tui/session"\ntitle = ')
    with kimi_tui(["--demo", "-r"], env) as terminal:
        assert terminal.end() == 2
        assert b"cut.toml cannot be read" in terminal.raw
        assert b"no session yet" not in terminal.raw
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("/resume\r")
        terminal.until("cannot be read")
        terminal.send("table\r")
        terminal.until("Columns may stand")
        terminal.until("○ ")
        terminal.send("\x11")
        assert terminal.end() == 0
    for argument in ("-r", "-r=tab"):
        with kimi_tui(["--demo", argument], env, 200) as terminal:
            terminal.until("cut.toml")
            terminal.until("cannot be read")
            terminal.send("\x11")
            assert terminal.end() == 0


def test_answers_to_one_thought_outlive_a_kill(tmp_path: Path, env: dict[str, str]) -> None:
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("/answers 3 next\r")
        terminal.until("3 answers to one thought")
        terminal.send("long\r")
        terminal.until("3 side by side")
        terminal.until("Step 3")
        terminal.send("\x1b[Z\x1b[C")
        terminal.until("2/3")
        terminal.until("taken from another reply")
        terminal.until("Step 6")
        os.kill(terminal.pid, signal.SIGKILL)
    with kimi_tui(["--demo", "-r"], env) as terminal:
        terminal.until("(interrupted)")
        terminal.until("1/3")
        terminal.send("\x11")
        assert terminal.end() == 0
    messages = only_session(tmp_path)["messages"]
    assert isinstance(messages, list)
    question, *answers = messages
    assert [(answer["parent"], answer["state"]) for answer in answers] == [(question["id"], "interrupted")] * 3
    assert len({answer["reasoning"] for answer in answers}) == 1
    assert len({answer["content"][:12] for answer in answers}) == 3
    assert all("Step 4" in answer["content"] for answer in answers)
