"""A second dialect, as unlike the first as it gets: other names, other events, and reasoning in a field of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from kimi_tui.core.session.session import NO_USAGE, Usage
from kimi_tui.core.wire.dialect import Dialect, Document, Frame, Generated, Mistake, Twin
from kimi_tui.core.wire.endpoint_errors import ErrorKeys, error_in_stream, error_words
from kimi_tui.core.wire.fields import Bound, ranged
from kimi_tui.core.wire.sse import SseEvent

NAMES = {"max_new_tokens": "limit", "temperature": "heat", "stop": "until", "stream": "live", "webhook": "hook"}
SPECS = (
    ranged("max_new_tokens", None, Bound(1), Bound(100_000)),
    ranged("temperature", 1, Bound(0), Bound(2)),
    ranged("stop", maximum=Bound(4)),
    ranged("stream", False),
    ranged("webhook"),
)
ERRORS = ErrorKeys(("oops",), statuses=("number",), place="at", findings=("why",), key_variable="TINY_KEY")


def write_body(model: str, prompt: str, fields: Mapping[str, object]) -> dict[str, object]:
    return {"who": model, "ask": prompt, **{NAMES[name]: value for name, value in fields.items()}}


def read(document: Document, event_type: str) -> Frame:
    if words := error_words(document, ERRORS):
        return Frame(error=error_in_stream({}, words, ERRORS))
    if event_type == "said" or "say" in document:
        return Frame(str(document.get("say", "")), 1, reasoning=str(document.get("thought", "")))
    used, whole = document.get("used"), document.get("all")
    return Frame(
        results=tuple(Generated(item["say"], item["thought"]) for item in whole) if isinstance(whole, list) else (),
        usage=Usage(*used) if isinstance(used, list) else NO_USAGE,
        is_queued=document.get("later") is True,
    )


def read_body(document: Document) -> tuple[object, dict[str, object]]:
    return document.get("ask"), {name: document[wire] for name, wire in NAMES.items() if wire in document}


def answer_of(text: str) -> str:
    return text.removeprefix("</think>")


def write_events(frame: Frame) -> Iterator[SseEvent]:
    if frame.error is not None:
        yield event("said", oops=frame.error.summary)
    elif frame.is_done:
        yield event("sum", used=[frame.usage.input_tokens, frame.usage.output_tokens])
    elif said := answer_of(frame.text) or frame.reasoning:
        yield event("said", **{"thought" if frame.reasoning else "say": said})


def event(type_: str, **document: object) -> SseEvent:
    return SseEvent(type_, json.dumps(document))


def write_reply(frame: Frame) -> Document:
    if frame.is_queued:
        return {"later": True}
    said = [{"say": answer_of(result.text), "thought": result.reasoning} for result in frame.results]
    return {"all": said, "used": [frame.usage.input_tokens, frame.usage.output_tokens]}


def write_refusal(findings: Sequence[Mistake]) -> Document:
    return {"oops": "; ".join(f"{NAMES.get(str(f.place), f.place)}: {f.message}" for f in findings)}


TINY = Dialect(
    name="tiny",
    fields={spec.name: spec for spec in SPECS},
    own_names=frozenset({"who", "ask", *NAMES.values()}),
    prompt_name="ask",
    base_url="https://tiny.example",
    address=lambda base_url, model: f"{base_url}/say",
    write_body=write_body,
    read_document=read,
    reply_keys=("say", "thought", "used", "oops"),
    error_keys=ERRORS,
    key_variables=(ERRORS.key_variable,),
    end_word="that was all",
    needs_end=False,
    text_places=(("thought",), ("say",)),
    twin=Twin(
        path=re.compile("/say"),
        shown_path="/say",
        about="a tiny dialect:\nPOST /say",
        read_body=read_body,
        write_events=write_events,
        write_reply=write_reply,
        write_error=lambda message: {"oops": message},
        write_refusal=write_refusal,
    ),
)
