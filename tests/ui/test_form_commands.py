"""Answers in a form, on the screen: schemas from files, what is shown of the answer, corrections, one request by choice."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.wire.answer_forms import FormCheck, FormFinding
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.form_checks import form_notice
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import program

LAMB = {"type": "object", "properties": {"minutes": {"type": "integer"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "lamb", "schema": LAMB}}
THOUGHT = streaming(token("Hm."), end(), DONE)
FITS = streaming(token('{"minutes":'), token("12}"), end(), DONE)
MISFITS = streaming(token('{"minutes": "x"}'), end(), DONE)


def check(form: Mapping[str, object], text: str | None, stopped: threading.Event | None = None) -> FormCheck:
    """Stands for the process that looks."""
    del stopped
    if text is None:
        return FormCheck()
    return FormCheck((FormFinding("$.minutes", "'x' is not of type 'integer'"),) if "x" in text else ())


@pytest.fixture
def schema(tmp_path: Path) -> str:
    path = tmp_path / "lamb.json"
    path.write_text(json.dumps(LAMB))
    return str(path)


async def test_a_schema_from_a_file_holds_the_answer_which_is_laid_out(tmp_path: Path, schema: str) -> None:
    async with program(tmp_path, THOUGHT, FITS, check_form=check) as running:
        await running.type(f"/schema {schema}<enter>")
        await running.shows("json_schema lamb, in this session")
        await running.shows("thinking, then json_schema")
        await running.type("/copy-body<enter>")
        await running.until(lambda: running.app.clipboard != "")
        copied = json.loads(running.app.clipboard)
        await running.type("Lamb?<enter>")
        await running.shows("The answer keeps the form: the schema lamb.")
        sent = running.client.bodies[0]
        assert {**copied, "input": ""} == {**sent, "input": ""}  # what goes first can be seen before
        assert '"minutes": 12' in running.text  # laid out
        assert running.screen.chat.branch[-1].content == '{"minutes":12}'  # as it came
        assert [body.get("response_format") for body in running.client.bodies] == [None, FORM]
        saved = running.files.read_only(running.screen.chat.path)
        assert json.loads(str(saved.settings["response_format"])) == FORM
        await running.type("/schema off<enter>")
        await running.until(lambda: "then json_schema" not in running.text)


@pytest.mark.parametrize("way", ["/correct<enter>", "<shift+tab>f"])
async def test_what_is_wrong_is_pointed_at_and_goes_into_the_composer(tmp_path: Path, schema: str, way: str) -> None:
    async with program(tmp_path, THOUGHT, MISFITS, THOUGHT, FITS, check_form=check) as running:
        await running.type(f"/schema {schema}<enter>")
        await running.shows("in this session")
        await running.type("Lamb?<enter>")
        await running.shows("$.minutes: 'x' is not of type")
        await running.type(way)
        await running.until(lambda: running.screen.composer.draft != "")
        assert running.screen.composer.draft == (
            "Your answer is not what was asked for (the schema lamb): 1 error.\n"
            "- $.minutes: 'x' is not of type 'integer'\n"
            "Answer again, in that form."
        )
        assert len(running.client.bodies) == 2  # nothing is sent before Enter
        await running.type("<enter>")
        await running.shows("The answer keeps the form")
        assert "- $.minutes: 'x' is not of type" in running.client.bodies[3]["input"]


async def test_an_answer_that_was_cut_is_gone_on_with_in_the_form(tmp_path: Path, schema: str) -> None:
    cut, rest = streaming(token('{"minutes":'), end("length"), DONE), streaming(token("12}"), end(), DONE)
    async with program(tmp_path, THOUGHT, cut, rest, check_form=check) as running:
        await running.type(f"/schema {schema}<enter>")
        await running.shows("in this session")
        await running.type("Lamb?<enter>")
        await running.shows("/continue goes on")
        assert "keeps the form" not in running.text
        await running.type("/continue<enter>")
        await running.shows("The answer keeps the form")
        assert running.client.bodies[2]["input"].endswith('Hm.</think>{"minutes":')
        assert running.client.bodies[2]["response_format"] == FORM


async def test_one_request_by_choice_and_queued_messages_wait_for_both(tmp_path: Path) -> None:
    whole = streaming(token("Hm."), think_end(), token("{}"), end(), DONE)
    config = {"sampling": {"response_format": '{"type": "json_object"}'}}
    held = asyncio.Event()
    answer = streaming(held, token("{}"), end(), DONE)
    async with program(tmp_path, THOUGHT, answer, whole, config=config, check_form=check) as running:
        await running.type("Lamb?<enter>")
        await running.until(lambda: len(running.client.bodies) == 2)
        await running.type("Second<enter>/free-thinking off<enter>")
        await running.shows("thinking in json_object")
        held.set()
        await running.until(lambda: len(running.client.bodies) == 3)
        await running.idle()
        assert [bool(body.get("response_format")) for body in running.client.bodies] == [False, True, True]
        assert "</think>" not in running.client.bodies[2]["stop"]
        assert running.screen.chat.session.settings["free_thinking"] is False


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/check", "No form was asked for"),
        ("/correct", "Nothing is known to be wrong"),
        ("/schema /nowhere.json", "/nowhere.json: "),
        ("/free-thinking maybe", "takes on or off"),
    ],
)
async def test_what_cannot_be_done_is_told(tmp_path: Path, line: str, told: str) -> None:
    async with program(tmp_path, streaming(token("Hm."), think_end(), token("Hi."), end(), DONE)) as running:
        await running.type("Lamb?<enter>")
        await running.shows("Hi.")
        await running.idle()
        await running.type(f"{line}<enter>")
        await running.shows(told)
        assert len(running.client.bodies) == 1


async def test_a_broken_schema_is_set_by_no_command(tmp_path: Path) -> None:
    def refuse(form: Mapping[str, object], text: str | None, stopped: threading.Event | None = None) -> FormCheck:
        del text, stopped
        return FormCheck((FormFinding("$.type", "'objekt' is not one of 'array'"),) if "objekt" in str(form) else ())

    async with program(tmp_path, check_form=refuse) as running:
        broken = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}}
        await running.type(f"/set response_format {json.dumps(broken)}<enter>")
        await running.shows("response_format: $.type: 'objekt'")
        assert "response_format" not in running.screen.chat.session.settings
        await running.type(f"/set response_format {json.dumps(FORM)}<enter>")
        await running.shows("for this session")
        assert "response_format" in running.screen.chat.session.settings


def reply(content: str, form: object) -> Message:
    return Message("m2", Role.ASSISTANT, content, "m1", state=MessageState.COMPLETE, sent={"response_format": form})


def test_only_what_was_to_be_json_is_laid_out() -> None:
    assert message_entry(reply('{"a":1}', FORM)).text == '````json\n{\n  "a": 1\n}\n````\n'
    assert message_entry(reply('{"a":1}', {"type": "regex", "regex": ".*"})).text == '{"a":1}'
    assert message_entry(reply("Lamb.", FORM)).text == "Lamb."


def test_what_a_notice_says() -> None:
    finding = FormFinding("$", "is no lamb")
    assert form_notice(FORM, FormCheck((finding,))).severity == "warning"
    assert "not checked against the schema lamb: why." in form_notice(FORM, FormCheck(unchecked="why")).text
