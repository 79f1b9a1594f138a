"""Request fields as texts that a person reads and edits, and back; what is wrong in one says where.

What a line cannot show stands there as an escape, as in JSON: backslash and n for a line end, two for a backslash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from kimi_tui.core.errors import FieldError
from kimi_tui.core.text.foreign_pattern import pattern_mistake
from kimi_tui.core.text.visible import visible, visible_line
from kimi_tui.core.wire.fields import FIELDS, SETTABLE, FieldSpec

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.?))", re.DOTALL)
_BARE_POINT = re.compile(r"^(\s*-?)\.(?=[0-9])")
DEFAULT_SCHEMA_NAME = "reply"


def escaped(text: str) -> str:
    """Write a text on one line, what cannot be seen as escapes."""
    return "".join(_SHORT.get(char) or (char if visible(char) == char else _code(char)) for char in text)


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def unescaped(line: str) -> str:
    """Undo `escaped`; raises ValueError where an escape is none, and says which."""
    return _ESCAPE.sub(_meant, line)


def _meant(match: re.Match[str]) -> str:
    code, short = match[1] or match[2], match[3]
    if code and int(code, 16) <= 0x10FFFF and not 0xD800 <= int(code, 16) <= 0xDFFF:
        return chr(int(code, 16))
    if short in _LONG:
        return _LONG[short]
    raise ValueError(f"{match[0]} is no escape; \\\\ is a backslash, \\n a line end")


def stop_lines(stops: object) -> str:
    return "\n".join(escaped(stop) for stop in stops if isinstance(stop, str)) if isinstance(stops, list) else ""


def parse_stop_lines(spec: FieldSpec, text: str) -> list[str]:
    """Empty lines say nothing, blanks count; raises FieldError where a line cannot be read, or there are too many."""
    found: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        try:
            found.append(unescaped(line))
        except ValueError as error:
            raise FieldError(spec.name, f"in line {number}: {error}", spec.allowed) from None
    if not spec.holds(len(found)):
        raise FieldError(spec.name, f"{len(found)} strings", spec.allowed)
    spec.check(found)
    return found


_WORD = re.compile(r'"([^"]+)"|([^ \t\r\n]+)')


def parse_stop_words(text: str) -> list[str]:
    """Read what `short_text` writes: escaped words with blanks between them, in quotes those that hold blanks.

    Raises FieldError where an escape is none.
    """
    try:
        return [unescaped(match[1] or match[2]) for match in _WORD.finditer(text)]
    except ValueError as error:
        raise FieldError("stop", str(error), FIELDS["stop"].allowed) from None


def edit_text(value: object | None) -> str:
    """A value as it is typed; None = not sent is the empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number_text(text: str) -> str:
    """A number as JSON writes it: one that begins with its point, as people type it, gets a zero before that."""
    return _BARE_POINT.sub(r"\g<1>0.", text)


def short_text(name: str, value: object) -> str:
    if name == "stop" and isinstance(value, list):
        return " ".join(f'"{escaped(stop)}"' if " " in stop else escaped(stop) for stop in value)
    if name == "response_format" and isinstance(value, Mapping):
        return visible_line(f"{value.get('type')} {_detail(value)}".strip())
    return escaped(value) if isinstance(value, str) else visible_line(json.dumps(value, ensure_ascii=False))


def _detail(form: Mapping[str, object]) -> str:
    schema = form.get("json_schema")
    if form.get("type") == "json_schema" and isinstance(schema, Mapping):
        return str(schema.get("name"))
    return str(form.get("regex")) if form.get("type") == "regex" else ""


# -- response formats


def format_type(value: object | None) -> str:
    """The form's name; "" = not sent."""
    return str(value.get("type")) if isinstance(value, Mapping) else ""


def format_parts(value: object | None) -> tuple[str, str, str]:
    """What of a form is edited: the schema's name, the schema as indented JSON, the pattern; "" where there is none."""
    form = value if isinstance(value, Mapping) else {}
    schema = form.get("json_schema")
    pattern = form.get("regex")
    if not isinstance(schema, Mapping):
        return "", "", pattern if isinstance(pattern, str) else ""
    text = json.dumps(schema.get("schema"), ensure_ascii=False, indent=2)
    return str(schema.get("name")), text, pattern if isinstance(pattern, str) else ""


def schema_format(name: str, text: str, old: object | None = None) -> object:
    """Keys that `old` has besides stay; raises FieldError for an empty name or no JSON object, and says where."""
    if not name.strip():
        raise FieldError("response_format", "a schema without a name", "a name such as reply")
    schema = _json_object(text)
    before = old.get("json_schema") if isinstance(old, Mapping) else None
    kept = {key: value for key, value in old.items() if key != "regex"} if isinstance(old, Mapping) else {}
    inner = {**(before if isinstance(before, Mapping) else {}), "name": name.strip(), "schema": schema}
    return FIELDS["response_format"].check({**kept, "type": "json_schema", "json_schema": inner})


def _json_object(text: str) -> dict[str, object]:
    allowed = 'a JSON object such as {"type": "object"}'
    if not text.strip():
        raise FieldError("response_format", "no schema", allowed)
    try:
        schema = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:]
        raise FieldError("response_format", f"line {error.lineno}, column {error.colno}: {what}", allowed) from None
    except RecursionError:
        raise FieldError("response_format", "JSON nested too deep", allowed) from None
    except ValueError as error:
        raise FieldError("response_format", visible_line(str(error)), allowed) from None
    if not isinstance(schema, dict):
        raise FieldError("response_format", f"JSON that is no object: {text.strip()[:20]}", allowed)
    return schema


def _no_constant(name: str) -> object:
    raise ValueError(f"{name}, which JSON does not have")


def regex_format(pattern: str) -> object:
    """Raises FieldError where the pattern is empty, or holds half a character."""
    if not pattern:
        raise FieldError("response_format", "no pattern", "a regular expression such as (yes|no)")
    return FIELDS["response_format"].check({"type": "regex", "regex": pattern})


def regex_doubt(pattern: str) -> str:
    """Say what may be wrong with a pattern, and where; "" = nothing. The endpoint's own rules may differ."""
    mistake = pattern_mistake(pattern)
    return f"{mistake}; the endpoint may refuse it" if mistake else ""


_NAMED = re.compile(rf"(?<![\w-])({'|'.join(SETTABLE)})(?![\w-])(:| =| is not sent)?")


def field_named_in(message: str) -> str:
    """The one request field that a message is about; "" = it names none, or several.

    A name that is an ordinary word, such as "stop", counts where something is said of it as of a field.
    """
    found = {name for name, said in _NAMED.findall(message) if said or "_" in name or name == "temperature"}
    return found.pop() if len(found) == 1 else ""
