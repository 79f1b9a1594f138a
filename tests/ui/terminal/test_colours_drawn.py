"""What is really drawn can be read: every state of the screen, in every theme, with many colours, few and none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style

from kimi_tui.adapters.endpoint.simulator.showpieces import CODE, MARKDOWN
from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.ui.text.colours import FewColoursFilter
from kimi_tui.ui.text.themes import show_theme
from tests.ui.program import Program, program, shipped_themes, talk

THEMES = ("kimi-dark", "kimi-light", "high-contrast", "monochrome")
DEPTHS = {
    "24-bit": None,
    "256": FewColoursFilter(is_16=False),
    "16": FewColoursFilter(is_16=True),
    "16, 8 behind": FewColoursFilter(is_16=True, has_bright_backgrounds=False),
}
TALK = talk(("Lamb?", MARKDOWN), ("Code?", CODE))
EDGES = re.compile("[\u2500-\u259f\\s]*")
TOUR = (
    "a draft",
    "<ctrl+u>/nonsense<enter>",
    "<ctrl+u><ctrl+l>",
    "<shift+tab>",
    "<v><down><down><right>",
    "<escape><escape><ctrl+f>lamb",
    "<enter>",
    "<escape><escape><f2>",
    "@SessionRows",
    "@SessionsPane Input",
    "zzz",
    "<escape><escape><escape><f2><f2><f3>",
    "<escape><f3><f3><f4>",
    "@SettingRows",
    "<down><down><enter>",
    "<escape><down><down><enter>",
    "99",
    "<escape><up><up><up><enter>",
    "<escape><escape><f4><f5>",
    "<escape><f5><f5><f1>",
    "<escape><ctrl+p>th",
    "<down>",
    "<escape><f9>",
    "<escape><f7>",
    "<escape><escape><escape><f4><ctrl+u>half<shift+left><shift+left>",
    "<backspace><backspace><ctrl+u>/set ",
)
"""Keys that lead through the panes, lists, editors and marks, a state each; @ gives the focus to a widget."""


async def states(running: Program) -> AsyncIterator[str]:
    for keys in TOUR:
        if keys.startswith("@"):
            running.screen.query_one(keys[1:]).focus()
        else:
            await running.type(keys)
        await running.pilot.pause()
        assert running.app.crash is None
        yield keys


def segments(running: Program) -> Iterator[Segment]:
    """What is drawn by the screen on top; what shines through from below it is dimmed on purpose."""
    screen = running.app.screen
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            if segment.text.strip() and screen.get_widget_at(x, y)[0] is not screen:
                yield segment
            x += segment.cell_length


def ratio(style: Style | None) -> float:
    """Contrast of what stands in front with what stands behind."""
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    return contrast(style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex)


def too_pale(running: Program) -> set[tuple[str, str, float]]:
    """Texts that are hard to read, in what number of colours, with their contrast."""
    found = set()
    for text, style, _ in segments(running):
        assert style is not None, text
        if EDGES.fullmatch(text):
            continue
        for depth, few in DEPTHS.items():
            drawn = ratio(style if few is None else few.fit(style, text))
            if drawn < TEXT_CONTRAST:
                found.add((depth, text.strip()[:30], round(drawn, 2)))
    return found


@pytest.mark.parametrize("theme", THEMES)
async def test_every_text_drawn_can_be_read(tmp_path: Path, theme: str) -> None:
    pale = {}
    async with program(tmp_path, session=TALK) as running:
        show_theme(running.app, shipped_themes()[theme]())
        await running.pilot.pause()
        async for keys in states(running):
            if found := too_pale(running):
                pale[keys] = found
    assert pale == {}
