"""The requests behind a reply in the prompt pane: one after the other, the one that runs, and what came of each."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.fakes.scripted_client import DONE, end, streaming, token
from tests.ui.program import program


async def test_each_request_is_seen_and_copied_as_it_was_sent(tmp_path: Path) -> None:
    held = asyncio.Event()
    scripts = (
        streaming(token("One is so."), token(" Two"), asyncio.Event()),
        streaming(token("Yes"), held, token(", in"), end("length", 50, 2, 0.002), DONE),
        streaming(token("deed."), end("stop", 60, 3, 0.003), DONE),
    )
    async with program(tmp_path, *scripts, size=(120, 50)) as running:
        await running.type("/set max_new_tokens 100<enter>Lamb?<enter><f5>")
        await running.shows("Request of m2, running")
        await running.shows("2 tok")
        await running.type("<alt+a>")
        await running.shows("Request 2/2 of m2, running")
        await running.type("y")
        assert running.app.clipboard == running.client.bodies[1]["input"]
        await running.type("<left>")
        await running.shows("Request 1/2 of m2")
        held.set()
        await running.idle()
        await running.type("<right><right>")
        await running.until(lambda: "Request" not in running.text)
        await running.type("<escape>/continue<enter>")
        await running.shows("Yes, indeed.")
        await running.idle()
        await running.type("<f5><f5>")
        shown = []
        for title in ("3/3", "2/3", "1/3"):
            await running.type("<left>")
            await running.shows(f"Request {title} of m2")
            await running.type("b")
            shown.append(json.loads(running.app.clipboard))
        assert shown[::-1] == running.client.bodies
        await running.type("<left>")
        await running.shows("There is no earlier request of this reply.")
        assert "Request 1/3" in running.text
        await running.type("<right><end>")
        await running.shows("max_new_tokens = 98  (first: 100)")
        await running.shows("answer request · complete · length")
        await running.shows("50 in · 2 out · $0.0020")
        await running.type("<left><end>")
        await running.shows("~2 out · cost not known")


async def test_the_message_cursor_on_a_reply_that_is_written_shows_what_was_sent_last(tmp_path: Path) -> None:
    scripts = (streaming(token("One is so."), asyncio.Event()), streaming(token("Yes"), asyncio.Event()))
    async with program(tmp_path, *scripts, size=(120, 50)) as running:
        await running.type("Lamb?<enter>")
        await running.shows("Thinking")
        await running.type("<alt+a>")
        await running.shows("Yes")
        await running.type("<shift+tab>i")
        await running.shows("Request 2/2 of m2, running")
        await running.type("<escape><shift+tab>B")
        await running.shows("still being written")
