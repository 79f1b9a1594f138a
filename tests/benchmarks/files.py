"""Loading and saving."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.codec import decode_session
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.session import Message, Role, Session
from tests.benchmarks.pauses import ALLOWED_S, longest_pause
from tests.benchmarks.texts import NOW, prose, session


def timed(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three."""
    found = []
    for _ in range(3):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


def _saving(name: str, value: Session) -> tuple[float, float]:
    """Seconds of the first save, and of one after another message."""
    write = FORMATS[name].make_writer()
    last = value.messages[-1]
    changed = [replace(value, messages=(*value.messages[:-1], replace(last, content=f"{n}"))) for n in range(3)]
    first = timed(lambda: FORMATS[name].encode(value))
    b"".join(write(value))
    return first, timed(lambda: b"".join(write(changed.pop())))


async def load_and_save() -> AsyncIterator[tuple[str, float, float]]:
    """A session of 2,000 messages, against what the plain JSON costs."""
    value = session(2000)
    as_json, as_toml = FORMATS["json"].encode(value), FORMATS["toml"].encode(value)
    plain = timed(lambda: json.loads(as_json))
    yield "load JSON : json.loads", timed(lambda: decode_session(FORMATS["json"].load(as_json))), plain
    yield "load TOML : json.loads", timed(lambda: decode_session(FORMATS["toml"].load(as_toml))), plain
    toml, json_ = _saving("toml", value), _saving("json", value)
    yield "save TOML after one more message : the first time", toml[1], toml[0]
    yield "save JSON after one more message : the first time", json_[1], json_[0]
    yield "save JSON : save TOML the first time", json_[0], toml[0]


LARGE = {
    "10 MB in 2,500 messages": (2500, 4_000),
    "16 MB in 4,000 messages": (4000, 4_000),
    "10 MB in 1 message": (1, 10_000_000),
    "16 MB in 2 messages": (2, 8_000_000),
}
"""How many messages, and how many characters each."""


def large_session(shape: str) -> Session:
    """Questions and answers in a row."""
    count, chars = LARGE[shape]
    words = prose(20_000) + ' "quoted" – naïve, <b>back\\slash</b>\n😀'
    text = (words * (chars // len(words) + 1))[:chars]
    parents = (None, *(f"m{n}" for n in range(1, count)))
    roles = (Role.USER, Role.ASSISTANT)
    messages = (Message(f"m{n + 1}", roles[n % 2], f"{n} {text}", parents[n], NOW) for n in range(count))
    return Session("large", NOW, NOW, "model", head=f"m{count}", messages=tuple(messages))


async def pauses_while_saving() -> AsyncIterator[tuple[str, float, float]]:
    """How long keys may have to wait while a large session is saved, against what is allowed."""
    for shape in LARGE:
        for name in FORMATS:
            with tempfile.TemporaryDirectory() as folder:
                files, value = SessionFiles(Path(folder), Path(folder) / "trash", name), large_session(shape)
                first = await longest_pause(files.save(value))
                again = await longest_pause(files.save(value.with_message(Message("new", Role.USER, "", value.head))))
                yield f"longest pause, first save of {shape} as {name} : allowed", first, ALLOWED_S
                yield f"longest pause, next save of {shape} as {name} : allowed", again, ALLOWED_S
