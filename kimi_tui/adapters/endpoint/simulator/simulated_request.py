"""A request's body, checked as the endpoint checks it: by the dialect's fields, errors in its own shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kimi_tui.core.errors import FieldError
from kimi_tui.core.wire.dialect import Dialect, Finding
from kimi_tui.core.wire.fields import FieldKind, FieldSpec


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no reply."""

    status: int
    """HTTP status."""
    document: Mapping[str, object]
    """Its body."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body asks for, checked."""

    prompt: str
    """The prompt."""
    fields: Mapping[str, object]
    """Its fields by our names, those that are null left out."""


def read_body(body: bytes, dialect: Dialect) -> Asked | Refusal:
    """Read a body; 422 with what keeps it from being read, or every wrong field."""
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        findings = [Finding(error.pos, str(error), "value_error.jsondecode")]
    except (ValueError, RecursionError):
        findings = [Finding(None, "this cannot be read as JSON", "value_error.jsondecode")]
    else:
        if isinstance(document, dict):
            prompt, fields = dialect.twin.read_body(document)
            if not (findings := _findings(dialect, document, prompt, fields)):
                return Asked(str(prompt), {name: value for name, value in fields.items() if value is not None})
        else:
            findings = [Finding(None, "value is not a valid dict", "type_error.dict")]
    return Refusal(422, dialect.twin.write_refusal(findings))


def _findings(
    dialect: Dialect, document: Mapping[str, object], prompt: object, fields: Mapping[str, object]
) -> list[Finding]:
    if dialect.prompt_name not in document:
        return [Finding(dialect.prompt_name, "field required", "value_error.missing")]
    input_ = FieldSpec(dialect.prompt_name, FieldKind.STRING, "", default="")
    values = [(input_, prompt), *((dialect.fields[name], value) for name, value in fields.items())]
    findings = [found for spec, value in values if (found := _wrong(spec, value)) is not None]
    if not findings and fields.get("stream") and fields.get("num_responses", 1) != 1:
        return [Finding("num_responses", "streaming goes with one response only", "value_error")]
    return findings


def _wrong(spec: FieldSpec, value: object) -> Finding | None:
    if value is None:  # what has no default may be left open: of max_new_tokens the reference says so
        is_open = spec.default is None
        return None if is_open else Finding(spec.name, "none is not an allowed value", "type_error.none.not_allowed")
    try:
        spec.check(value)
    except FieldError as error:
        return Finding(spec.name, f"found {error.found}, allowed {error.allowed}", "value_error")
    return None
