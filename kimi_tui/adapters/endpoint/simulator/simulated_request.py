"""A request's body, checked as the endpoint checks it: by the table of request fields, errors in its own shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kimi_tui.core.errors import FieldError
from kimi_tui.core.wire.fields import FIELDS, check_value


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
        The fields; or 422 with what keeps the body from being read, or every wrong field.
    """
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        return _refusal({"loc": ["body", error.pos], "msg": str(error), "type": "value_error.jsondecode"})
    except (ValueError, RecursionError):
        return _refusal({"loc": ["body"], "msg": "this cannot be read as JSON", "type": "value_error.jsondecode"})
    if not isinstance(document, dict):
        return _refusal({"loc": ["body"], "msg": "value is not a valid dict", "type": "type_error.dict"})
    if findings := _findings(document):
        return _refusal(*findings)
    return {name: value for name, value in document.items() if value is not None}


def _refusal(*findings: Mapping[str, object]) -> Refusal:
    return Refusal(422, {"detail": findings})


def _findings(fields: Mapping[str, object]) -> list[dict[str, object]]:
    if "input" not in fields:
        return [_finding("input", "field required", "value_error.missing")]
    findings = [found for name in FIELDS if name in fields and (found := _wrong(name, fields[name])) is not None]
    if not findings and fields.get("stream") and fields.get("num_responses", 1) != 1:
        findings = [_finding("num_responses", "streaming goes with one response only", "value_error")]
    return findings


def _wrong(name: str, value: object) -> dict[str, object] | None:
    if value is None:  # what has no default in the schema may be left open: of max_new_tokens it says so
        has_to_be = name == "input" or FIELDS[name].default is not None
        return _finding(name, "none is not an allowed value", "type_error.none.not_allowed") if has_to_be else None
    try:
        check_value(name, value)
    except FieldError as error:
        return _finding(name, f"found {error.found}, allowed {error.allowed}", "value_error")
    return None


def _finding(name: str, message: str, kind: str) -> dict[str, object]:
    return {"loc": ["body", name], "msg": message, "type": kind}
