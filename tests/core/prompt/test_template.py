"""The template, byte for byte against the API reference, and its strict reader."""

from __future__ import annotations

import pytest

from kimi_tui.core.prompt.neutralise import PromptText, encode
from kimi_tui.core.prompt.template import (
    TEMPLATES,
    PromptSyntaxError,
    PromptTurn,
    open_turn,
    parse_prompt,
    render_prompt,
    render_turn,
)
from kimi_tui.core.session.session import Role

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


def turns_of(texts: list[tuple[Role, str]]) -> list[PromptTurn]:
    return [PromptTurn(role, encode(text)) for role, text in texts]


@pytest.mark.parametrize(("texts", "prompt"), CASES)
def test_the_reference_byte_for_byte(texts: list[tuple[Role, str]], prompt: str) -> None:
    assert render_prompt(turns_of(texts), TEMPLATES["deepinfra"], thinking=True) == prompt


@pytest.mark.parametrize(("texts", "prompt"), CASES)
def test_the_reference_read_back(texts: list[tuple[Role, str]], prompt: str) -> None:
    parsed = parse_prompt(prompt)
    assert [(turn.role, turn.text) for turn in parsed.turns] == texts
    assert parsed.template.name == "deepinfra"
    assert parsed.thinking


def test_instant_mode_closes_the_think_block() -> None:
    prompt = render_prompt(turns_of([(Role.USER, "Hello!")]), TEMPLATES["deepinfra"], thinking=False)
    assert prompt == SIMPLE + "</think>"
    assert not parse_prompt(prompt).thinking


def test_the_models_own_role_names() -> None:
    prompt = render_prompt(turns_of([(Role.SYSTEM, "S"), (Role.USER, "U")]), TEMPLATES["kimi"], thinking=True)
    assert prompt == (
        "<|im_system|>system<|im_middle|>S<|im_end|><|im_user|>user<|im_middle|>U<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>"
    )
    assert parse_prompt(prompt).template.name == "kimi"


def test_text_goes_in_exactly_as_typed() -> None:
    text = "  \r\n tabs\t and \u2028 trailing \n\n"
    prompt = render_prompt(turns_of([(Role.USER, text)]), TEMPLATES["deepinfra"], thinking=True)
    assert prompt == SIMPLE.replace("Hello!", text)


def test_an_open_turn_may_hold_text_already() -> None:
    parsed = parse_prompt(SIMPLE + "so far</think>The answer")
    assert (parsed.open_reasoning, parsed.open_answer, parsed.thinking) == ("so far", "The answer", False)


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
        (HISTORY.replace("First answer", "a </think> b"), "</think> b"),
        (SIMPLE + "so far <think>", "<think>"),
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
    turns, template = turns_of(FIRST), TEMPLATES["deepinfra"]
    parts = [render_turn(turn, template) for turn in turns]
    assert "".join(parts) + open_turn(template, thinking=True) == HISTORY


def test_the_type_checker_refuses_text_that_did_not_pass_the_door() -> None:
    """Strict mypy also reports an ignore that nothing needs: were the door open, this line would fail the check."""
    turn = PromptTurn(Role.USER, "text")  # type: ignore[arg-type]
    assert not isinstance(turn.text, PromptText)
