"""An endpoint that plays scripts: what each request gets, encoded as the API does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kimi_tui.core.errors import CompletionError
from kimi_tui.core.ports import Tap
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialect import Dialect

Step = bytes | CompletionError | asyncio.Event


def frame(**document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def token(text: str, *, special: bool = False) -> bytes:
    return frame(
        token={"id": None, "text": text, "logprob": -0.1, "special": special}, details=None, generated_text=None
    )


def think_end() -> bytes:
    return token("</think>", special=True)


def end(reason: str = "stop", inputs: int = 37, outputs: int = 5, cost: float = 0.001) -> bytes:
    return frame(
        token={"id": None, "text": "", "special": True},
        details={"finish_reason": reason},
        generated_text="all",
        num_input_tokens=inputs,
        num_output_tokens=outputs,
        estimated_cost=cost,
        request_id="r1",
    )


DONE = b"data: [DONE]\n\n"


@dataclass
class Script:
    """What one request gets."""

    steps: list[Step]
    """Bytes to send, an error to raise, or an event to wait for."""
    is_event_stream: bool = True
    refuse: CompletionError | None = None
    """Raised before anything is answered."""


@dataclass
class _Response:
    script: Script
    request_id: str | None = None
    tap: Tap | None = None

    @property
    def is_event_stream(self) -> bool:
        return self.script.is_event_stream

    async def chunks(self) -> AsyncIterator[bytes]:
        for step in self.script.steps:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, CompletionError):
                raise step
            else:
                await asyncio.sleep(0)
                if self.tap is not None:
                    self.tap.data(step)
                yield step


@dataclass
class ScriptedClient:
    """Plays one script after the other and keeps what it was asked."""

    scripts: list[Script]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    closed: int = 0
    dialect: Dialect = DEEPINFRA

    def without_secrets(self, words: str) -> str:
        return words

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[_Response]:
        self.bodies.append(json.loads(body))
        self.models.append(model)
        script = self.scripts[len(self.bodies) - 1]
        if tap is not None:
            tap.sent(body, model)
        if script.refuse is not None:
            raise script.refuse
        kind = "text/event-stream" if script.is_event_stream else "application/json"
        if tap is not None:
            tap.answered(200, {"content-type": kind})
        try:
            yield _Response(script, tap=tap)
        finally:
            self.closed += 1


def streaming(*steps: Step) -> Script:
    return Script(list(steps))
