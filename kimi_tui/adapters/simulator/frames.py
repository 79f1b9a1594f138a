"""The simulator's answers as bytes, in the endpoint's own shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kimi_tui.adapters.simulator.answer import CUT_AFTER_TOKENS, Plan
from kimi_tui.core.template import THINK_CLOSE


def _event(document: Mapping[str, object]) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode("utf-8") + b"\n\n"


def event_stream(plan: Plan) -> Iterator[bytes]:
    """The events of a streamed reply, one a token, then its end."""
    for place, text in enumerate(plan.replies[0]):
        if plan.breaks and place == CUT_AFTER_TOKENS:
            if plan.breaks == "error":
                yield _event({"error_type": "InferenceError", "error_message": "the simulator was asked to fail here"})
            return
        token = {"id": None, "text": text, "logprob": -0.1, "special": text == THINK_CLOSE}
        nothing = {"num_output_tokens": None, "num_input_tokens": None, "estimated_cost": None}
        yield _event(
            {"token": token, "details": None, "generated_text": None, "request_id": plan.request_id, **nothing}
        )
    end = {"id": None, "text": "", "logprob": 0, "special": True}
    text = "".join(plan.replies[0])
    details = {"finish_reason": plan.finish_reason}
    yield _event(
        {"token": end, "details": details, "generated_text": text, "request_id": plan.request_id, **plan.usage}
    )
    yield b"data: [DONE]\n\n"


def document(plan: Plan) -> bytes:
    """The body of an unstreamed reply."""
    usage = plan.usage
    status = {
        "status": "succeeded",
        "runtime_ms": 1,
        "cost": usage["estimated_cost"],
        "tokens_generated": usage["num_output_tokens"],
        "tokens_input": usage["num_input_tokens"],
    }
    content = {
        "results": [{"generated_text": "".join(tokens)} for tokens in plan.replies],
        "num_tokens": usage["num_output_tokens"],
        "num_input_tokens": usage["num_input_tokens"],
        "request_id": plan.request_id,
        "inference_status": status,
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8")
