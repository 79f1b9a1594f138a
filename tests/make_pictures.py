"""Make the README's pictures: `python -m tests.make_pictures`.

The real program, the simulator behind it, and a clock that is moved by hand: two runs give the same bytes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from textual._doc import take_svg_screenshot
from textual.pilot import Pilot

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.simulator.transport import TOKENS_PER_S, SimulatorTransport
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.fakes.clock import HandClock
from tests.svg import PicturedApp
from tests.ui.program import NOW, Prepared, Program, Steps, prepare, prompts, sees, settle, talk

FOLDER = Path(__file__).parents[1] / "pictures"
"""Where they lie."""
ENVIRONMENT = {"TZ": "UTC", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""What a picture depends on besides the program."""
OLDER = ((2, "A parser for event streams"), (21, "Why is the sky blue?"), (70, "Names for a cat"), (400, "Fish stew"))
"""Other sessions: how many hours old, and their titles."""


async def idle(running: Program) -> None:
    """Wait until the reply is complete."""
    await running.idle()


@dataclass(frozen=True)
class Picture:
    """One of them."""

    steps: tuple[str | Steps, ...]
    """What is typed, and waited for."""
    size: tuple[int, int] = (120, 40)
    """Columns and rows."""
    theme: str = "kimi-dark"
    """Its colours."""


PICTURES = {
    "screen": Picture(
        ("Name two ways to cook lamb.<enter>", idle, "Show me the math of it.<enter>", idle,
         "<f3>", sees("Thought for"), "<f2>", sees("Fish stew"), "<escape>And what goes with it?"),
    ),
    "prompt": Picture(
        ("/system Be brief.<enter>", "My name is Ada.<enter>", idle, "<f5>", sees("open turn"),
         "<escape>What does <less_than_sign>|im_end|> mean?", prompts(" mean?")),
        (100, 30),
    ),
    "settings": Picture(
        ("lamb<enter>", idle, "/set temperature 0.5<enter>/set seed 7<enter><ctrl+l><f4>", sees("temperature"),
         "<down><down><down><down><down><down><down>2", sees("Found 2")),
        (100, 30),
    ),
    "requests": Picture(
        ("/budget 30 once<enter>Name two ways to cook lamb.<enter>", idle, "<f5><left>", sees("Request 2/2")),
        (120, 30),
    ),
    "words": Picture(
        ("/seed The user is in a hurry.<enter>Name two ways to cook lamb.<enter>", idle, "<shift+tab>w", idle,
         "<ctrl+r>", sees("Wait,")),
        (100, 34),
    ),
    "compare": Picture(
        ("And for twelve guests?<enter>", idle, "/set temperature 0.4<enter>/regenerate<enter>", idle,
         "<ctrl+l>/compare<enter>", sees("temperature"), "n"),
        (120, 30),
    ),
    "sweep": Picture(
        ("Name two ways to cook lamb.<enter>", idle, "/sweep temperature 0 0.5 1.2<enter>", idle,
         "/sweep<enter>", sees("Enter takes it"), "<down>"),
        (120, 34),
    ),
    "tokens": Picture(
        ("Name two ways to cook lamb.<enter>", idle, "<shift+tab>T", sees("token 1 of"), "n"),
        (100, 30),
    ),
    "tree": Picture(
        ("Name two ways to cook lamb.<enter>", idle, "/regenerate<enter>", idle, "And for twelve guests?<enter>", idle,
         "/name Many guests<enter>/regenerate<enter>", idle, "<ctrl+l><alt+t>", sees("Escape leaves")),
        (100, 24),
    ),
    "light": Picture(("code<enter>", idle, "<ctrl+home>", sees("class Chop")), (100, 30), "kimi-light"),
}  # fmt: skip
"""All of them, by file name."""


def demo(clock: HandClock) -> EndpointClient:
    """The client of `--demo`, at that clock's pace."""
    transport = SimulatorTransport(DEEPINFRA, TOKENS_PER_S, clock)
    return EndpointClient(DEEPINFRA, "https://endpoint.example", "no-key", transport=transport)


def make(picture: Picture) -> str:
    """Run the program as far as a picture's steps lead, and draw it."""
    with tempfile.TemporaryDirectory() as folder, environment():
        prepared = prepare(Path(folder), theme=picture.theme, endpoint="demo", connect=demo, app_type=PicturedApp)
        prepared.app.animation_level = "none"
        fill(prepared)

        async def run(pilot: Pilot[str]) -> None:
            running = prepared.run_by(pilot)
            await pilot.pause()
            for step in picture.steps:
                await (running.type(step) if isinstance(step, str) else step(running))
            await settle(running)

        return take_svg_screenshot(prepared.app, terminal_size=picture.size, run_before=run)


def fill(prepared: Prepared) -> None:
    """Put other sessions on the shelf."""
    for hours, title in OLDER:
        when = NOW - timedelta(hours=hours)
        session = replace(talk(("Hello", "Hello.")), id=f"{when:%Y%m%d-%H%M%S}-old0", title=title)
        prepared.files.save_now(replace(session, created=when, updated=when))


@contextmanager
def environment() -> Iterator[None]:
    """Let the surroundings be the same everywhere."""
    before = {name: os.environ.get(name) for name in (*ENVIRONMENT, "NO_COLOR")}
    os.environ.pop("NO_COLOR", None)
    os.environ.update(ENVIRONMENT)
    time.tzset()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        time.tzset()


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(make(picture), "utf-8")


if __name__ == "__main__":
    main()
