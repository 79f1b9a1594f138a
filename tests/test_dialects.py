"""A dialect is one module: a second one, made for these tests alone, carries the whole program."""

from __future__ import annotations

import ast
import asyncio
import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from kimi_tui.adapters.config.config_file import load_settings
from kimi_tui.adapters.config.saved_file import save
from kimi_tui.adapters.endpoint.demo_server import serve
from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.simulator.transport import SimulatorTransport
from kimi_tui.core.errors import ConfigError, FieldError
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, MessageState, Session
from kimi_tui.core.settings.sampling import RequestOptions, resolve_request
from kimi_tui.core.settings.settings import ApiSettings, Settings, parse_settings
from kimi_tui.core.settings.settings_view import settings_view
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialects import DIALECTS
from kimi_tui.core.wire.endpoint_errors import error_from_response, error_in_stream
from kimi_tui.core.wire.plans import single
from kimi_tui.core.wire.python_script import python_script
from kimi_tui.core.wire.strict_answers import thinking_first
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from tests.cli.calls import call
from tests.core.cuts import check_every_cut
from tests.fakes.clock import HandClock
from tests.fakes.tiny_dialect import TINY
from tests.reading import ReplyText, builder_of, read_reply
from tests.recorded import read as read_back
from tests.recorded import record
from tests.tls import Server, listening

PACKAGE = Path(__file__).parents[1] / "kimi_tui"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FIELDS = {"stream": True, "temperature": 1.0, "top_k": 3, "stop": ["<|im_end|>"]}
CONFIG = {"api": {"dialect": "tiny"}}


class NoStore:
    async def save(self, session: Session) -> None:
        del session


async def replied(client: EndpointClient, question: str = "hello", **fields: object) -> tuple[Message, str]:
    """The reply in the session, and what the turn's error says."""
    session = OpenSession(Session("s", NOW, NOW, "model"), NoStore())
    request = RequestSettings({**FIELDS, **fields}, retries=0)
    ended = await Engine(client, HandClock()).start(session, Asking(question), request).finished()
    await client.aclose()
    return session.value.messages[-1], f"{ended.error.summary} {ended.error.quote}" if ended.error else ""


def tiny_client() -> EndpointClient:
    return EndpointClient(TINY, "https://h", None, transport=SimulatorTransport(TINY, 0))


async def test_a_reply_comes_in_another_dialect_as_in_the_first() -> None:
    first = EndpointClient(DEEPINFRA, "https://h", None, transport=SimulatorTransport(DEEPINFRA, 0))
    expected, _ = await replied(first)
    reply, error = await replied(tiny_client())
    assert (reply.reasoning, reply.content) == (expected.reasoning, expected.content)
    assert (reply.state, error, reply.sent, reply.finish_reason) == (MessageState.COMPLETE, "", FIELDS, None)
    assert [message.usage and message.usage.input_tokens for message in (reply, expected)] == [15, 15]


async def test_an_unstreamed_one_too() -> None:
    reply, _ = await replied(tiny_client(), stream=False)
    assert (bool(reply.reasoning), bool(reply.content), "</think>" in reply.content) == (True, True, False)
    assert reply.state is MessageState.COMPLETE


async def test_over_loopback_with_the_demo_server() -> None:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(TINY, port=0, rate=0, announce=address.set_result))
    try:
        url = await address
        reply, _ = await replied(EndpointClient(TINY, url, "k"))
        assert (bool(reply.reasoning), bool(reply.content), reply.state) == (True, True, MessageState.COMPLETE)
        cut, _ = await replied(EndpointClient(TINY, url, "k"), "cut")
        assert (bool(cut.content), cut.state) == (True, MessageState.INTERRUPTED)
        async with httpx.AsyncClient() as client:
            assert "POST /say" in (await client.get(url)).text
            assert (await client.post(f"{url}/v1/inference/m/x")).json() == {"oops": "there is only /say"}
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


@pytest.mark.parametrize(
    ("question", "fields", "words"),
    [
        ("busy", {}, "model busy"),
        ("stream error", {}, "inference failed in the middle"),
        ("hello", {"temperature": 3}, "heat: found 3, allowed a number in [0, 2]"),
    ],
)
async def test_errors_come_in_its_own_shapes(question: str, fields: dict[str, object], words: str) -> None:
    _, error = await replied(tiny_client(), question, **fields)
    assert words in error


async def test_a_recording_keeps_of_a_webhook_the_host_alone_whatever_it_is_called_on_the_wire() -> None:
    request = RequestSettings({**FIELDS, "stream": False, "webhook": "https://me:pass@h.org/hooks/secret"})
    session = OpenSession(Session("s", NOW, NOW, "model"), NoStore())
    data, ended = await record(tiny_client(), Asking("hello"), request, session)
    assert ended.state is MessageState.QUEUED
    assert json.loads(read_back(data).exchanges[0].sent.body)["hook"] == "https://h.org/…"
    assert b"secret" not in data


async def test_a_strict_turn_sends_no_more_stops_than_it_takes() -> None:
    stops = ["<|im_end|>", "[EOS]", "[UNUSED]", "[END]"]
    request = RequestSettings({**FIELDS, "stop": stops, "response_format": {"type": "json_object"}}, retries=0)
    session = OpenSession(Session("s", NOW, NOW, "model"), NoStore())
    plan = thinking_first(single, request, TINY)
    ended = await Engine(tiny_client(), HandClock()).start(session, Asking("hello"), request, plan).finished()
    assert (ended.state, ended.error) == (MessageState.COMPLETE, None)


def test_findings_are_read_by_its_own_keys_alone() -> None:
    findings = [{"at": ["heat", 2], "why": "too hot", "loc": ["body", "x"], "msg": "another's"}, {"type": "another's"}]
    error = error_from_response(422, {}, json.dumps({"oops": findings}).encode(), TINY.error_keys)
    assert error.quote == "“heat.2: too hot; not accepted”"


def test_its_own_key_is_named_where_one_is_refused_or_read() -> None:
    assert error_from_response(401, {}, b"", TINY.error_keys).hint == "Check TINY_KEY."
    assert error_in_stream({"number": 403}, "no", TINY.error_keys).hint == "Check TINY_KEY."
    curl = curl_command(TINY, "https://h/say", b"{}", is_streamed=True)
    script = python_script(TINY, "https://h/say", b"{}", is_streamed=True)
    for text in (curl, script):
        assert "TINY_KEY" in text
        assert "DEEPINFRA" not in text


# -- from the command line and the settings: one row is all that it takes


@pytest.fixture
def _row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "tiny", TINY)


@pytest.mark.usefixtures("_row")
def test_the_config_chooses_it_for_a_command(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[api]\ndialect = "tiny"\n[sampling]\ntemperature = 1.5\ntop_k = 3\n')
    words = ("--demo", "--config", str(config), "--data-dir", str(tmp_path), "ask", "--json", "hello")
    result = call(*words)
    assert (result.status, result.json["state"]) == (0, "complete")
    assert [bool(result.json[part]) for part in ("reasoning", "content")] == [True, True]
    assert call(*words, "--set", "temperature=1.9").status == 0
    refused = call(*words, "--set", "temperature=3")
    assert (refused.status, "allowed a number in [0, 2]" in refused.err) == (2, True)
    config.write_text('[sampling]\ntemperature = 3\nextra = { ask = "x" }\n[api]\ndialect = "tiny"\n')
    checked = call("--config", str(config), "config", "check")
    assert "sampling.temperature: found 3, allowed a number in [0, 2]" in checked.out + checked.err
    assert "sampling.extra.ask" in checked.out + checked.err


@pytest.mark.usefixtures("_row")
def test_its_key_goes_to_its_own_endpoint_where_no_address_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[api]\ndialect = "tiny"\nretries = 0\n')
    monkeypatch.setenv("TINY_KEY", "sk-tiny-0123456789")

    def refuse(connection: socket.socket, running: Server) -> None:
        running.received.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    with listening(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        assert call("--config", str(config), "--data-dir", str(tmp_path), "ask", "hello").status != 0
    assert proxy.received[0].startswith(b"CONNECT tiny.example:443 ")
    rows = call("--config", str(config), "config", "show", "--json").json
    assert rows["api.base_url"] == {"value": "https://tiny.example", "source": "default"}
    assert parse_settings({"api": {**CONFIG["api"], "base_url": "https://h"}})[0].base_url == "https://h"


@pytest.mark.usefixtures("_row")
def test_what_it_does_not_carry_is_not_sent_and_the_settings_say_so() -> None:
    settings, problems = parse_settings({**CONFIG, "sampling": {"top_k": 3, "num_responses": 2}})
    assert not problems
    assert list(resolve_request(settings, None).fields) == ["max_new_tokens", "temperature", "stop", "stream"]
    rows = settings_view(settings, Session("s", NOW, NOW, "model")).settings
    specs = {name: row.spec for name, row in rows.items() if row.spec is not None}
    assert specs["temperature"].allowed == "a number in [0, 2]"
    assert specs["stop"].allowed == "at most 4 non-empty strings"
    assert [bool(rows[name].warning) for name in ("temperature", "top_k")] == [False, True]


@pytest.mark.usefixtures("_row")
def test_a_session_is_checked_by_its_ranges() -> None:
    settings, _ = parse_settings(CONFIG)
    session = Session("s", NOW, NOW, "model", settings={"temperature": 3})
    with pytest.raises(FieldError, match=r"\[0, 2\]"):
        resolve_request(settings, session, RequestOptions())
    assert resolve_request(Settings(), session, RequestOptions()).fields["temperature"] == 3


@pytest.mark.usefixtures("_row")
def test_what_is_saved_is_checked_by_the_ranges_of_the_dialect_that_the_config_names(tmp_path: Path) -> None:
    config, saved = tmp_path / "config.toml", tmp_path / "saved.toml"
    config.write_text('[api]\ndialect = "tiny"\n')
    saved.write_text("[sampling]\ntemperature = 3\n")
    loaded = load_settings(config, explicit=True)
    assert [problem.partition(": ")[2] for problem in loaded.problems] == [
        "sampling.temperature: found 3, allowed a number in [0, 2]"
    ]
    with pytest.raises(ConfigError, match=r"\[0, 2\]"):
        save(saved, {("sampling", "temperature"): 4}, below=Settings(ApiSettings(dialect="tiny")))
    save(saved, {("sampling", "temperature"): 4})


# -- reasoning in a field of its own


def said(**document: object) -> bytes:
    return f"event: said\ndata: {json.dumps(document)}\n\n".encode()


def read(pieces: list[bytes], prompt_end: PromptEnd = PromptEnd.THINKING) -> tuple[object, ...]:
    result = read_reply(builder_of("p", prompt_end, dialect=TINY), pieces)
    return (*result.replies, result.state)


def test_it_needs_no_tags_wherever_the_prompt_ended() -> None:
    stream = said(thought="h\ud83d") + said(thought="\udc4d<think>") + said(say="yes</think>") + said(say="!")
    expected = (ReplyText("h👍<think>", "yes</think>!"), MessageState.COMPLETE)
    check_every_cut(stream, read, expected)
    assert read([stream], PromptEnd.THOUGHT) == expected


def test_an_answer_without_reasoning_is_an_answer_although_the_block_was_open() -> None:
    assert read([said(say="yes")]) == (ReplyText("", "yes"), MessageState.COMPLETE)


def test_reasoning_behind_the_answer_stays_where_it_stands() -> None:
    assert read([said(thought="hm") + said(say="yes") + said(thought="no")])[0] == ReplyText("hm", "yesno")


def test_a_reply_without_text_has_broken_off_even_where_no_end_is_needed() -> None:
    assert read([b": nothing\n\n"]) == (MessageState.INTERRUPTED,)


# -- and nothing else knows the first one's words

WORDS = {
    "generated_text", "inference_status", "num_tokens", "num_input_tokens", "num_output_tokens", "tokens_input",
    "tokens_generated", "estimated_cost", "error_type", "error_message", "[DONE]",
}  # fmt: skip
"""Words that can mean nothing else."""
KEYS = {"input", "token", "details", "results", "special", "logprob", "loc", "msg", *WORDS}
"""Words that are keys of its documents."""
OTHERS = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "deepinfra.py"]


def keys_in(source: str) -> set[str]:
    """Every string by which a mapping is read or written."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            keys += node.keys
        elif isinstance(node, ast.Subscript):
            keys.append(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "pop"}:
            keys += node.args[:1]
        found |= {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return found


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_knows_the_wire_names(path: Path) -> None:
    source = path.read_text("utf-8")
    assert not keys_in(source) & KEYS
    assert not [word for word in WORDS if word in source]


def test_the_dialects_own_module_knows_them() -> None:
    source = (PACKAGE / "core/wire/deepinfra.py").read_text("utf-8")
    assert {"input", "token", "details", "results", "generated_text"} <= keys_in(source)
