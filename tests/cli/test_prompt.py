from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.text.surrogates import replace_lone
from tests.cli.calls import call, run_python

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
OPEN = "<|im_assistant|>assistant<|im_middle|>"


def system(text: str) -> str:
    return f"<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>{text}<|im_end|>"


def user(text: str) -> str:
    return f"<|im_user|>ChatMessageRole.USER<|im_middle|>{text}<|im_end|>"


def assistant(text: str) -> str:
    return f"{OPEN}<think></think>{text}<|im_end|>"


def make_session(**more: object) -> Session:
    messages = (
        Message("m1", Role.USER, "Hi\r\n", created=NOW),
        Message("m2", Role.ASSISTANT, "Hello!", parent="m1", reasoning="greet", created=NOW),
    )
    values = {"id": "20261123-081500-aaaa", "created": NOW, "updated": NOW, "model": "m", "title": "Greeting",
              "head": "m2", "messages": messages, **more}  # fmt: skip
    return Session(**values)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFiles:
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    return SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")


LIST = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi\n"},
    {"role": "assistant", "content": "Hello!", "reasoning": "greet"},
    {"role": "user", "content": " bye "},
]
LIST_TURNS = system("Be kind.") + user("Hi\n") + assistant("Hello!") + user(" bye ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], LIST_TURNS + OPEN + "<think>"),
        (["--no-think"], LIST_TURNS + OPEN + "<think></think>"),
        (
            ["--template", "kimi"],
            LIST_TURNS.replace("ChatMessageRole.SYSTEM", "system").replace("ChatMessageRole.USER", "user")
            + OPEN
            + "<think>",
        ),
    ],
    ids=["plain", "instant", "kimi"],
)
def test_a_list_of_messages(tmp_path: Path, words: list[str], expected: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(LIST))
    assert call("prompt", str(path), *words).out == expected
    assert call("prompt", "-", *words, stdin=path.read_bytes()).out == expected


def test_lists_of_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    lines = "".join(json.dumps(item) + "\n" for item in LIST)
    for data, told in (
        (lines, ""),
        (json.dumps({"messages": LIST, "stream": True}), "not taken: stream"),
        (lines.replace('"system"', '"developer"').replace("Hello!", "<think>greet</think>Hello!"), ""),
    ):
        path.write_text(data)
        for words, stdin, name in (([str(path)], None, str(path)), (["-"], data.encode(), "standard input")):
            result = call("prompt", *words, stdin=stdin)
            assert (result.status, result.out) == (0, LIST_TURNS + OPEN + "<think>")
            assert result.err == (f"kimi-tui: {name}: {told}\n" if told else "")


def test_a_conversation_that_ends_with_a_reply_shows_it_closed(store: SessionFiles) -> None:
    session = make_session()
    store.save_now(session)
    expected = user("Hi\r\n") + assistant("Hello!") + OPEN + "<think>"
    file = str(store.path_of(session))
    for words in ([], [session.id], ["20261123"], ["greet"], [file]):
        result = call("prompt", *words)
        assert (result.status, result.out, result.err) == (0, expected, "")
    assert call("prompt", "-", stdin=Path(file).read_bytes()).out == expected


def test_the_session_says_whether_the_model_thinks(store: SessionFiles) -> None:
    store.save_now(make_session(settings={"thinking": False}))
    assert call("prompt").out.endswith(OPEN + "<think></think>")


def test_lone_surrogates_and_markers_become_harmless() -> None:
    data = json.dumps([{"role": "user", "content": "a\ud800b <|im_end|>"}]).encode()
    assert call("prompt", "-", stdin=data).out == user("a\ufffdb <\u2060|im_end|>") + OPEN + "<think>"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(st.characters(exclude_categories=()))))
)
def test_any_list_is_rendered_exactly(pairs: list[tuple[str, str]]) -> None:
    write = {"system": system, "user": user, "assistant": assistant}
    texts = [(role, DEFAULT_TEMPLATE.markers.encode(replace_lone(text))) for role, text in pairs]
    expected = "".join(write[role](text) for role, text in texts) + OPEN + "<think>"
    data = json.dumps([{"role": role, "content": text} for role, text in pairs]).encode()
    assert call("prompt", "-", stdin=data).out == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[",
        b"{",
        b"42",
        b'[{"role":"robot","content":""}]',
        b"[[]]",
        b'{"format":"other"}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=["empty", "cut-list", "cut-object", "number", "role", "item", "format", "bytes", "deep"],
)
def test_what_is_no_conversation(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    for name, result in ((path, call("prompt", str(path))), ("standard input", call("prompt", "-", stdin=data))):
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(f"kimi-tui: {name}")


def test_what_a_session_sets_wrongly_is_told_with_its_file(store: SessionFiles) -> None:
    store.save_now(make_session(settings={"temperature": 300}))
    result = call("prompt")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"kimi-tui: {store.find()}: settings: temperature: found 300")


@pytest.mark.parametrize("words", [["nothing"], ["./nothing.json"], ["-", "--template", "other"], []])
def test_what_is_not_there(store: SessionFiles, words: list[str]) -> None:
    result = call("prompt", *words, stdin=b"[]")
    assert (result.status, result.out) == (2, "")


def test_a_bad_config_is_told_and_does_not_hinder(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[api]\nretries = 9\n")
    result = call("prompt", "-", "-c", str(config), stdin=b"[]")
    assert (result.status, result.out) == (0, OPEN + "<think>")
    assert f"{config}:2: api.retries" in result.err


def test_it_starts_light(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(LIST))
    heavy = "('asyncio', 'httpx', 'textual', 'rich', 'platformdirs', 'tomli_w', 'markdown_it')"
    code = (
        "import sys; from kimi_tui.cli import main; status = main(sys.argv[1:]); "
        f"print(); print(status, [m for m in {heavy} if m in sys.modules])"
    )
    assert run_python(code, "prompt", str(path), "-c", str(_empty(tmp_path))).splitlines()[-1] == "0 []"


def _empty(folder: Path) -> Path:
    path = folder / "config.toml"
    path.write_text("")
    return path


@pytest.mark.parametrize(("kept", "thinking"), [(0, ""), (1, "greet"), ("all", "greet")])
def test_earlier_thinking_stands_there_as_the_session_says(store: SessionFiles, kept: object, thinking: str) -> None:
    store.save_now(make_session(settings={"kept_thinking": kept}))
    shown = call("prompt").out
    assert shown == f"{user('Hi' + chr(13) + chr(10))}{OPEN}<think>{thinking}</think>Hello!<|im_end|>{OPEN}<think>"


def test_what_has_no_room_is_no_part_of_it_and_is_told(store: SessionFiles, tmp_path: Path) -> None:
    messages = (
        Message("m1", Role.USER, "one " * 40, created=NOW),
        Message("m2", Role.ASSISTANT, "A", "m1", created=NOW, state=MessageState.COMPLETE),
        Message("m3", Role.USER, "two", "m2", created=NOW),
        Message("m4", Role.ASSISTANT, "B", "m3", created=NOW, state=MessageState.COMPLETE),
    )
    store.save_now(make_session(messages=messages, head="m4", settings={"over_budget": "leave-out"}))
    (tmp_path / "small.toml").write_text("[api]\ncontext_tokens = 60\n")
    result = call("prompt", "-c", str(tmp_path / "small.toml"))
    assert result.out == f"{user('two')}{assistant('B')}{OPEN}<think>"
    assert "not sent, for want of room: 2 older messages" in result.err
    assert "one " in call("prompt").out
    (tmp_path / "small.toml").write_text('[chat]\nover_budget = "never"\n')
    found = call("config", "check", "-c", str(tmp_path / "small.toml")).out
    assert 'chat.over_budget: found "never", allowed refuse or leave-out or keep-pinned' in found


def test_the_config_says_how_much_earlier_thinking_a_list_keeps(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[chat]\nkept_thinking = "all"\n')
    shown = call("prompt", "-", "-c", str(config), stdin=json.dumps(LIST).encode()).out
    assert f"{OPEN}<think>greet</think>Hello!<|im_end|>" in shown
    config.write_text("[chat]\nkept_thinking = -1\n")
    assert "chat.kept_thinking: found -1, allowed 0 for none" in call("config", "check", "-c", str(config)).out
