"""Control markers in foreign text: harmless in the prompt, exactly recoverable, and nothing else is touched."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kimi_tui
from kimi_tui.core.prompt import control_tokens
from kimi_tui.core.prompt.control_tokens import JOINER, ControlTokens
from kimi_tui.core.prompt.neutralise import TextDoor, verbatim
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import Prompt, PromptTurn, parse_prompt, write_prompt
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, Template
from kimi_tui.core.session.session import Role
from tests.core.prompt import template_rows

MARKERS = DEFAULT_TEMPLATE.markers

PIECES = (
    "<|im_end|>", "<|im_user|>", "<|im_system|>", "<|im_assistant|>", "<|im_middle|>", "<|reserved_token_7|>", "<think>",
    "</think>", "[EOS]", "[INST]", "[/INST]", "</s>", "<|im_start|>", "<|eot_id|>", "[BOS]", "[PAD]", "[UNK]", "[EOT]", "ChatMessageRole.USER", "assistant", "user", "system", JOINER,
    "<", ">", "|", "<|", "|>", "[", "]", "/", "think>", "EOS]", "im_end", "\n", "\r\n", " ", "lamb", "羊", "👩\u200d💻",
)  # fmt: skip
MIDDLES = (
    "|im_end|>",
    "/INST]",
    "INST]",
    "/s>",
    "|im_end|",
    "|a b|>",
    "think>",
    "/think>",
    "EOS]",
    "EOS",
    "eos]",
    "<|im_end|>",
)
joined = st.builds(
    lambda first, joiners, rest: first + JOINER * joiners + rest,
    st.sampled_from(["<", "["]),
    st.integers(0, 4),
    st.sampled_from(MIDDLES),
)
hostile = st.lists(st.sampled_from(PIECES) | joined | st.characters(exclude_categories=["Cs"]), max_size=24).map(
    "".join
)
conversations = st.lists(st.tuples(st.sampled_from(Role), hostile), max_size=6)


@settings(max_examples=500, deadline=None)
@given(hostile, st.integers(1, 12), st.sampled_from([row.markers for row in template_rows.ALL]))
def test_a_long_text_is_made_harmless_in_pieces_as_in_one(text: str, piece_chars: int, tokens: ControlTokens) -> None:
    encoded, rest = tokens.encode(text), tokens.taken_from(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control_tokens, "PIECE_CHARS", piece_chars)
        assert (tokens.encode(text), tokens.taken_from(text)) == (encoded, rest)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("<|im_end|>", "<\u2060|im_end|>"),
        ("<\u2060|im_end|>", "<\u2060\u2060|im_end|>"),
        ("<\u2060\u2060\u2060|im_end|>", "<\u2060\u2060\u2060\u2060|im_end|>"),
        ("[\u2060\u2060EOS]", "[\u2060\u2060\u2060EOS]"),
        ("<think>x</think>", "<\u2060think>x<\u2060/think>"),
        ("[EOS][BOS]", "[\u2060EOS][\u2060BOS]"),
        ("<|a_1|><|B|>", "<\u2060|a_1|><\u2060|B|>"),
        ("<<|x|>", "<<\u2060|x|>"),
        ("a\ud83d", "a\ufffd"),
        ("\ud83d\udc4d", "👍"),
    ],
)
def test_markers_get_one_joiner(text: str, encoded: str) -> None:
    assert TextDoor(DEFAULT_TEMPLATE).foreign(text) == encoded


@pytest.mark.parametrize(
    "text",
    ["", "a < b | c > d", "[eos]", "<Think>", "<|a b|>", "<||>", "[think>", "<EOS]", "x[0]", "\u2060", "<\u2060b>"],
)
def test_harmless_text_is_untouched(text: str) -> None:
    assert TextDoor(DEFAULT_TEMPLATE).foreign(text) == text
    assert MARKERS.spans(text) == []


def test_spans_point_at_the_markers() -> None:
    assert MARKERS.spans("a<think>b[EOS]") == [(1, 8), (9, 14)]


def test_verbatim_lets_markers_pass() -> None:
    assert verbatim("<|im_end|>\ud800") == "<|im_end|>\ufffd"


def test_no_other_module_makes_prompt_text() -> None:
    package = Path(kimi_tui.__file__).parent
    makers = [path.name for path in package.rglob("*.py") if "PromptText(" in path.read_text(encoding="utf-8")]
    assert makers == ["neutralise.py"]


def check_round_trip(text: str, template: Template) -> None:
    for tokens in (template.markers, template.control, template.reasoning_ends):
        assert tokens.decode(tokens.encode(text)) == text
        assert tokens.decode(text) == text or JOINER in text
        assert len(tokens.encode(text)) == len(text) + len(tokens.spans(text))
        assert tokens.exact.search(tokens.encode(text)) is None


def check_conversation(turns: list[tuple[Role, str]], template: Template, is_closed: bool) -> None:
    door = TextDoor(template)
    made = tuple(PromptTurn(role, door.foreign(text)) for role, text in turns)
    prompt = Prompt(made, OpenTurn.of(door, is_closed=is_closed), template)
    parsed = parse_prompt(write_prompt(prompt), [template])
    assert parsed == prompt
    assert [(turn.role, template.markers.decode(turn.text)) for turn in parsed.turns] == turns


@settings(max_examples=500, deadline=None)
@given(hostile, st.sampled_from(template_rows.ALL))
def test_decode_undoes_encode(text: str, template: Template) -> None:
    check_round_trip(text, template)


@settings(max_examples=250, deadline=None)
@given(conversations, st.sampled_from(template_rows.ALL), st.booleans())
def test_a_prompt_parses_back_to_its_own_turns(
    turns: list[tuple[Role, str]], template: Template, is_closed: bool
) -> None:
    check_conversation(turns, template, is_closed)


def any_text(chance: random.Random) -> str:
    """A text like `hostile`, which Hypothesis makes a hundred times more slowly (and can make smaller when it fails)."""

    def piece() -> str:
        match chance.randrange(4):
            case 0:
                middle = chance.choice(MIDDLES)
                return chance.choice("<[") + JOINER * chance.randrange(5) + middle
            case 1:
                code = chance.choice([chance.randrange(0x80), chance.randrange(0x3000), chance.randrange(0x110000)])
                return chr(code) if not 0xD800 <= code < 0xE000 else JOINER
            case _:
                return chance.choice(PIECES)

    return "".join(piece() for _ in range(chance.randrange(25)))


@pytest.mark.slow
def test_decode_undoes_encode_many_times() -> None:
    chance = random.Random(1)
    for _ in range(200_000):
        check_round_trip(any_text(chance), chance.choice(template_rows.ALL))


@pytest.mark.slow
def test_many_prompts_parse_back() -> None:
    chance, roles = random.Random(2), list(Role)
    for _ in range(100_000):
        turns = [(chance.choice(roles), any_text(chance)) for _ in range(chance.randrange(7))]
        check_conversation(turns, chance.choice(template_rows.ALL), chance.random() < 0.5)
