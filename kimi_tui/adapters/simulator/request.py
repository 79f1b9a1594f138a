"""A request's body, checked as the endpoint checks it: by the table of request fields, errors in its own shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kimi_tui.core.errors import FieldError
from kimi_tui.core.fields import FIELDS, check_value


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no reply."""

    status: int
    """HTTP status."""
    document: Mapping[str, object]
    """Its body."""


def read_body(body: bytes) -> Mapping[str, object] | Refusal:
    """Read a body's fields, those that are null left out.

    Returns:
        The fields; or 400 for what is no JSON object, 422 with every wrong field.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal(400, {"detail": {"error": "the body is no JSON"}})
    if not isinstance(document, dict):
        return Refusal(400, {"detail": {"error": "the body is no JSON object"}})
    fields = {name: value for name, value in document.items() if value is not None}
    if findings := _findings(fields):
        return Refusal(422, {"detail": findings})
    return fields


def _findings(fields: Mapping[str, object]) -> list[dict[str, object]]:
    if "input" not in fields:
        return [_finding("input", "field required", "value_error.missing")]
    findings = [found for name in FIELDS if name in fields and (found := _wrong(name, fields[name])) is not None]
    if not findings and fields.get("stream") and fields.get("num_responses", 1) != 1:
        findings = [_finding("num_responses", "streaming goes with one response only", "value_error")]
    return findings


def _wrong(name: str, value: object) -> dict[str, object] | None:
    try:
        check_value(name, value)
    except FieldError as error:
        return _finding(name, f"found {error.found}, allowed {error.allowed}", "value_error")
    return None


def _finding(name: str, message: str, kind: str) -> dict[str, object]:
    return {"loc": ["body", name], "msg": message, "type": kind}
