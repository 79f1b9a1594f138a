"""What a command costs before it does anything: modules, options and the collector."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from kimi_tui import cli
from kimi_tui.cli import arguments
from kimi_tui.cli import warm_up as warming
from kimi_tui.cli.warm_up import warm_up
from tests.cli.calls import KEY, run_python
from tests.cli.loopback import Play, endpoint, tokens

REPLY = Play(tokens(*["thought "] * 9, "</think>", *["word "] * 10))
REPORT = "import sys; from kimi_tui.cli import main; status = main(sys.argv[1:]); print(); print(status, [m for m in {} if m in sys.modules])"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)


def modules_after(names: tuple[str, ...], *words: str) -> str:
    return run_python(REPORT.format(names), *words).splitlines()[-1]


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_words_about_the_program_import_next_to_nothing(word: str) -> None:
    names = (
        "asyncio",
        "httpx",
        "logging",
        "tomllib",
        "json",
        "platformdirs",
        "kimi_tui.core.settings.settings",
        "kimi_tui.cli.parts",
        "textual",
    )
    assert modules_after(names, word) == "0 []"


def test_ask_imports_nothing_for_later() -> None:
    names = ("textual", "difflib", "markdown_it", "tomli_w", "secrets", "kimi_tui.adapters.config.toml_lines", "kimi_tui.adapters.store.session_files",
             "kimi_tui.adapters.endpoint.simulator", "kimi_tui.core.settings.actions", "kimi_tui.core.markdown.source")  # fmt: skip
    with endpoint(REPLY) as server:
        assert modules_after(names, "ask", "hi", "--base-url", server.url) == "0 []"


def test_the_screen_imports_nothing_of_a_turn() -> None:
    names = ("httpx", "markdown_it", "pygments", "kimi_tui.core.wire.turn_events", "kimi_tui.core.wire.plans", "kimi_tui.engine.openings",
             "kimi_tui.engine.turn", "kimi_tui.ui.state.running_turns", "kimi_tui.ui.app.late_parts", "kimi_tui.core.session.salvage",
             "kimi_tui.core.session.json_salvage", "kimi_tui.core.session.toml_salvage")  # fmt: skip
    code = f"import sys, kimi_tui.ui.app.kimi_app; print([m for m in {names} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_only_the_chosen_commands_options_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(parser: object) -> None:
        raise AssertionError("nobody asked for them")

    for name in ("_add_ask", "_add_sessions", "_add_config", "_add_demo_server"):
        monkeypatch.setattr(arguments, name, refuse)
    assert arguments.parse_arguments(["prompt", "x", "--no-think"]).source == "x"
    with pytest.raises(AssertionError):
        arguments.parse_arguments(["ask", "x"])


def test_nothing_is_collected_in_a_short_command() -> None:
    code = (
        "import atexit, gc; from kimi_tui.__main__ import run; "
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000)); run()"
    )
    assert run_python(code, "--version").splitlines()[-1] == "False True"


@pytest.fixture
def _collector() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize(("command", "collects"), [("demo-server", True), ("prompt", False)])
@pytest.mark.usefixtures("_collector")
def test_what_runs_for_long_collects_its_garbage(command: str, collects: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def run(*_: object) -> int:
        seen.append(gc.isenabled())
        return 0

    monkeypatch.setattr(f"kimi_tui.cli.{command.replace('-', '_')}_command.run", run)
    gc.disable()
    assert cli.main([command]) == 0
    assert seen == [collects]


@pytest.mark.usefixtures("_collector")
async def test_the_screen_collects_its_garbage_from_its_first_idle_moment_on() -> None:
    gc.disable()
    await warm_up()
    assert gc.isenabled()
    assert "pygments.lexers.python" in sys.modules  # the first code block does not wait for it


NAMED = [name for name in warming.MODULES if name.startswith("kimi_tui.")]
"""Modules of ours that are imported by a name in a table."""


@pytest.mark.parametrize("name", NAMED)
def test_a_module_of_ours_that_a_table_names_is_there(name: str) -> None:
    assert find_spec(name) is not None


@pytest.mark.usefixtures("_collector")
async def test_one_of_ours_that_is_missing_is_told_and_one_of_others_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "MODULES", ("no_such_library",))
    await warm_up()
    monkeypatch.setattr(warming, "MODULES", ("kimi_tui.cli.renamed",))
    with pytest.raises(ImportError):
        await warm_up()
