"""What a request gets: decided from its body alone, so that the same request always gets the same.

The body is checked by the table of request fields and the prompt is parsed, strictly: a wrong template shows.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_tui.adapters.simulator import tour
from kimi_tui.core.errors import FieldError
from kimi_tui.core.fields import FIELDS, check_value
from kimi_tui.core.neutralise import decode
from kimi_tui.core.session import Role
from kimi_tui.core.template import THINK_CLOSE, ParsedPrompt, PromptSyntaxError, parse_prompt

TOKEN = re.compile(r"\n+| ?[A-Za-z]{1,7}| {2,}| ?[0-9]{1,3}| ?[^\sA-Za-z0-9]{1,2}|\s")
"""Pieces about as long as a model's tokens."""
USD_PER_INPUT_TOKEN, USD_PER_OUTPUT_TOKEN = 5e-7, 2.8e-6
"""Invented prices, so that the status line has something to show."""
FAILURES = {
    "funds": (402, "not enough funds"),
    "busy": (429, "model busy, try again later"),
    "error": (500, "inference failed"),
}
"""Words that ask for an error before the stream, its status and its words."""
CUT_AFTER_TOKENS = 30
"""Where a stream that is to break breaks."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no reply."""

    status: int
    """HTTP status."""
    document: Mapping[str, object]
    """Its body."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A reply that is to be played."""

    replies: tuple[tuple[str, ...], ...]
    """The tokens of each reply."""
    finish_reason: str
    """Why it ends."""
    is_streamed: bool
    """Whether it goes out token by token."""
    input_tokens: int
    """Size of the prompt."""
    breaks: str = ""
    """How it breaks off: "error", "cut" or not at all."""
    request_id: str = field(default="sim-0")
    """Its name."""

    @property
    def usage(self) -> dict[str, object]:
        """Counts and cost in the streaming schema's words."""
        made = sum(len(tokens) for tokens in self.replies)
        cost = self.input_tokens * USD_PER_INPUT_TOKEN + made * USD_PER_OUTPUT_TOKEN
        return {"num_output_tokens": made, "num_input_tokens": self.input_tokens, "estimated_cost": round(cost, 8)}


def respond(body: bytes) -> Refusal | Plan:
    """Decide what a request gets."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal(400, {"detail": "the body is no JSON"})
    if not isinstance(document, dict):
        return Refusal(400, {"detail": "the body is no JSON object"})
    findings = _findings(document)
    if findings:
        return Refusal(422, {"detail": findings})
    if document.get("webhook"):
        return Refusal(200, {"request_id": "sim-0", "inference_status": {"status": "queued"}})
    return _plan({name: value for name, value in document.items() if value is not None})


def _findings(document: Mapping[str, object]) -> list[dict[str, object]]:
    """What is wrong with the fields, in the endpoint's own shape."""
    if document.get("input") is None:
        return [{"loc": ["body", "input"], "msg": "field required", "type": "value_error.missing"}]
    findings: list[dict[str, object]] = []
    for name in FIELDS:
        if document.get(name) is None:
            continue
        try:
            check_value(name, document[name])
        except FieldError as error:
            findings.append({"loc": ["body", name], "msg": f"allowed: {error.allowed}", "type": "value_error"})
    if document.get("stream") and document.get("num_responses", 1) != 1 and not findings:
        message = "streaming goes with one response only"
        findings.append({"loc": ["body", "num_responses"], "msg": message, "type": "value_error"})
    return findings


def _plan(document: Mapping[str, object]) -> Refusal | Plan:
    prompt = str(document["input"])
    try:
        parsed = parse_prompt(prompt)
    except PromptSyntaxError as error:
        text = f"The input is not templated as the reference shows: {error}."
        return _cut_plan(document, [text], "", prompt)
    question = _last_question(parsed)
    for word, (status, message) in FAILURES.items():
        if word in _words(question) and "stream" not in _words(question):
            return Refusal(status, {"detail": {"error": message}})
    count = document.get("num_responses", 1)
    seeds = [_seed(document, question, n) for n in range(count if isinstance(count, int) else 1)]
    texts = [_text(parsed, question, random.Random(seed), document.get("response_format")) for seed in seeds]
    words = _words(question)
    breaks = "cut" if "cut" in words else "error" if {"stream", "error"} <= words else ""
    length = "length" in words
    return _cut_plan(document, texts, breaks, prompt, most=40 if length else None)


def _cut_plan(
    document: Mapping[str, object], texts: list[str], breaks: str, prompt: str, most: int | None = None
) -> Plan:
    """Apply `stop` and `max_new_tokens`."""
    limits = [n for n in (document.get("max_new_tokens"), most) if isinstance(n, int)]
    stops = document.get("stop")
    replies, reason = [], "stop"
    for text in texts:
        tokens = tokenise(stopped(text, stops if isinstance(stops, list) else []))
        if limits and len(tokens) > min(limits):
            tokens, reason = tokens[: min(limits)], "length"
        replies.append(tokens)
    is_streamed = document.get("stream") is True
    return Plan(tuple(replies), reason, is_streamed, max(len(prompt) // 4, 1), breaks, f"sim-{len(prompt)}")


def stopped(text: str, stops: list[str]) -> str:
    """Cut a text before the first stop sequence."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text


def tokenise(text: str) -> tuple[str, ...]:
    """Cut a text into pieces; the closing think marker is a piece of its own."""
    parts = re.split(f"({re.escape(THINK_CLOSE)})", text)
    return tuple(token for part in parts for token in ([part] if part == THINK_CLOSE else TOKEN.findall(part)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def _last_question(parsed: ParsedPrompt) -> str:
    return next((decode(turn.text) for turn in reversed(parsed.turns) if turn.role is Role.USER), "")


def _seed(document: Mapping[str, object], question: str, number: int) -> str:
    return f"{document.get('seed', 'none')}/{number}/{question}"


def _text(parsed: ParsedPrompt, question: str, chance: random.Random, response_format: object) -> str:
    """The whole text of a reply: thinking, its end, the answer."""
    answer = _formatted(response_format) or _answer(parsed, question, chance)
    if not parsed.thinking:
        return answer
    return f"{_thinking(parsed, question, chance)}{THINK_CLOSE}{answer}"


def _thinking(parsed: ParsedPrompt, question: str, chance: random.Random) -> str:
    turns = sum(turn.role is Role.USER for turn in parsed.turns)
    system = next((decode(turn.text) for turn in parsed.turns if turn.role is Role.SYSTEM), "")
    start = chance.choice(["Let me see.", "So.", "All right."])
    parts = [f"{start} The user says: {json.dumps(question[:200], ensure_ascii=False)}."]
    parts.append(f"It is question {turns} of this conversation.")
    if system:
        parts.append(f"The system prompt asks: {json.dumps(system[:200], ensure_ascii=False)}.")
    parts.append("I am a simulator and know a few topics. I look for one of their words, else I say which there are.")
    return " ".join(parts)


def _answer(parsed: ParsedPrompt, question: str, chance: random.Random) -> str:
    words = _words(question)
    if words & {"long", "cut", "length"} or {"stream", "error"} <= words:
        return tour.long_text()
    if (memory := _memory(parsed, question)) is not None:
        return memory
    for topic, text in tour.TOPICS:
        if words & set(topic):
            return text
    greeting = chance.choice(["Noted.", "I see.", "Thank you."])
    count = sum(turn.role is Role.USER for turn in parsed.turns)
    shown = question if len(question) <= 300 else question[:300] + "…"
    return (
        f"{greeting} You wrote:\n\n{_quoted(shown)}\n\nThat is message {count} of this conversation. I am the offline "
        "simulator; say `tour` to see what I can show: *markdown*, *code*, *table*, *long*, *cjk*, *math*, *error* …\n"
    )


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _memory(parsed: ParsedPrompt, question: str) -> str | None:
    """What it remembers of the conversation; a wrong history shows here."""
    questions = [decode(turn.text) for turn in parsed.turns if turn.role is Role.USER]
    if re.search(r"what did i (say|write) first", question, re.IGNORECASE):
        return f"The first thing you wrote was:\n\n{_quoted(questions[0])}\n"
    if re.search(r"what is my name", question, re.IGNORECASE):
        names = [m[1] for q in questions for m in re.finditer(r"my name is (\w+)", q, re.IGNORECASE)]
        return f"Your name is **{names[-1]}**.\n" if names else "You have not told me your name.\n"
    return None


def _formatted(response_format: object) -> str | None:
    """A text in the form that was asked for; None = none was."""
    if not isinstance(response_format, dict):
        return None
    match response_format.get("type"):
        case "json_object":
            return json.dumps({"answer": "a JSON object from the simulator", "ok": True})
        case "json_schema":
            return json.dumps(instance(response_format["json_schema"]["schema"]), ensure_ascii=False)
        case "regex":
            return matching(str(response_format["regex"]))
    return None


def instance(schema: object, depth: int = 0) -> object:  # noqa: PLR0911 - one line a type
    """A plain value that fits a schema's types."""
    if not isinstance(schema, dict) or depth > 8:
        return None
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    properties = schema.get("properties")
    match schema.get("type", "object" if properties else None):
        case "object":
            items = properties.items() if isinstance(properties, dict) else ()
            return {name: instance(part, depth + 1) for name, part in items}
        case "array":
            return [instance(schema.get("items"), depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return "lamb"
    return None


def matching(pattern: str) -> str:
    """A text that a simple pattern matches; "" where none of the usual ones does."""
    candidates = ("yes", "no", "lamb", "42", "1", "a", "A", "true", "2026-11-23", "a@example.org", "10:30", "")
    alternatives = re.findall(r"[\w -]+", pattern)
    try:
        return next((text for text in (*candidates, *alternatives) if re.fullmatch(pattern, text)), "")
    except re.error:
        return ""
