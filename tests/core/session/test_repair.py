"""What can be read of a damaged file: everything that was whole, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import ConversionError, StorageError
from kimi_tui.core.session.codec import decode_session
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.repair import Repaired, repair
from kimi_tui.core.session.session import Message, Role, Session
from tests.core.session.test_file_formats import EXTRA, HARD, TEXT, make_session

LATER = datetime(2027, 1, 1, tzinfo=UTC)
FENCE = 'So:\n\n[[messages]]\nid = "m8"\nrole = "user"\ncontent = "no"\n\n[[messages]]\nid = "m9"\nrole = "user"\ncontent = """\nno\n"""\n\n[[messages]]\n"""\nend'
"""A text that holds what looks like messages."""
JSON_TAIL = b"\n ]\n}\n"


def talk(*texts: str, extra: dict[str, object] | None = None) -> Session:
    """A conversation of some messages with every key."""
    made = make_session(texts[0], extra or {})
    messages = [
        replace(made.messages[number % 2], id=f"m{number}", content=text, parent=f"m{number - 1}" if number else None)
        for number, text in enumerate(texts)
    ]
    return replace(made, messages=tuple(messages), head=messages[-1].id)


def fix(data: bytes, name: str) -> Repaired:
    return repair(data, FORMATS[name], "new", LATER)


def ends(session: Session, name: str) -> list[int]:
    """Where each message ends in the file, in bytes; before them the beginning."""
    whole = [
        FORMATS[name].encode(replace(session, messages=session.messages[:n]))
        for n in range(1, 1 + len(session.messages))
    ]
    return [0, *(len(data) - (len(JSON_TAIL) if name == "json" else 0) for data in whole)]


def check_saved(session: Session, name: str) -> None:
    """It can be saved in its own format; in another one where that holds what a damage has made of a value."""
    for form in FORMATS.values():
        try:
            data = form.encode(session)
        except ConversionError:
            assert form.name != name
        else:
            assert form.encode(decode_session(form.load(data))) == data


def check_cut(session: Session, name: str, data: bytes, borders: list[int], cut: int) -> None:
    repaired = fix(data[:cut], name)
    found = () if repaired.session is None else repaired.session.messages
    whole = max(number for number, end in enumerate(borders) if end <= cut)
    assert found[:whole] == session.messages[:whole]
    for torn in found[whole:]:  # at the end of a line nobody can tell that more followed
        meant = session.messages[whole]
        assert name == "toml"
        assert len(found) == whole + 1
        assert (torn.id, torn.parent, torn.role, torn.content) == (meant.id, meant.parent, meant.role, meant.content)
        assert re.search(rb'(\n(\[\[?[a-z]*)?|["\]}])\Z', data[:cut])
    if repaired.session is not None:
        if cut % 8 == 0:  # it takes longer than all the rest
            check_saved(repaired.session, name)
    else:
        assert not whole
        assert cut < borders[1]
    if not repaired.damages:
        decode_session(FORMATS[name].load(data[:cut]))


def check_cuts(session: Session, name: str, step: int = 1) -> None:
    data, borders = FORMATS[name].encode(session), ends(session, name)
    for cut in range(0, len(data) + 1, step):
        check_cut(session, name, data, borders, cut)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("texts", [("Lamb?", "Roast it."), ("a\nb", FENCE, "c", FENCE), tuple(HARD)])
def test_a_file_cut_anywhere_gives_the_messages_that_were_whole(name: str, texts: tuple[str, ...]) -> None:
    check_cuts(talk(*texts), name, step=1 if texts[0] == "Lamb?" else 17)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("texts", [("a\nb", FENCE, "c", FENCE), tuple(HARD)])
def test_a_file_of_hard_texts_cut_anywhere_slow(name: str, texts: tuple[str, ...]) -> None:
    check_cuts(talk(*texts), name)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60)
@given(st.lists(TEXT, min_size=1, max_size=4), EXTRA, st.data())
def test_any_file_cut_somewhere(name: str, texts: list[str], extra: dict[str, object], draw: st.DataObject) -> None:
    session = talk(*texts, extra=extra)
    data, borders = FORMATS[name].encode(session), ends(session, name)
    for cut in draw.draw(st.lists(st.integers(0, len(data)), min_size=1, max_size=8)):
        check_cut(session, name, data, borders, cut)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20)
@given(st.lists(TEXT, min_size=1, max_size=4), EXTRA)
def test_any_file_cut_anywhere_slow(name: str, texts: list[str], extra: dict[str, object]) -> None:
    check_cuts(talk(*texts, extra=extra), name)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100)
@given(st.lists(TEXT, min_size=1, max_size=4), EXTRA)
def test_a_whole_file_is_as_it_is_read(name: str, texts: list[str], extra: dict[str, object]) -> None:
    session = talk(*texts, extra=extra)
    assert fix(FORMATS[name].encode(session), name) == Repaired(session)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60)
@given(st.lists(st.one_of(TEXT, st.just(FENCE)), min_size=1, max_size=4), st.data())
def test_whatever_is_changed_what_comes_back_can_be_saved(name: str, texts: list[str], draw: st.DataObject) -> None:
    """And what the program refuses to read has a damage that says why."""
    data = bytearray(FORMATS[name].encode(talk(*texts)))
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(data)))
        data[place : place + draw.draw(st.sampled_from([0, 1, 20]))] = draw.draw(
            st.sampled_from(
                [b"", b"\0", b'"', b"{", b"}", b"]", b"\xff", b"\n", b'"""', b"\n[[messages]]\n", b"#", b","]
            )
        )
    repaired = fix(bytes(data), name)
    if repaired.session is not None:
        check_saved(repaired.session, name)
    assert all("\n" not in damage.words for damage in repaired.damages)
    try:
        read = decode_session(FORMATS[name].load(bytes(data)), LATER)
    except StorageError:
        assert repaired.damages
    else:
        assert repaired.damages or repaired.session == read


def broken(name: str, old: str, new: str, *texts: str) -> Repaired:
    """A conversation in whose file one thing is another."""
    texts = texts or ("one", "two", "three", "four", "five")
    text = FORMATS[name].encode(talk(*texts)).decode()
    assert text.count(old) == 1
    return fix(text.replace(old, new).encode(), name)


BREAKS = {
    "toml": [
        ('id = "m2"', 'id = "m2'),
        ('id = "m2"', "id = 2"),
        ('id = "m2"\nparent = "m1"\nrole = "user"', 'id = "m2"\nparent = "m1"\nrole = "nobody"'),
        ('content = "three"', 'content = three"'),
        ('content = "three"', 'content = """three"'),
        ('content = "three"', "content = ["),
        ('content = "three"', ""),
        ('content = "three"', 'content = "three"\ncontent = "four"'),
    ],
    "json": [
        ('"id": "m2"', '"id": "m2'),
        ('"id": "m2"', '"id": 2'),
        ('"content": "three"', '"content": "three'),
        ('"content": "three"', '"content": {"three"'),
        ('"content": "three"', '"content": three'),
        ('"content": "three",', '"content": "three"'),
        ('"content": "three",', ""),
    ],
}


@pytest.mark.parametrize(("name", "old", "new"), [(name, *case) for name, cases in BREAKS.items() for case in cases])
def test_a_broken_message_costs_no_other(name: str, old: str, new: str) -> None:
    repaired = broken(name, old, new)
    assert repaired.session is not None
    assert [message.content for message in repaired.session.messages] == ["one", "two", "four", "five"]
    assert [message.parent for message in repaired.session.messages] == [None, "m0", "m1", "m3"]
    assert (repaired.lost, repaired.session.head) == (1, "m4")
    left, moved = repaired.damages
    text = FORMATS[name].encode(talk("one", "two", "three", "four", "five")).decode().replace(old, new)
    assert left.line is not None
    assert "two" not in text.split("\n")[left.line - 1]
    assert '"m2' in "".join(text.split("\n")[left.line - 1 : left.line + 2]) or "id = 2" in text or '"id": 2' in text
    assert "messages[2]" in left.words
    assert moved.words == '"m3": its parent "m2" is not in the file; in a copy it follows the message before it.'


def test_the_line_is_that_of_the_file() -> None:
    text = FORMATS["toml"].encode(talk("one", "two", "three")).decode().replace('content = "two"', "content = two")
    (line,) = (number for number, each in enumerate(text.split("\n"), 1) if each == "content = two")
    (first, *_) = fix(text.encode(), "toml").damages
    assert f"line {line}, " in first.words


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("toml", 'title = "one"', 'title = "one', "title: "),
        ("toml", 'tags = ["one"]', "tags = 5", "tags: found 5"),
        ("toml", "version = 1", 'version = "x"', 'version: found "x", allowed 1.'),
        ("toml", "version = 1\n", "", "version: is missing."),
        ("toml", 'id = "id"\n', "", "id: is missing."),
        ("toml", 'head = "m1"', 'head = "m7"', 'head: "m7" is not in the file'),
        ("toml", 'head = "m1"', "head = 7", "head: found 7"),
        ("toml", "[settings]\n", "[settings\n", "settings"),
        ("json", '"title": "one"', '"title": one', "title: "),
        ("json", '"version": 1,', "", "version: is missing."),
        ("json", '"id": "id",', "", "id: is missing."),
        ("json", '"head": "m1"', '"head": "m7"', 'head: "m7" is not in the file'),
    ],
)
def test_the_head_may_lose_a_key(name: str, old: str, new: str, words: str) -> None:
    repaired = broken(name, old, new, "one", "two")
    assert repaired.session is not None
    assert [message.content for message in repaired.session.messages] == ["one", "two"]
    assert any(words in damage.words for damage in repaired.damages)
    assert repaired.lost == 0
    assert repaired.session.id == ("new" if "id: is" in words else "id")


def test_what_stands_twice_and_what_is_below_itself() -> None:
    session = talk("one", "two", "three")
    a, b, c = session.messages
    twice = replace(session, messages=(a, b, b, replace(b, content="other"), replace(c, parent="m1")))
    repaired = fix(FORMATS["toml"].encode(twice), "toml").session
    assert repaired is not None
    assert [(m.id, m.content) for m in repaired.messages] == [
        ("m0", "one"),
        ("m1", "two"),
        ("m3", "other"),
        ("m2", "three"),
    ]
    circle = replace(session, messages=(replace(a, parent="m2"), b, c))
    mended = fix(FORMATS["json"].encode(circle), "json")
    assert mended.session is not None
    assert [message.parent for message in mended.session.messages] == [None, "m0", "m1"]
    assert "below itself" in mended.damages[0].words


def test_a_parent_may_stand_further_down() -> None:
    a, b = talk("one", "two").messages
    session = replace(talk("one", "two"), messages=(b, a))
    assert fix(FORMATS["toml"].encode(session), "toml") == Repaired(session)


@pytest.mark.parametrize("name", FORMATS)
def test_nul_bytes_at_the_end_and_bytes_that_are_no_text(name: str) -> None:
    session = talk("one", "two", "Käse")
    data = FORMATS[name].encode(session)
    nul = fix(data + bytes(4096), name)
    assert nul.session == session
    assert [damage.words for damage in nul.damages] == ["4096 NUL bytes stand at the end of the file."]
    latin = fix(data.replace("ä".encode(), b"\xe4"), name)
    assert latin.session is not None
    assert latin.session.messages[2].content == "K\ufffdse"
    assert "not UTF-8 (byte" in latin.damages[0].words
    assert fix(b"\xef\xbb\xbf" + data, name) == Repaired(session)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ""),
        (b"\0" * 99, "NUL"),
        (b"hello", ""),
        (b'format = "other"\n', 'format: found "other"'),
        (b'format = "kimi-tui/session"\nversion = 2\n', "a newer kimi-tui wrote it"),
        (b'{"format": "kimi-tui/session", "version": 2}', ""),
    ],
)
def test_what_is_no_session_gives_none(data: bytes, words: str) -> None:
    repaired = fix(data, "json" if data.startswith(b"{") else "toml")
    assert repaired.session is None
    assert any(words in damage.words for damage in repaired.damages)


def test_windows_line_ends_and_inline_messages() -> None:
    session = talk("one", "two")
    text = FORMATS["toml"].encode(session).decode()
    assert fix(text.replace("\n", "\r\n").encode(), "toml") == Repaired(session)
    inline = (
        'format = "kimi-tui/session"\nversion = 1\nid = "i"\nmessages = [{id = "a", role = "user", content = "x"}]\n'
    )
    assert fix(inline.encode(), "toml").session == Session(
        "i", LATER, LATER, "moonshotai/Kimi-K2.5", messages=(Message("a", Role.USER, "x"),)
    )


def test_what_looks_like_messages_in_a_torn_text_is_none() -> None:
    text = FORMATS["toml"].encode(talk("one", "two")).decode()
    quoted = text.replace('content = "two"', "content = '''\n" + FENCE.replace('"""', '"').replace("no\n", "no"))
    repaired = fix(quoted[: quoted.index("m9")].encode(), "toml")
    assert repaired.session is not None
    assert [message.id for message in repaired.session.messages] == ["m0"]


def test_two_files_written_over_each_other() -> None:
    session = talk("one", "two")
    short, long = FORMATS["json"].encode(session), FORMATS["json"].encode(talk("one" * 400, "two"))
    repaired = fix(short + long[len(short) :], "json")
    assert repaired.session == session
    assert "behind the end" in repaired.damages[-1].words


def test_hundreds_of_messages_with_one_that_never_ends() -> None:
    session = talk(*(f"text {number}" for number in range(600)))
    text = FORMATS["toml"].encode(session).decode().replace('content = "text 200"', 'content = """text 200')
    for head, count in (("m599", 599), ("m5000", 200)):  # where the head is missing, the rest may be a text
        repaired = fix(text.replace('head = "m599"', f'head = "{head}"').encode(), "toml")
        assert repaired.session is not None
        assert len(repaired.session.messages) == count
        assert repaired.lost == 1
