"""Whether a text keeps a form is found out in a process with limits: hostile schemas and patterns cost a moment."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import pytest

from kimi_tui.adapters.forms.form_process import check
from kimi_tui.core.wire.answer_forms import FormCheck, FormFinding
from tests.core.text.test_foreign_pattern import HOSTILE

OBJECT = {"type": "json_object"}


def schema(document: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": document}}


def pattern(text: str) -> dict[str, object]:
    return {"type": "regex", "regex": text}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (schema({"type": "object"}), '{"a": 1}'),
        (schema({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}), "1"),
        (schema({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {}}), "null"),
        (schema({"pattern": "^[a-z]+$"}), '"abc"'),
        (schema({}), "9" * 5000),
        (OBJECT, " {}\n"),
        (pattern("(yes|no)"), "yes"),
        (schema({"type": "object"}), None),
        (schema({"enum": [{"$ref": "#/none"}]}), None),
        (schema({"properties": {"$ref": {"type": "string"}, "$id": {"default": {"$ref": "#/none"}}}}), None),
        (schema({"$ref": "https://json-schema.org/draft/2020-12/schema"}), None),
        (schema({"$schema": "https://nobody.example/", "$ref": "#/$defs/a", "$defs": {"a": {}}}), None),
        (schema(True), None),
        (pattern("(yes|no)"), None),
    ],
)
def test_what_keeps_its_form(form: dict[str, object], text: str | None) -> None:
    found = check(form, text)
    assert (found.findings, found.unchecked) == ((), "")


@pytest.mark.parametrize(
    ("form", "text", "path", "words"),
    [
        (
            schema({"properties": {"a": {"items": {"type": "integer"}}}}),
            '{"a": [1, "x"]}',
            "$.a[1]",
            "'x' is not of type",
        ),
        (schema({"required": ["a"]}), "{}", "$", "'a' is a required property"),
        (schema({"type": "object"}), "{", "", "it is no JSON: line 1, column 2"),
        (schema({}), "NaN", "", "it is no JSON"),
        (OBJECT, "[]", "$", "no object"),
        (pattern("a+"), "aab", "", "does not fit"),
        (schema({"type": "objekt"}), None, "$.type", "objekt"),
        (schema({"$ref": "#/$defs/none"}), None, "$.$ref", "not in the schema"),
        (
            schema({"properties": {"enum": {"properties": {"properties": {"$ref": "#/$defs/none"}}}}}),
            None,
            "$.properties.enum.properties.properties.$ref",
            "not in the schema",
        ),
        (schema({"$ref": "#/$defs/none", "$schema": "http://json-schema.org/draft-07/schema#"}), None, "$.$ref", "not"),
        (pattern("(a"), None, "", "unterminated"),
    ],
)
def test_what_does_not_is_pointed_at(form: dict[str, object], text: str | None, path: str, words: str) -> None:
    found = check(form, text)
    assert (found.findings[0].path, found.unchecked) == (path, "")
    assert words in found.findings[0].message


def test_findings_are_harmless_and_short() -> None:
    found = check(
        schema({"properties": {"\x1b[31m": {"const": "x"}}}), '{"\\u001b[31m": "\\u001b]0;\\u0007' + "y" * 9999 + '"}'
    )
    (finding,) = found.findings
    assert isinstance(finding, FormFinding)
    assert not set("\x1b\x07") & set(str(finding))
    assert len(str(finding)) < 400


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (pattern("(a+)+$"), "a" * 40 + "!"),
        (schema({"pattern": "(a|aa)+$"}), '"' + "a" * 80 + '!"'),
        (schema({"$ref": "#"}), "{}"),
        (schema({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}), "{}"),
        (OBJECT, "[" * 200_000),
        (pattern("(a"), "a"),
    ],
)
def test_what_would_run_for_ever_is_not_checked(form: dict[str, Any], text: str) -> None:
    found = check(form, text, limit_s=1.5)
    assert found.unchecked
    assert not found.findings


def test_hostile_patterns_end() -> None:
    for hostile in HOSTILE[:8]:
        check(pattern(hostile), "a" * 30, limit_s=0.5)


def test_nothing_is_fetched() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        found = check(schema({"$ref": address}), "{}")
        assert "not in it" in found.unchecked
        assert check(schema({"$schema": address, "type": "object"}), "[]").findings
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_process_has_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The program is one of ours that writes its environment down."""
    (tmp_path / "spy.py").write_text(
        f"import os, json; open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))"
    )
    monkeypatch.setenv("DEEPINFRA_TOKEN", "sk-secret")
    monkeypatch.setattr("kimi_tui.adapters.forms.form_process.PROGRAM", "spy")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert check(OBJECT, "{}").unchecked
    assert "sk-secret" not in (tmp_path / "seen").read_text()


def test_a_check_that_nobody_waits_for_ends() -> None:
    stopped, found = threading.Event(), list[FormCheck]()
    looking = threading.Thread(target=lambda: found.append(check(pattern("(a+)+$"), "a" * 40 + "!", stopped, 60)))
    looking.start()
    stopped.set()
    looking.join(20)
    assert (looking.is_alive(), bool(found[0].unchecked)) == (False, True)
