"""Requests to the simulator, and its replies understood by the program's own reader."""

from __future__ import annotations

import json

from kimi_tui.adapters.endpoint.simulator.simulated_answer import SimulatedReply, respond
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import document, encode, event_stream
from kimi_tui.adapters.endpoint.simulator.simulated_request import Refusal
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.prompt_syntax import Prompt, PromptTurn, write_prompt
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.session import Role
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.reading import Read, builder_of, read_reply

STOP = ["<|im_end|>", "[EOS]"]


def prompt_of(*texts: str, system: str | None = None, thinking: bool = True, template: str = "deepinfra") -> str:
    """A conversation as a prompt: user and assistant take turns."""
    roles = [Role.USER, Role.ASSISTANT] * len(texts)
    turns = [(Role.SYSTEM, system)] if system is not None else []
    turns += list(zip(roles, texts, strict=False))
    request = RequestSettings(template=TEMPLATES[template], thinking=thinking)
    encoded = tuple(PromptTurn(role, request.door.foreign(text)) for role, text in turns)
    return write_prompt(Prompt(encoded, request.open_turn, request.template))


def body_of(prompt: str, **fields: object) -> bytes:
    return json.dumps({"input": prompt, "stop": STOP, "stream": True, **fields}).encode()


def plan_of(prompt: str, **fields: object) -> SimulatedReply:
    plan = respond(body_of(prompt, **fields), DEEPINFRA)
    assert isinstance(plan, SimulatedReply), plan
    return plan


def refusal_of(body: bytes) -> Refusal:
    refusal = respond(body, DEEPINFRA)
    assert isinstance(refusal, Refusal)
    return refusal


def understood(plan: SimulatedReply, prompt: str) -> Read:
    """The reply as the program reads it from the wire."""
    prompt_end = PromptEnd.THOUGHT if prompt.endswith("</think>") else PromptEnd.THINKING
    builder = builder_of(prompt, prompt_end, is_event_stream=plan.is_streamed)
    return read_reply(
        builder, event_stream(plan, DEEPINFRA) if plan.is_streamed else [encode(document(plan, DEEPINFRA))]
    )


def answer_to(*texts: str, system: str | None = None) -> str:
    """What the simulator answers to the last of a conversation's texts."""
    prompt = prompt_of(*texts, system=system)
    (reply,) = understood(plan_of(prompt), prompt).replies
    return reply.content
