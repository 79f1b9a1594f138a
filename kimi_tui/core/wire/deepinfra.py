"""The native text generation endpoint of DeepInfra.

Source: API reference, "Input fields", "Input Schema", "Streaming Schema" and "Output Schema". Every key of an answer
may be missing or null; unknown ones are ignored; an error may come in a stream whose status said success.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from kimi_tui.core.prompt.template import THINK_TEXTS
from kimi_tui.core.session.session import NO_USAGE, Usage
from kimi_tui.core.wire.dialect import Dialect, Document, Frame, Generated, Mistake, Twin
from kimi_tui.core.wire.endpoint_errors import ErrorKeys, error_in_stream, error_words
from kimi_tui.core.wire.fields import Bound, ranged
from kimi_tui.core.wire.sse import SseEvent

_SPECS = (
    ranged("max_new_tokens", None, Bound(1), Bound(1_000_000)),
    ranged("temperature", 0.7, Bound(0), Bound(100)),
    ranged("top_p", 0.9, Bound(0, is_open=True), Bound(1)),
    ranged("min_p", 0, Bound(0), Bound(1)),
    ranged("top_k", 0, Bound(0), Bound(1000, is_open=True)),
    ranged("repetition_penalty", 1, Bound(0.01), Bound(5)),
    ranged("stop", maximum=Bound(16)),
    ranged("num_responses", 1, Bound(1), Bound(4)),
    ranged("response_format", {"type": "text"}),
    ranged("presence_penalty", 0, Bound(-2), Bound(2)),
    ranged("frequency_penalty", 0, Bound(-2), Bound(2)),
    ranged("user"),
    ranged(
        "seed",
        None,
        Bound(-9223372036854776000, words="-2^63"),  # the reference rounds both to 16 digits
        Bound(18446744073709552000, is_open=True, words="2^64"),
    ),
    ranged("prompt_cache_key"),
    ranged("webhook", None, Bound(1), Bound(2083)),
    ranged("stream", False),
)
_FIELDS = {spec.name: spec for spec in _SPECS}
_KEY_VARIABLES = ("DEEPINFRA_TOKEN", "DEEPINFRA_API_KEY", "DEEPINFRA_API_TOKEN")
_ERRORS = ErrorKeys(
    ("error", "detail", "error_message", "message"),
    kind="error_type",
    named="error_message",
    kinds=("error_type", "type", "code"),
    statuses=("status", "status_code", "code"),
    place="loc",
    place_root="body",
    findings=("msg", "type"),
    key_variable=_KEY_VARIABLES[0],
)
_BESIDE_A_REPLY = ("error", "error_type", "error_message")
"""Keys of an error that stands beside a reply; the others of `_ERRORS` are no error there."""
_MAX_COST_USD = 1e9
"""What costs more is no cost; NaN is none either."""
_MOST_UNLIKELY = 1e9
"""A whole number that is larger is no logarithm of anything, and may be too large for a float."""
_NO_TOKEN = ("", 0, None)


def _address(base_url: str, model: str) -> str:
    """The slash in the model's name stays."""
    return f"{base_url.rstrip('/')}/{quote(model, safe='/:@')}"


def _write_body(model: str, prompt: str, fields: Mapping[str, object]) -> dict[str, object]:
    """Our names are this endpoint's; the model stands in the address."""
    del model
    return {"input": prompt, **fields}


# -- what comes back


def _read(document: Document, event_type: str) -> Frame:
    token, details, is_error = document.get("token"), document.get("details"), event_type == "error"
    if not is_error and isinstance(token, dict) and _only_token(document):
        text, tokens, logprob = _token(token)
        return Frame(text, tokens, logprob=logprob)
    request_id = _text(document.get("request_id"))
    has_reply = isinstance(token, dict) or any(document.get(key) is not None for key in ("results", "generated_text"))
    looked_at = {key: document[key] for key in _BESIDE_A_REPLY if document.get(key)} if has_reply else document
    words = error_words(document if is_error else looked_at, _ERRORS)
    if is_error or words is not None:
        return Frame(error=error_in_stream(document, words or "", _ERRORS), request_id=request_id)
    text, tokens, logprob = _token(token)
    status, results = document.get("inference_status"), _results(document)
    state = _text(status.get("status")) if isinstance(status, dict) else None
    usage = _usage(document, status)
    if state == "failed":
        error = error_in_stream({}, "the inference failed", _ERRORS)
        return Frame(error=error, usage=usage, request_id=request_id)
    return Frame(
        text=text,
        tokens=tokens,
        finish_reason=_text(details.get("finish_reason")) if isinstance(details, dict) else None,
        results=results,
        usage=usage,
        request_id=request_id,
        is_queued=state in {"queued", "running"} and not results,
        logprob=logprob,
    )


def _only_token(document: Document) -> bool:
    """Whether there is nothing beside the token, as in nearly every frame: these take a short way."""
    for key, value in document.items():  # noqa: SIM110 - a generator takes three times as long
        if value and key != "token":
            return False
    return True


def _token(token: object) -> tuple[str, int, float | None]:
    if not isinstance(token, dict):
        return _NO_TOKEN
    text = token.get("text")
    if not isinstance(text, str) or not text:
        return _NO_TOKEN
    # Special tokens are no text, but for the think markers, which split the reply.
    if token.get("special") is True and text.strip() not in THINK_TEXTS:
        return _NO_TOKEN
    logprob = token.get("logprob")
    if logprob.__class__ is not float and (logprob.__class__ is not int or abs(logprob) > _MOST_UNLIKELY):
        return text, 1, None
    return text, 1, float(logprob) if logprob <= 0 else None


def _results(document: Document) -> tuple[Generated, ...]:
    results = document.get("results")
    if isinstance(results, list):
        texts = (item.get("generated_text") for item in results if isinstance(item, dict))
        return tuple(Generated(text) for text in texts if isinstance(text, str))
    text = document.get("generated_text")
    return (Generated(text),) if isinstance(text, str) and text else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(*values: object) -> int | None:
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**53), None)


def _usage(document: Document, status: object) -> Usage:
    inner: Document = status if isinstance(status, dict) else {}
    read = (
        _count(document.get("num_input_tokens"), inner.get("tokens_input")),
        _count(document.get("num_output_tokens"), document.get("num_tokens"), inner.get("tokens_generated")),
        _cost(document.get("estimated_cost"), inner.get("cost")),
    )
    # Nearly every frame says nothing here: they share one value.
    return NO_USAGE if read == (None, None, None) else Usage(*read)


def _cost(*values: object) -> float | None:
    numbers = (v for v in values if isinstance(v, int | float) and not isinstance(v, bool))
    return next((float(n) for n in numbers if 0 <= n < _MAX_COST_USD), None)


# -- the other side


def _read_body(document: Document) -> tuple[object, dict[str, object]]:
    return document.get("input"), {name: document[name] for name in _FIELDS if name in document}


def _write_events(frame: Frame) -> Iterator[SseEvent]:
    if frame.error is not None:
        yield _event({"error_type": "InferenceError", "error_message": frame.error.summary})
        return
    text = frame.reasoning or frame.text
    is_special = not text or text in THINK_TEXTS
    yield _event(
        {
            # The schema types the id as null.
            "token": {"id": None, "text": text, "logprob": frame.logprob or 0.0, "special": is_special},
            "details": {"finish_reason": frame.finish_reason} if frame.finish_reason else None,
            "generated_text": _generated_text(frame.results[0]) if frame.results else None,
            "num_output_tokens": frame.usage.output_tokens,
            "num_input_tokens": frame.usage.input_tokens,
            "estimated_cost": frame.usage.cost_usd,
            "request_id": frame.request_id,
        }
    )
    if frame.is_done:
        yield SseEvent("message", DEEPINFRA.end_word)


def _event(document: Document) -> SseEvent:
    return SseEvent("message", json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def _generated_text(generated: Generated) -> str:
    return (generated.reasoning or "") + generated.text


def _write_reply(frame: Frame) -> Document:
    if frame.is_queued:
        return {"results": [], "request_id": frame.request_id, "inference_status": {"status": "queued", "cost": 0}}
    usage = frame.usage
    status = {
        "status": "succeeded",
        "runtime_ms": 1,
        "cost": usage.cost_usd,
        "tokens_generated": usage.output_tokens,
        "tokens_input": usage.input_tokens,
    }
    return {
        "results": [{"generated_text": _generated_text(generated)} for generated in frame.results],
        "num_tokens": usage.output_tokens,
        "num_input_tokens": usage.input_tokens,
        "request_id": frame.request_id,
        "inference_status": status,
    }


def _write_refusal(findings: Sequence[Mistake]) -> Document:
    return {
        "detail": [
            {"loc": ["body"] if place is None else ["body", place], "msg": message, "type": kind}
            for place, message, kind in findings
        ]
    }


DEEPINFRA = Dialect(
    name="deepinfra",
    fields=_FIELDS,
    own_names=frozenset({"input", *_FIELDS}),
    prompt_name="input",
    base_url="https://api.deepinfra.com/v1/inference",
    address=_address,
    write_body=_write_body,
    read_document=_read,
    reply_keys=("token", "details", "generated_text", "results", "inference_status", *_BESIDE_A_REPLY),
    error_keys=_ERRORS,
    key_variables=_KEY_VARIABLES,
    end_word="[DONE]",
    needs_end=True,
    text_places=(("token", "text"),),
    twin=Twin(
        # Right below the address that is announced, too.
        path=re.compile(r".*/inference/.+|/(?!v\d+/|chat/)[^/]+/[^/]+"),
        shown_path="/v1/inference/MODEL",
        about="the native text generation endpoint:\nPOST /v1/inference/moonshotai/Kimi-K2.5, or without /v1/inference",
        read_body=_read_body,
        write_events=_write_events,
        write_reply=_write_reply,
        write_error=lambda message: {"detail": {"error": message}},
        write_refusal=_write_refusal,
    ),
)
