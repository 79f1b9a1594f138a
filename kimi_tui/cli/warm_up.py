"""What is made ready after the first frame, in idle time, so that nothing waits for it later."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from importlib import import_module

MODULES = (
    "kimi_tui.engine.turn_engine",
    "kimi_tui.adapters.store.session_journal",
    "kimi_tui.adapters.recording_files",
    "kimi_tui.ui.commands.screen_commands",
    "kimi_tui.ui.commands.session_commands",
    "kimi_tui.ui.panes.prompt_source",
    "kimi_tui.ui.app.late_parts",
    "kimi_tui.core.markdown.emphasis",
    "markdown_it.common.entities",
    "markdown_it",
    "mdit_py_plugins.footnote",
    "anyio",
    "httpcore",
    "httpx",
    "pygments.lexers",
    "pygments.token",
)
"""What the first question, reply and action need. One of others that is missing is told of where it is needed."""
PACKAGE = __name__.partition(".")[0]
LANGUAGE = "python"
"""Of the first code block, most likely: it would wait 60 ms for the patterns of its lexer."""
PAUSE_S = 0.02
"""Time between two imports, in seconds: keys come first."""


async def warm_up() -> None:
    gc.freeze()  # what is here now stays: nothing is gained by looking through it
    gc.enable()
    for name in MODULES:
        await asyncio.sleep(PAUSE_S)
        try:
            import_module(name)
        except ImportError as error:
            if (error.name or "").partition(".")[0] == PACKAGE:
                raise
    await asyncio.to_thread(_make_lexer)
    gc.freeze()


def _make_lexer() -> None:
    with suppress(ImportError):
        from pygments.lexers import get_lexer_by_name

        get_lexer_by_name(LANGUAGE)
