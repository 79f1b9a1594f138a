"""The endpoint's faults on the screen: a plain word, what came is kept, the next message goes through, the key nowhere."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.core.session.session import MessageState, Role
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.cli.calls import KEY
from tests.cli.test_faults import AMID_THE_TEXT, BEFORE_ANY_TEXT, HEAD, WHOLE, Play, Step, play, server
from tests.ui.program import prepare

REFUSED = play(
    b"HTTP/1.1 500 X\r\nconnection: close\r\ncontent-length: 36\r\n\r\n" + b'{"error": "no %s"}' % KEY.encode()
)
FAULTS = {
    **{name: played for name, (played, *_) in BEFORE_ANY_TEXT.items()},
    **{f"{name}, amid the text": played for name, (played, _) in AMID_THE_TEXT.items()},
    "a status": REFUSED,
}
SHORT = {
    "reset before the head",
    "silence after the head",
    "a bomb without lines",
    "a status",
    "garbage for a head",
} | {f"{name}, amid the text" for name in ("reset", "just ends", "silence", "garbage", "no last chunk")}
MARKED = [pytest.param(name, marks=() if name in SHORT else pytest.mark.slow) for name in FAULTS]


def then_well(fault: Play) -> Play:
    """The fault once, and then a reply."""
    numbers = itertools.count()

    async def run() -> AsyncIterator[Step]:
        steps = fault() if next(numbers) == 0 else play(HEAD, WHOLE)()
        async for step in steps:
            yield step

    return run


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.adapters.endpoint.http_client.ERROR_BODY_TIMEOUT_S", 0.2)
    monkeypatch.setattr("kimi_tui.engine.request_run.LINGER_S", 0.1)


@pytest.mark.parametrize("name", MARKED)
async def test_a_fault_leaves_the_program_usable(tmp_path: Path, name: str) -> None:
    with server(then_well(FAULTS[name])) as url:
        client = EndpointClient(DEEPINFRA, url, KEY)
        config = {"api": {"retries": 0, "read_timeout": 1.0}}
        prepared = prepare(tmp_path, config=config, connect=lambda _: client)
        async with prepared.app.run_test(size=(80, 24)) as pilot:
            running = prepared.run_by(pilot)
            await running.type("Lamb?<enter>")
            await running.until(lambda: bool(running.screen.chat.notices))
            await running.idle()
            await running.shows("✗ ")
            replies = [m for m in running.screen.chat.session.messages if m.role is Role.ASSISTANT]
            assert [m.content for m in replies] == (["half"] if "amid" in name else [])
            assert all(m.state in {MessageState.INTERRUPTED, MessageState.FAILED} for m in replies)
            shown = running.text
            await running.type("And now?<enter>")
            await running.until(lambda: running.screen.chat.session.messages[-1].content == "half done")
            await running.idle()
            assert "half done" in running.text
            shown += running.text
        await client.aclose()
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in shown
    assert not any(KEY.encode() in data for data in files)
