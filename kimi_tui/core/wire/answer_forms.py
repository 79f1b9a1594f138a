"""The form that an answer is held to, whether it keeps it, and how it is shown: values and words.

Who looks whether it keeps it runs schemas and patterns of others, and so is an adapter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from kimi_tui.core.errors import FieldError
from kimi_tui.core.session.endings import cut
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.fields import FIELDS

MAX_SHOWN_CHARS = 200_000
"""A longer answer is shown as it came: to lay it out takes too long."""
MAX_DEPTH = 100
"""Likewise one that is nested deeper, whose lines would be blanks for the most part."""
TOLD_FINDINGS = 5
"""Most findings that a notice tells."""
JSON_TYPES = frozenset({"json_object", "json_schema"})
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_CLOSING = {"{": "}", "[": "]"}


class FormFinding(NamedTuple):
    path: str
    """Where in the answer or the schema, such as $.lamb[0]; "" = it is about all of it."""
    message: str
    """On one line, harmless."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class FormCheck(NamedTuple):
    findings: tuple[FormFinding, ...] = ()
    """What is wrong, the first ones; () = nothing is, or it was not checked."""
    unchecked: str = ""
    """Why it could not be checked; "" = it was."""

    @property
    def words(self) -> str:
        """The findings as one line; "" = there are none."""
        told = "; ".join(map(str, self.findings[:TOLD_FINDINGS]))
        more = len(self.findings) - TOLD_FINDINGS
        return f"{told}; and {more} more" if more > 0 else told


def form_of(reply: Message) -> Mapping[str, object] | None:
    """The response format that the last request behind a reply sent; None = it sent none that holds to anything."""
    if reply.role is not Role.ASSISTANT:
        return None
    last = reply.requests[-1].sent if reply.requests else None
    stored = (reply.sent or {} if last is None else last).get("response_format")
    if stored is None:
        return None
    try:
        form = FIELDS["response_format"].check_stored(stored)
    except FieldError:  # of another program
        return None
    return form if isinstance(form, Mapping) and form.get("type") != "text" else None


def is_to_be_checked(reply: Message) -> bool:
    """Whether a reply should keep a form: one that was cut cannot, and is gone on with."""
    is_whole = reply.state is MessageState.COMPLETE and not cut(reply) and bool(reply.content)
    return is_whole and form_of(reply) is not None


def is_json_form(form: object) -> bool:
    return isinstance(form, Mapping) and form.get("type") in JSON_TYPES


def form_name(form: Mapping[str, object]) -> str:
    """What a form is called in a sentence."""
    schema = form.get("json_schema")
    if form.get("type") == "json_schema" and isinstance(schema, Mapping):
        return f"the schema {schema.get('name')}"
    return "the pattern" if form.get("type") == "regex" else "a JSON object"


def feedback(form: Mapping[str, object], check: FormCheck) -> str:
    """A message that says what is wrong with an answer, and asks for another one."""
    lines = [f"- {finding}" for finding in check.findings]
    what = counted(len(lines), "error")
    return "\n".join(
        [f"Your answer is not what was asked for ({form_name(form)}): {what}.", *lines, "Answer again, in that form."]
    )


def laid_out(answer: str) -> str:
    """JSON as an indented block of Markdown code, every token as it came; its beginning as it is, in such a block.

    Other texts are given back.
    """
    if not 0 < len(answer) <= MAX_SHOWN_CHARS or answer.lstrip()[:1] not in {"{", "["}:
        return answer
    lines = indented(answer) if _is_json(answer) else None
    is_closed = lines is None and "````" in answer
    return answer if is_closed else f"{JSON_FENCE}{answer if lines is None else lines}\n````\n"


JSON_FENCE = "````json\n"
"""Begins the block; an answer that is JSON holds no line that could end it."""


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str, parse_float=str), dict | list)
    except (ValueError, RecursionError):
        return False


def indented(text: str) -> str | None:
    """Write JSON on lines of its own, two blanks a level; only white space changes. None = it is nested too deep."""
    pieces, depth = list[str](), 0
    tokens = _TOKEN.findall(text)
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else ""
        if token in "}]":
            depth -= 1
            if _CLOSING.get(before) != token:
                pieces.append("\n" + "  " * depth)
        elif before in {"{", "[", ","}:
            pieces.append("\n" + "  " * depth)
        pieces.append(": " if token == ":" else token)
        if token in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return None
    return "".join(pieces)
