"""Every action of the registry, in every phase, by key, palette and slash command: none breaks anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.css.query import NoMatches

from kimi_tui.core.errors import AuthenticationError, KeyMissingError, KimiError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.actions import ACTIONS, Action, Scope
from kimi_tui.ui.widgets.composer import Composer
from tests.fakes.scripted_client import Script, streaming, think_end, token
from tests.ui.program import Program, program, talk

PANE_KEYS = {Scope.SESSIONS: "f2", Scope.REASONING: "f3", Scope.SETTINGS: "f4", Scope.PROMPT: "f5"}
TALK = talk(("Lamb?", "Roast it.\n\n```python\nx = 1\n```\n\n```sh\nls\n```"), ("More?", "Braise it."))


@dataclass(frozen=True)
class Situation:
    """Where the program stands when an action is done."""

    script: Script | None = None
    session: Session | None = TALK
    shows: str = ""
    key_problem: KimiError | None = None


def situations() -> dict[str, Situation]:
    return {
        "idle": Situation(),
        "waiting": Situation(streaming(asyncio.Event()), shows="waiting"),
        "reasoning": Situation(streaming(token("hm"), asyncio.Event()), shows="Thinking ·"),
        "answering": Situation(streaming(token("hm"), think_end(), token("yes"), asyncio.Event()), shows="answering"),
        "failed": Situation(Script([], refuse=AuthenticationError("The key is wrong.")), shows="The key is wrong."),
        "empty": Situation(session=None),
        "no key": Situation(key_problem=KeyMissingError("There is no API key.", "Set DEEPINFRA_TOKEN.")),
    }


async def bring_about(running: Program, situation: Situation) -> None:
    if situation.script is not None:
        await running.type("Go on<enter>")
        await running.shows(situation.shows)


async def still_works(running: Program) -> None:
    """The program was left, or can be typed into when what was opened is closed."""
    await running.pilot.pause()
    assert running.app.crash is None
    if running.app._exit:
        return
    for _ in range(6):
        await running.type("<escape>")
    assert running.app.crash is None
    composer = running.screen.query_one(Composer)
    assert running.app.focused is composer
    composer.draft = ""
    await running.type("typed")
    assert composer.draft == "typed"


def put_back(running: Program, session: Session | None) -> None:
    """Close what an action opened, and undo what it did to the session."""
    while len(running.app.screen_stack) > 1:
        running.app.pop_screen()
    running.screen.dispatcher.choose("back")
    if session is not None and running.screen.chat.replies.turn is None:
        running.screen.chat.open_session.update(lambda now: replace(session, path=now.path))
        running.screen.redraw.session()


@pytest.mark.parametrize("name", situations())
async def test_no_action_breaks_anything(tmp_path: Path, name: str) -> None:
    """One program for all of them, one after the other; those that leave it come last."""
    situation = situations()[name]
    scripts = [] if situation.script is None else [situation.script]
    waiting = [streaming(asyncio.Event()) for _ in range(2 * len(ACTIONS))]
    async with program(
        tmp_path, *scripts, *waiting, session=situation.session, key_problem=situation.key_problem, size=(112, 20)
    ) as running:
        await bring_about(running, situation)
        for action in sorted(ACTIONS, key=lambda action: "quit" in action.id):
            running.screen.dispatcher.choose(action.id)
            await running.pilot.pause()
            assert running.app.crash is None, action.id
            if not running.app._exit:
                put_back(running, situation.session)


@pytest.mark.slow
@pytest.mark.parametrize("name", situations())
@pytest.mark.parametrize("way", ["keys", "slash"])
async def test_every_action_leaves_a_program_that_can_be_used(tmp_path: Path, name: str, way: str) -> None:
    for number, action in enumerate(ACTIONS):
        if way == "slash" and not action.is_command:
            continue
        situation = situations()[name]
        scripts = [] if situation.script is None else [situation.script]
        async with program(
            tmp_path / str(number),
            *scripts,
            streaming(asyncio.Event()),
            session=situation.session,
            key_problem=situation.key_problem,
        ) as running:
            await bring_about(running, situation)
            try:
                await do(running, action, way)
                await still_works(running)
            except (AssertionError, NoMatches) as error:
                raise AssertionError(f"{action.id}: {error}") from error


async def do(running: Program, action: Action, way: str) -> None:
    if way == "slash":
        running.screen.query_one(Composer).draft = ""
        await running.type(f"/{action.id}<enter>")
        return
    if action.scope in PANE_KEYS:
        await running.type(f"<{PANE_KEYS[action.scope]}>")
        for key in action.keys[:1]:
            await running.type(f"<{key}>" if len(key) > 1 else key)
    elif action.scope is Scope.TRANSCRIPT:
        await running.type("<shift+tab>")
        running.screen.dispatcher.choose(action.id)
    else:
        running.screen.dispatcher.choose(action.id)


def test_what_can_be_done_has_a_key_a_line_or_a_command() -> None:
    for action in ACTIONS:
        assert action.keys or (action.in_palette and action.is_command), action.id
