"""The simulator's replies as bytes, in the endpoint's own shapes.

Source: API reference, "Streaming Schema" and "Output Schema".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kimi_tui.adapters.endpoint.simulator.simulated_answer import Plan
from kimi_tui.adapters.endpoint.simulator.tour import Break


def encode(document: Mapping[str, object]) -> bytes:
    """Write a document as the endpoint does: compact JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _event(document: Mapping[str, object]) -> bytes:
    return b"data: " + encode(document) + b"\n\n"


def event_stream(plan: Plan) -> Iterator[bytes]:
    """Yield the events of a streamed reply, one a token, then its end."""
    for text in plan.replies[0]:
        yield _event(_frame(plan, text, is_special=text == plan.mark))
    if plan.breaks is Break.ERROR:
        yield _event({"error_type": "InferenceError", "error_message": "inference failed in the middle, as you asked"})
    elif plan.breaks is None:
        end = {
            "details": {"finish_reason": plan.finish_reason},
            "generated_text": "".join(plan.replies[0]),
            "num_output_tokens": plan.output_tokens,
            "num_input_tokens": plan.input_tokens,
            "estimated_cost": plan.cost_usd,
        }
        yield _event({**_frame(plan, "", is_special=True), **end}) + b"data: [DONE]\n\n"


def _frame(plan: Plan, text: str, *, is_special: bool) -> dict[str, object]:
    return {
        # The schema types the id as null.
        "token": {"id": None, "text": text, "logprob": 0.0 if is_special else -0.1, "special": is_special},
        "details": None,
        "generated_text": None,
        "num_output_tokens": None,
        "num_input_tokens": None,
        "estimated_cost": None,
        "request_id": plan.request_id,
    }


def document(plan: Plan) -> dict[str, object]:
    """The content of an unstreamed reply."""
    status = {
        "status": "succeeded",
        "runtime_ms": 1,
        "cost": plan.cost_usd,
        "tokens_generated": plan.output_tokens,
        "tokens_input": plan.input_tokens,
    }
    return {
        "results": [{"generated_text": "".join(tokens)} for tokens in plan.replies],
        "num_tokens": plan.output_tokens,
        "num_input_tokens": plan.input_tokens,
        "request_id": plan.request_id,
        "inference_status": status,
    }
