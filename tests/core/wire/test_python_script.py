"""A request as a Python script: run as a program against a loopback endpoint, it sends the body byte for byte."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.python_script import LINE_CHARS, python_script
from tests.cli.loopback import Play, endpoint, tokens
from tests.core.prompt.test_conversation import session_of
from tests.core.prompt.test_prompt_view import NASTY
from tests.fakes.tiny_dialect import TINY, event

KEY = "a-key-of-the-test"
HOSTILE = (
    NASTY
    + "''' \"\"\" \\N{BULLET} \\u0041 \\\n'); import os; os.abort() #\n{url} {{}} %s \u202e\u2066 \ufeff <|im_end|>"
)


def run(script: str, folder: Path, key: str = KEY) -> subprocess.CompletedProcess[bytes]:
    (folder / "request.py").write_text(script, "utf-8")
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", **({"DEEPINFRA_TOKEN": key} if key else {})}
    command = [sys.executable, "-I", str(folder / "request.py")]
    return subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)


def body_of(draft: str, *, stream: bool) -> bytes:
    fields = {"stop": ["'", "<|im_end|>"], "stream": stream}
    view = PromptViewer().view(session_of(), RequestSettings(fields), draft)
    return build_body(DEEPINFRA, "m", view.text, fields, {})


@pytest.mark.parametrize("times", [1, 5_000], ids=["short", "long"])
def test_the_script_sends_the_body_byte_for_byte_and_prints_what_comes(times: int, tmp_path: Path) -> None:
    body = body_of(HOSTILE * times, stream=True)
    with endpoint(Play(tokens("Dear ", "羊 ", "</think>", "cook"))) as server:
        script = python_script(DEEPINFRA, f"{server.url}/moonshotai/Kimi-K2.5", body, is_streamed=True)
        done = run(script, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "Dear 羊 </think>cook\n"
    (request,) = server.received
    assert request.body == body
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert KEY not in script


def test_what_is_not_streamed_is_printed_as_it_came(tmp_path: Path) -> None:
    body = body_of(HOSTILE, stream=False)
    document = b'{"results": [{"generated_text": "\\u7f8a"}]}'
    with endpoint(Play([document], content_type="application/json", framing="length")) as server:
        done = run(python_script(DEEPINFRA, server.url, body, is_streamed=False), tmp_path)
    assert (done.returncode, server.received[0].body) == (0, body)
    assert '"generated_text": "羊"' in done.stdout.decode()


@pytest.mark.parametrize(
    ("play", "word"),
    [
        (Play([b'{"detail": "no funds"}'], status=402, framing="length"), "no funds"),
        (Play([b'data: {"error_type": "X", "error_message": "it broke"}\n\n']), "it broke"),
        (Play([b'data: {"token": null, "detail": "it broke"}\n\n']), "it broke"),
    ],
    ids=["refused", "in the stream", "in other words"],
)
def test_what_went_wrong_is_told_and_the_key_is_not(play: Play, word: str, tmp_path: Path) -> None:
    with endpoint(play) as server:
        done = run(python_script(DEEPINFRA, server.url, body_of("hi", stream=True), is_streamed=True), tmp_path)
    assert done.returncode == 1
    assert word in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert KEY.encode() not in done.stderr


def test_an_error_that_is_none_ends_nothing(tmp_path: Path) -> None:
    pieces = [b'data: {"token": null, "error": null, "details": {"finish_reason": "stop"}}\n\n', b"data: 7\n\n"]
    with endpoint(Play([*pieces, *tokens("still there")])) as server:
        done = run(python_script(DEEPINFRA, server.url, body_of("hi", stream=True), is_streamed=True), tmp_path)
    assert (done.returncode, done.stdout) == (0, b"still there\n")


def test_in_another_dialect_its_reasoning_is_printed_and_its_errors_end_it(tmp_path: Path) -> None:
    said = [event("said", thought="hm. "), event("said", say="Yes"), event("said", oops="it broke")]
    with endpoint(Play([f"event: {it.type}\ndata: {it.data}\n\n".encode() for it in said])) as server:
        script = python_script(TINY, server.url, b"{}", is_streamed=True).replace("TINY_KEY", "DEEPINFRA_TOKEN")
        done = run(script, tmp_path)
    assert (done.returncode, done.stdout) == (1, b"hm. Yes")
    assert b"it broke" in done.stderr


def test_the_key_goes_to_no_other_address(tmp_path: Path) -> None:
    with endpoint(Play(tokens("hello"))) as other:
        elsewhere = Play([b""], status=302, headers={"Location": other.url}, framing="length")
        with endpoint(elsewhere) as server:
            done = run(python_script(DEEPINFRA, server.url, body_of("hi", stream=True), is_streamed=True), tmp_path)
    assert (done.returncode, other.received) == (1, [])
    assert "302" in done.stderr.decode()


def test_without_a_key_it_says_so(tmp_path: Path) -> None:
    script = python_script(DEEPINFRA, "http://127.0.0.1:9/", b"{}", is_streamed=True)
    done = run(script, tmp_path, key="")
    assert (done.returncode, done.stderr) == (
        1,
        b"Set DEEPINFRA_TOKEN to your key.\n".replace(b"\n", os.linesep.encode()),
    )


@given(st.text(max_size=3 * LINE_CHARS), st.text(max_size=40))
def test_no_text_gets_out_of_its_literal(text: str, url: str) -> None:
    """Of the parsed script only the two values differ from a harmless one's."""
    body = build_body(DEEPINFRA, "m", text, {}, {})
    tree = ast.parse(python_script(DEEPINFRA, url, body, is_streamed=True))
    plain = ast.parse(python_script(DEEPINFRA, "u", b"{}", is_streamed=True))
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
    assert ast.literal_eval(values["URL"]) == url
    call = values["BODY"]
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    assert ast.literal_eval(call.func.value).encode() == body
    call.func.value = values["URL"] = ast.Constant("")

    def rest(module: ast.Module) -> str:
        return ast.dump(ast.Module([node for node in module.body if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"URL", "BODY"})], []))  # fmt: skip

    assert rest(tree) == rest(plain)
