"""The template, byte for byte against the API reference, and its strict reader."""

from __future__ import annotations

import pytest

from kimi_tui.core.prompt.neutralise import PromptText, TextDoor
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import (
    Prompt,
    PromptSyntaxError,
    PromptTurn,
    parse_prompt,
    write_open_turn,
    write_prompt,
    write_turn,
)
from kimi_tui.core.prompt.template import TEMPLATES, Template
from kimi_tui.core.session.session import Role
from tests.core.prompt import template_rows

SIMPLE = "<|im_user|>ChatMessageRole.USER<|im_middle|>Hello!<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
HISTORY = (
    "<|im_user|>ChatMessageRole.USER<|im_middle|>First question<|im_end|><|im_assistant|>assistant<|im_middle|>"
    "<think></think>First answer<|im_end|><|im_user|>ChatMessageRole.USER<|im_middle|>Second question<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|><think></think>Second answer<|im_end|>"
    "<|im_user|>ChatMessageRole.USER<|im_middle|>Final question<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
)
SYSTEM = "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>System prompt<|im_end|>" + HISTORY
LAMB_ANSWER = (
    "Bonjour! Let me tell you, my friend, cooking lamb is an art form, and I'm more than happy to share with you not two, "
    "but three of my favorite techniques to coax out the rich, unctuous flavors and tender textures of this majestic "
    'protein. First, we have the classic "Sous Vide" method. Next, we have the ancient art of "Sous le Sable". And finally, '
    'we have the more modern technique of "Hot Smoking."'
)
LAMB = (
    "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Respond like a michelin starred chef.<|im_end|>"
    "<|im_user|>ChatMessageRole.USER<|im_middle|>Can you name at least two different techniques to cook lamb?<|im_end|>"
    f"<|im_assistant|>assistant<|im_middle|><think></think>{LAMB_ANSWER}<|im_end|>"
    "<|im_user|>ChatMessageRole.USER<|im_middle|>Tell me more about the second method.<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|><think>"
)
FIRST = [
    (Role.USER, "First question"),
    (Role.ASSISTANT, "First answer"),
    (Role.USER, "Second question"),
    (Role.ASSISTANT, "Second answer"),
    (Role.USER, "Final question"),
]
CASES = [
    pytest.param([(Role.USER, "Hello!")], SIMPLE, id="simple, and the first SDK example"),
    pytest.param(FIRST, HISTORY, id="history"),
    pytest.param([(Role.SYSTEM, "System prompt"), *FIRST], SYSTEM, id="system"),
    pytest.param(
        [
            (Role.SYSTEM, "Respond like a michelin starred chef."),
            (Role.USER, "Can you name at least two different techniques to cook lamb?"),
            (Role.ASSISTANT, LAMB_ANSWER),
            (Role.USER, "Tell me more about the second method."),
        ],
        LAMB,
        id="second SDK example",
    ),
]


def written(texts: list[tuple[Role, str]], template: Template, *, is_closed: bool = False) -> str:
    door = TextDoor(template)
    turns = tuple(PromptTurn(role, door.foreign(text)) for role, text in texts)
    return write_prompt(Prompt(turns, OpenTurn.of(door, is_closed=is_closed), template))


@pytest.mark.parametrize(("texts", "prompt"), CASES)
def test_the_reference_byte_for_byte(texts: list[tuple[Role, str]], prompt: str) -> None:
    assert written(texts, TEMPLATES["deepinfra"]) == prompt


@pytest.mark.parametrize(("texts", "prompt"), CASES)
def test_the_reference_read_back(texts: list[tuple[Role, str]], prompt: str) -> None:
    parsed = parse_prompt(prompt)
    assert [(turn.role, turn.text) for turn in parsed.turns] == texts
    assert (parsed.template.name, parsed.open_turn) == ("deepinfra", OpenTurn())


TALK = [(Role.SYSTEM, "S"), (Role.USER, "U"), (Role.ASSISTANT, "A"), (Role.USER, "V")]
GOLDEN = {
    TEMPLATES["kimi"]: (
        "<|im_system|>system<|im_middle|>S<|im_end|><|im_user|>user<|im_middle|>U<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think></think>A<|im_end|><|im_user|>user<|im_middle|>V<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>"
    ),
    template_rows.CHATML: (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
        "<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n<think>"
    ),
    template_rows.LLAMA_3: (
        "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nV<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    template_rows.MISTRAL: "[SYSTEM_PROMPT] S[/SYSTEM_PROMPT] [INST] U[/INST] A</s> [INST] V[/INST] ",
}


@pytest.mark.parametrize(("template", "prompt"), GOLDEN.items(), ids=[template.name for template in GOLDEN])
def test_each_row_writes_what_its_model_was_trained_on(template: Template, prompt: str) -> None:
    assert written(TALK, template) == prompt
    parsed = parse_prompt(prompt, template_rows.ALL)
    assert ([(turn.role, turn.text) for turn in parsed.turns], parsed.template) == (TALK, template)


def test_instant_mode_closes_the_think_block() -> None:
    prompt = written([(Role.USER, "Hello!")], TEMPLATES["deepinfra"], is_closed=True)
    assert prompt == SIMPLE + "</think>"
    assert parse_prompt(prompt).open_turn == OpenTurn(is_closed=True)


def test_text_goes_in_exactly_as_typed() -> None:
    text = "  \r\n tabs\t and \u2028 trailing \n\n"
    assert written([(Role.USER, text)], TEMPLATES["deepinfra"]) == SIMPLE.replace("Hello!", text)


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("", "a turn has to begin here"),
        ("Hello", "a turn has to begin here"),
        (SIMPLE.removesuffix("<think>"), "open assistant turn"),
        (SIMPLE.replace("<|im_end|>", "<|im_end|>\n"), "a turn has to begin here"),
        (SIMPLE.replace("USER", "HUMAN"), "does not fit"),
        (SIMPLE.replace("Hello!", "a <|im_user|> b"), "stands inside a text"),
        (HISTORY.replace("<think></think>First", "First"), "closed think block"),
        ("<|im_user|>user<|im_middle|>a<|im_end|>" + SIMPLE, "does not fit"),
        (SIMPLE + "<|im_end|>", "a past answer needs"),
    ],
)
def test_what_is_no_prompt_is_refused(prompt: str, problem: str) -> None:
    with pytest.raises(PromptSyntaxError, match=problem):
        parse_prompt(prompt)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        (SIMPLE.replace("Hello!", "羊 and <|reserved_token_9|> b"), "<|reserved_token_9|>"),
        (SIMPLE.replace("Hello!", "羊 [EOS]"), "[EOS]"),
        (SIMPLE.replace("Hello!", "a </think> b"), "</think> b"),
        (SIMPLE + "so far</think>The [PAD]", "[PAD]"),
        (SIMPLE.replace("USER", "HUMAN"), "ChatMessageRole.HUMAN"),
        (SIMPLE + "x<|im_end|>", "<think>x"),
    ],
)
def test_an_error_points_at_what_is_wrong(prompt: str, found: str) -> None:
    with pytest.raises(PromptSyntaxError) as caught:
        parse_prompt(prompt)
    assert caught.value.offset == prompt.rindex(found)
    assert f"at character {caught.value.offset}" in str(caught.value)


def test_errors_stay_short() -> None:
    for prompt in (SIMPLE.replace("USER", "x" * 9999), SIMPLE.replace("Hello!", f"<|{'x' * 9999}|>")):
        with pytest.raises(PromptSyntaxError) as caught:
            parse_prompt(prompt)
        assert len(str(caught.value)) < 120


def test_past_reasoning_is_read_apart_from_its_answer() -> None:
    parsed = parse_prompt(HISTORY.replace("<think></think>First", "<think>Hm.</think>First"))
    assert [(turn.reasoning, turn.text) for turn in parsed.turns[1:4:2]] == [
        ("Hm.", "First answer"),
        ("", "Second answer"),
    ]


def test_one_turn_alone_reads_like_its_part_of_the_whole() -> None:
    template = TEMPLATES["deepinfra"]
    parts = [write_turn(PromptTurn(role, TextDoor(template).foreign(text)), template) for role, text in FIRST]
    assert "".join(parts) + write_open_turn(OpenTurn(), template) == HISTORY


def test_the_type_checker_refuses_text_that_did_not_pass_the_door() -> None:
    """Strict mypy also reports an ignore that nothing needs: were the door open, this line would fail the check."""
    turn = PromptTurn(Role.USER, "text")  # type: ignore[arg-type]
    assert not isinstance(turn.text, PromptText)
