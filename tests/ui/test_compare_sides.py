"""What is told of compared messages, and which can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage
from kimi_tui.core.session.written import Begun
from kimi_tui.ui.state.compare_sides import CompareSide, CompareSource, settings_words
from tests.ui.program import talk

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))


def reply(**changes: Any) -> Message:
    return replace(TALK.messages[1], **changes)


def branched(*replies: Message) -> Session:
    """The talk with alternatives to its first reply."""
    return replace(TALK, messages=(*TALK.messages, *replies))


def source(session: Session, **growing: Message) -> CompareSource:
    return CompareSource(session, growing)


def side(session: Session, key: str, **growing: Message) -> CompareSide:
    found = source(session, **growing).side(key)
    assert found is not None
    return found


def test_the_place_tells_turn_alternative_and_branch() -> None:
    session = branched(reply(id="m5", name="gentle\x1b[31m"))
    assert side(session, "m2").place == "Kimi · turn 1 · alternative 1/2"
    assert side(session, "m4").place == "Kimi · turn 2 · no alternatives"
    assert side(session, "m3").place == "You · turn 2 · no alternatives"
    assert side(session, "m5").place == "Kimi · turn 1 · alternative 2/2 · “gentle␛[31m”"


def test_a_branch_is_called_by_the_last_name_on_the_way() -> None:
    messages = [replace(it, name={"m1": "old", "m3": "new"}.get(it.id, "")) for it in TALK.messages]
    session = replace(TALK, messages=tuple(messages))
    assert [side(session, key).name for key in ("m2", "m4")] == ["old", "new"]


@pytest.mark.parametrize(
    ("changes", "long", "short"),
    [
        (
            {},
            "37 in, 212 out · $0.0006 · first token 0.8 s · thought for 12.4 s · total 20.0 s",
            "37→212 · $0.0006 · first 0.8 s · thought 12.4 s · total 20.0 s",
        ),
        ({"usage": None, "timing": None, "reasoning": None}, "~3 out", "~3 out"),
        ({"usage": None, "timing": None, "begun": Begun(of="m2")}, "", ""),
        (
            {"usage": None, "timing": Timing(0.5, None, 2.0), "state": MessageState.CANCELLED, "content": "word " * 200,
             "reasoning": None},
            "~250 out · first token 0.5 s · total 2.0 s",
            "~250 out · first 0.5 s · total 2.0 s",
        ),
        ({"usage": Usage(None, 20), "state": MessageState.CANCELLED, "timing": Timing(0.5)}, "~20 out · first token 0.5 s",
         "~20 out · first 0.5 s"),
        ({"timing": None}, "37 in, 212 out · $0.0006", "37→212 · $0.0006"),
    ],
)  # fmt: skip
def test_figures_are_what_is_known(changes: dict[str, Any], long: str, short: str) -> None:
    assert side(branched(reply(id="m5", **changes)), "m5").figures == (
        long.split(" · ") if long else [],
        short.split(" · ") if short else [],
    )


def test_a_question_has_no_figures() -> None:
    assert not any(side(TALK, "m1").figures)


def test_the_state_tells_how_it_ended() -> None:
    session = branched(reply(id="m5", state=MessageState.CANCELLED, finish_reason=None), reply(id="m6", edited=True))
    assert [side(session, key).state for key in ("m2", "m5", "m6", "m1")] == [
        "complete", "stopped", "complete · edited by you", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({}, {}, ("all settings equal", (), ())),
        ({"sent": {"temperature": 1}}, {"sent": {"temperature": 1.0}}, ("all settings equal", (), ())),
        (
            {"sent": {"temperature": 0.5, "stop": ["x"]}},
            {"sent": {"stop": ["y"], "seed": 7}},
            ("", ["temperature 0.5", 'stop ["x"]', "no seed"], ["no temperature", 'stop ["y"]', "seed 7"]),
        ),
        ({"thinking": True}, {"thinking": False}, ("", ["thinking true"], ["thinking false"])),
        ({"model": "a"}, {"model": "b"}, ("", ["model a"], ["model b"])),
        ({"system": False}, {"system": "In\nverse."}, ("", ["no system"], ["system In verse."])),
        ({"system": None}, {"system": "Be kind."}, ("all settings equal", (), ())),
        ({"sent": None}, {}, ("settings not known", (), ())),
        (
            {"sent": {"response_format": {"type": "json_object"}, "seed": 2**70}},
            {"sent": {"response_format": '{"type": "json_object"}', "seed": str(2**70)}},  # as its file has it
            ("all settings equal", (), ()),
        ),
        ({"sent": {"prompt_cache_key": "x"}}, {"sent": {"prompt_cache_key": "y"}}, ("all settings equal", (), ())),
        (
            {"sent": {"num_responses": 2, "stream": False}},
            {"sent": {"stream": True, "user": " "}},
            ("", ["num_responses 2", "no user"], ["no num_responses", 'user " "']),
        ),
    ],
)
def test_only_settings_that_differ_are_told(
    left: dict[str, Any], right: dict[str, Any], expected: tuple[str, Sequence[str], Sequence[str]]
) -> None:
    session = replace(branched(reply(id="m5", **left), reply(id="m6", **right)), system="Be kind.")
    assert settings_words(side(session, "m5"), side(session, "m6"), session.system) == expected


def test_questions_have_no_settings() -> None:
    assert settings_words(side(TALK, "m1"), side(TALK, "m3"), None) == ("", (), ())


def test_candidates_are_the_others_of_its_kind_with_what_tells_them_apart() -> None:
    session = branched(reply(id="m5", sent={"stream": True, "temperature": 0.5}, content="Stew\nit."))
    lines = [(it.key, it.line) for it in source(session).candidates("m2")]
    assert lines == [
        ("m4", "turn 2 · Braise it."),
        ("m5", "turn 1 · 2/2 · temperature 0.5 · Stew it."),
    ]
    assert [it.key for it in source(session).candidates("m2", ["m2", "m5"])] == ["m5"]
    assert [it.key for it in source(session).candidates("m1")] == ["m3"]
    assert not source(talk(("Lamb?", "Roast it."))).has_others("m2")
    assert source(session).has_others("m2")


def test_a_growing_reply_is_one_of_its_family() -> None:
    growing = reply(id="m5", content="Stew", reasoning=None, state=None)
    found = source(TALK, m5=growing)
    assert list(found.family("m2")) == ["m2", "m5"]
    there = side(TALK, "m5", m5=growing)
    assert (there.state, there.alternatives) == ("still growing", (2, 2))
    assert (there.text(ReplyPart.ANSWER), there.text(ReplyPart.REASONING)) == ("Stew", "")
    assert "growing · Stew" in found.candidates("m2")[-1].line


def test_a_deep_session_is_listed_from_any_order_of_its_file() -> None:
    count = 3_000
    messages = [
        Message(f"m{n}", Role.ASSISTANT if n % 2 else Role.USER, f"text {n}", f"m{n - 1}" if n else None)
        for n in range(count)
    ]
    session = Session(TALK.id, TALK.created, TALK.updated, TALK.model, messages=tuple(reversed(messages)), head="m0")
    lines = {it.key: it.line for it in source(session).candidates("m1")}
    assert lines[f"m{count - 1}"] == f"turn {count // 2} · text {count - 1}"
    assert len(lines) == count // 2 - 1
