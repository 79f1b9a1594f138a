"""Loading and saving."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from kimi_tui.core.session import session_json, session_toml
from kimi_tui.core.session.codec import decode_session
from kimi_tui.core.session.file_formats import FORMATS
from tests.benchmarks.texts import session


def timed(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three."""
    found = []
    for _ in range(3):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


async def load_and_save() -> AsyncIterator[tuple[str, float, float]]:
    """A session of 2,000 messages, against what the plain JSON costs."""
    value = session(2000)
    writer = session_toml.TomlWriter()
    as_json, as_toml = session_json.encode(value), writer.dump(value)
    plain = timed(lambda: json.loads(as_json))
    yield "load JSON : json.loads", timed(lambda: decode_session(FORMATS["json"].load(as_json))), plain
    yield "load TOML : json.loads", timed(lambda: decode_session(FORMATS["toml"].load(as_toml))), plain
    first = timed(lambda: session_toml.TomlWriter().dump(value))
    last = value.messages[-1]
    changed = [replace(value, messages=(*value.messages[:-1], replace(last, content=f"{n}"))) for n in range(3)]
    again = timed(lambda: writer.dump(changed.pop()))
    yield "save TOML after one more message : the first time", again, first
    yield "save JSON : save TOML the first time", timed(lambda: session_json.encode(value)), first
