"""Requests to the simulator, and its replies understood by the program's own reader."""

from __future__ import annotations

import json

from kimi_tui.adapters.endpoint.simulator.simulated_answer import Plan, respond
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import document, encode, event_stream
from kimi_tui.adapters.endpoint.simulator.simulated_request import Refusal
from kimi_tui.core.prompt import neutralise
from kimi_tui.core.prompt.template import TEMPLATES, PromptTurn, render_prompt
from kimi_tui.core.session.session import Role
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.reply import ReplyBuilder
from kimi_tui.core.wire.think import PromptEnd
from tests.reading import Read, read_reply

STOP = ["<|im_end|>", "[EOS]"]


def prompt_of(*texts: str, system: str | None = None, thinking: bool = True, template: str = "deepinfra") -> str:
    """A conversation as a prompt: user and assistant take turns."""
    roles = [Role.USER, Role.ASSISTANT] * len(texts)
    turns = [(Role.SYSTEM, system)] if system is not None else []
    turns += list(zip(roles, texts, strict=False))
    encoded = (PromptTurn(role, neutralise.encode(text)) for role, text in turns)
    return render_prompt(encoded, TEMPLATES[template], thinking=thinking)


def body_of(prompt: str, **fields: object) -> bytes:
    return json.dumps({"input": prompt, "stop": STOP, "stream": True, **fields}).encode()


def plan_of(prompt: str, **fields: object) -> Plan:
    plan = respond(body_of(prompt, **fields), DEEPINFRA)
    assert isinstance(plan, Plan), plan
    return plan


def refusal_of(body: bytes) -> Refusal:
    refusal = respond(body, DEEPINFRA)
    assert isinstance(refusal, Refusal)
    return refusal


def understood(plan: Plan, prompt: str) -> Read:
    """The reply as the program reads it from the wire."""
    prompt_end = PromptEnd.THOUGHT if prompt.endswith("</think>") else PromptEnd.THINKING
    builder = ReplyBuilder(dialect=DEEPINFRA, prompt=prompt, prompt_end=prompt_end, is_event_stream=plan.is_streamed)
    return read_reply(
        builder, event_stream(plan, DEEPINFRA) if plan.is_streamed else [encode(document(plan, DEEPINFRA))]
    )


def answer_to(*texts: str, system: str | None = None) -> str:
    """What the simulator answers to the last of a conversation's texts."""
    prompt = prompt_of(*texts, system=system)
    (reply,) = understood(plan_of(prompt), prompt).replies
    return reply.content
